#include "service/file_watch.h"

#include <algorithm>
#include <filesystem>

#include "base/limits.h"
#include "base/log.h"
#include "plugin/load/elf_glance.h"

namespace collet::service {
namespace {

constexpr std::uint64_t kLookMs = 1'000;  // between two looks

}  // namespace

FileWatch::FileWatch(loop::Loop& loop, Callback<void()> settled)
    : loop_(loop), settled_(std::move(settled)), timer_(loop) {}

void FileWatch::watch(const std::set<std::string>& folders, const std::set<std::string>& files) {
  folders_ = folders;
  std::set<std::string> all = folders;
  for (const std::string& file : files) all.insert(std::filesystem::path(file).parent_path());
  std::erase_if(watched_, [&](const auto& entry) { return !all.contains(entry.first); });
  std::erase_if(files_, [&](const auto& entry) { return !files.contains(entry.first); });
  for (const std::string& folder : all) {
    if (!watched_.contains(folder)) watch_folder(folder);
  }
  for (const std::string& file : files) {
    files_.try_emplace(file, loop_, file, kLookMs, [this, file](bool) { note(file); });
  }
}

void FileWatch::watch_folder(const std::string& folder) {
  Folder& watched = watched_[folder];
  if (!open_changes(folder)) log::warning("until that can be done it is looked at every {} ms", kLookMs);
  watched.looks.emplace(loop_, folder, kLookMs, [this, folder](bool exists) { look_at_folder(folder, exists); });
}

// Whether the kernel tells of changes in what the folder's name leads to now.
bool FileWatch::open_changes(const std::string& folder) {
  auto changes =
      loop::FolderWatch::open(loop_, folder, [this, folder](std::string_view name) { touched(folder, name); });
  if (!changes) {
    log::warning("{}", changes.message());
    return false;  // if the folder is gone again, that is seen and said in a moment
  }
  watched_[folder].changes = std::move(*changes);
  return true;
}

// It is looked at for the first time, has another content, or another folder has taken its place, or none.
void FileWatch::look_at_folder(const std::string& folder, bool exists) {
  Folder& watched = watched_[folder];
  if (!exists) {
    if (watched.changes) {
      log::warning("the folder {} is gone: what was loaded from it serves on, and it is waited for", folder);
    }
    watched.changes.reset();
    return;
  }
  const bool was_missing = !watched.changes;
  if (open_changes(folder) && was_missing) log::info("the folder {} is there, and watched", folder);
  if (folders_.contains(folder)) note(folder);
}

void FileWatch::touched(const std::string& folder, std::string_view name) {
  const std::string path = (std::filesystem::path(folder) / name).string();
  if (files_.contains(path) || (folders_.contains(folder) && name.ends_with(".so"))) note(path);
}

void FileWatch::note(const std::string& path) {
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

}  // namespace collet::service
