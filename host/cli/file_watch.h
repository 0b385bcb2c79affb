// Tells when files that matter have changed and come to rest. Loop thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/callback.h"
#include "loop/folder_watch.h"

namespace collet::cli {

class FileWatch {
 public:
  // `settled` is called when for kSettleMs nothing has happened to them, or kSettleMsMax after the first change if
  // they do not rest. For a library that is cut off more time is given, as somebody still writes it.
  FileWatch(loop::Loop& loop, Callback<void()> settled);

  // What is watched from now on: the libraries in the folders, and single files. Says in the log what cannot be.
  void watch(const std::set<std::string>& folders, const std::set<std::string>& files);

 private:
  void touched(const std::string& folder, std::string_view name);
  void look();

  loop::Loop& loop_;
  Callback<void()> settled_;
  loop::Timer timer_;
  std::set<std::string> folders_;
  std::set<std::string> files_;
  std::map<std::string, std::unique_ptr<loop::FolderWatch>> watches_;  // by folder
  std::map<std::string, std::uint64_t> touched_;                       // files → time of the first change, in ms
};

}  // namespace collet::cli
