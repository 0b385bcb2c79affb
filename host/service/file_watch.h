// Tells when files that matter have changed and come to rest. Loop thread.
//
// The kernel tells of most changes at once. What it does not tell of is found by looking every kLookMs: another machine's
// writes, a folder that is removed and made again or comes later, a link in the path that leads elsewhere.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/callback.h"
#include "loop/folder_watch.h"
#include "loop/path_poll.h"

namespace collet::service {

class FileWatch {
 public:
  // `settled` is called when for kSettleMs nothing has happened to them, or kSettleMsMax after the first change if
  // they do not rest. For a library that is cut off more time is given, as somebody still writes it.
  FileWatch(loop::Loop& loop, Callback<void()> settled);

  // What is watched from now on: the libraries in the folders, and single files. Says in the log what cannot be.
  void watch(const std::set<std::string>& folders, const std::set<std::string>& files);

 private:
  struct Folder {
    std::unique_ptr<loop::FolderWatch> changes;  // null: the kernel does not tell of them
    std::optional<loop::PathPoll> looks;
  };

  void watch_folder(const std::string& folder);
  bool open_changes(const std::string& folder);
  void look_at_folder(const std::string& folder, bool exists);
  void touched(const std::string& folder, std::string_view name);
  void note(const std::string& path);
  void look();

  loop::Loop& loop_;
  Callback<void()> settled_;
  loop::Timer timer_;
  std::set<std::string> folders_;
  std::map<std::string, Folder> watched_;         // those and the files' ones
  std::map<std::string, loop::PathPoll> files_;
  std::map<std::string, std::uint64_t> touched_;  // paths → time of the first change, in ms
};

}  // namespace collet::service
