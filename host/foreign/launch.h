// A command that another program would start, so that it does the same when Collet starts it.
#pragma once

#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

#include "foreign/reference.h"
#include "foreign/remote.h"

namespace collet::foreign {

class Launch {
 public:
  // All are borrowed.
  Launch(Remote& remote, const Surroundings& surroundings, Met& met, std::vector<config::Problem>& notes)
      : remote_(remote), surroundings_(surroundings), met_(met), notes_(notes) {}

  // Once, when the remote is read. What it changes is added to the notes.
  void adapt();

 private:
  void split_command();
  void pass_on_to_container();
  void place_in_workspace();

  template <class... Args>
  void note(config::Position at, fmt::format_string<Args...> format, Args&&... args) {
    notes_.push_back({at, remote_.name + ": " + fmt::format(format, std::forward<Args>(args)...)});
  }

  Remote& remote_;
  const Surroundings& surroundings_;
  Met& met_;
  std::vector<config::Problem>& notes_;
};

}  // namespace collet::foreign
