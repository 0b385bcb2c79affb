// Tells of changes of the files in a folder. Loop thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/callback.h"
#include "base/result.h"
#include "loop/loop.h"

namespace collet::loop {

class FolderWatch {
 public:
  // `changed` is called with the name of a file that has been made, written, renamed or removed; empty if it is not
  // known which. What is in folders of the folder is not watched.
  static Result<std::unique_ptr<FolderWatch>> open(Loop& loop, const std::string& folder,
                                                   Callback<void(std::string_view name)> changed);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

 private:
  struct State;
  explicit FolderWatch(State* state) : state_(state) {}

  State* state_;  // owned; freed by libuv's close callback
};

}  // namespace collet::loop
