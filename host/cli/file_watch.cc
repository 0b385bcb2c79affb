#include "cli/file_watch.h"

#include <algorithm>
#include <filesystem>

#include "base/limits.h"
#include "base/log.h"
#include "plugin/elf_file.h"

namespace collet::cli {

FileWatch::FileWatch(loop::Loop& loop, Callback<void()> settled)
    : loop_(loop), settled_(std::move(settled)), timer_(loop) {}

void FileWatch::watch(const std::set<std::string>& folders, const std::set<std::string>& files) {
  folders_ = folders;
  files_ = files;
  std::set<std::string> all = folders;
  for (const std::string& file : files) all.insert(std::filesystem::path(file).parent_path());
  std::erase_if(watches_, [&](const auto& entry) { return !all.contains(entry.first); });
  for (const std::string& folder : all) {
    if (watches_.contains(folder)) continue;
    auto watch =
        loop::FolderWatch::open(loop_, folder, [this, folder](std::string_view name) { touched(folder, name); });
    if (watch) {
      watches_.emplace(folder, std::move(*watch));
    } else {
      log::warning("{}", watch.message());
    }
  }
}

void FileWatch::touched(const std::string& folder, std::string_view name) {
  const std::string path = (std::filesystem::path(folder) / name).string();
  if (!files_.contains(path) && !(folders_.contains(folder) && name.ends_with(".so"))) return;
  const std::uint64_t now = loop_.now_ms();
  touched_.emplace(path, now);
  std::uint64_t first = now;
  for (const auto& [file, at] : touched_) first = std::min(first, at);
  const std::uint64_t latest = first + limits::kSettleMsMax;
  timer_.start(std::min(limits::kSettleMs, latest - std::min(now, latest)), [this] { look(); });
}

void FileWatch::look() {
  for (const auto& [file, first] : touched_) {
    if (file.ends_with(".so") && loop_.now_ms() < first + limits::kIncompleteMs && plugin::is_cut_off(file)) {
      timer_.start(limits::kSettleMs, [this] { look(); });
      return;
    }
  }
  touched_.clear();
  settled_();
}

}  // namespace collet::cli
