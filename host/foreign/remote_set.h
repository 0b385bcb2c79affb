// Remotes under names of their own, none of them twice.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foreign/remote.h"

namespace collet::foreign {

class RemoteSet {
 public:
  // The name that the remote has got: its own, or that with "_" and `suffix` if another remote has that one.
  // Nothing if the very same remote is there already under one of these; it is enabled then if one of the two is.
  std::optional<std::string> add(Remote remote, std::string_view suffix);

  std::vector<Remote>& remotes() { return remotes_; }
  const std::vector<Remote>& remotes() const { return remotes_; }

 private:
  std::vector<Remote> remotes_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

// Whether they are the same but for their names, places and being enabled.
bool same_remote(Remote one, const Remote& other);

}  // namespace collet::foreign
