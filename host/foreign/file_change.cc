#include "foreign/file_change.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "base/descriptor.h"
#include "base/limits.h"
#include "collet/kit/descriptor.hpp"
#include "foreign/file.h"
#include "foreign/member.h"
#include "foreign/text_block.h"

namespace collet::foreign {
namespace {

namespace fs = std::filesystem;

using kit::write_all;

Error failed(std::string_view what, const fs::path& file) {
  return error("cannot {} {}: {}", what, file.string(), std::strerror(errno));
}

// Copies `count` bytes, or fewer at the end of the file; -1 if that fails.
std::int64_t copy(int from, int to, std::uint64_t count) {
  char buffer[64 << 10];
  std::uint64_t done = 0;
  while (done < count) {
    const ssize_t read_count = read(from, buffer, std::min<std::uint64_t>(count - done, sizeof buffer));
    if (read_count == 0) break;
    if (read_count < 0 && errno == EINTR) continue;
    if (read_count < 0 || !write_all(to, {buffer, static_cast<std::size_t>(read_count)})) return -1;
    done += static_cast<std::uint64_t>(read_count);
  }
  return static_cast<std::int64_t>(done);
}

// What tells that it is still the same file with the same content.
bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_ino == other.st_ino && one.st_dev == other.st_dev && one.st_size == other.st_size &&
         one.st_mtim.tv_sec == other.st_mtim.tv_sec && one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
}

constexpr std::string_view kDraftEnding = ".collet-new.";

// A file beside another, under a name of its own, which takes its place or is removed.
class Draft {
 public:
  explicit Draft(const fs::path& file) : file_(file) {
    std::string name = fmt::format("{}{}XXXXXX", file.string(), kDraftEnding);
    fd_ = mkostemp(name.data(), O_CLOEXEC);
    path_ = name;
  }
  ~Draft() {
    if (fd_ >= 0) close(fd_);
    if (fd_ >= 0 && !done_) unlink(path_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  int fd() const { return fd_; }
  const fs::path& path() const { return path_; }
  Result<void> replace() {
    struct stat ours, there;
    if (fstat(fd_, &ours) != 0 || stat(path_.c_str(), &there) != 0) return failed("find", path_);
    if (!is_same(ours, there)) return error("{} was replaced by another program", path_.string());
    if (fsync(fd_) != 0 || rename(path_.c_str(), file_.c_str()) != 0) return failed("replace", file_);
    done_ = true;
    sync_folder_of(file_);
    return {};
  }

 private:
  const fs::path file_;
  fs::path path_;
  int fd_ = -1;
  bool done_ = false;
};

// Writes the file with the edit to the draft. `status` is that of the file as it was read.
Result<void> write_edited(const fs::path& file, const Edit& edit, const Draft& draft, struct stat& status) {
  const Descriptor from(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (from.get() < 0 || fstat(from.get(), &status) != 0) return failed("open", file);
  const bool is_copied = copy(from.get(), draft.fd(), edit.at) == static_cast<std::int64_t>(edit.at) &&
                         write_all(draft.fd(), edit.inserted) &&
                         lseek(from.get(), static_cast<off_t>(edit.at + edit.removed), SEEK_SET) >= 0 &&
                         copy(from.get(), draft.fd(), UINT64_MAX) >= 0;
  if (!is_copied) return failed("write", draft.path());
  if (fchown(draft.fd(), status.st_uid, status.st_gid) != 0) errno = 0;  // only root may give files away
  if (fchmod(draft.fd(), status.st_mode & 07777) != 0) return failed("write", draft.path());
  return {};
}

Result<void> replace_unchanged(const fs::path& file, const struct stat& before, Draft& draft) {
  struct stat now;
  if (stat(file.c_str(), &now) != 0 || !is_same(before, now))
    return error("{} has changed meanwhile; nothing is written to it; try again", file.string());
  return draft.replace();
}

// The file itself under a second name; a copy where there are no links.
Result<void> keep_as(const fs::path& file, const fs::path& backup) {
  if (link(file.c_str(), backup.c_str()) == 0) return {};
  std::error_code failure;
  if (fs::copy_file(file, backup, failure)) return {};
  return error("cannot keep {} as {}: {}", file.string(), backup.string(), failure.message());
}

fs::path free_name(const fs::path& file) {
  std::error_code failure;
  fs::path name = file.string() + ".before-collet";
  for (unsigned number = 2; fs::exists(fs::symlink_status(name, failure)); ++number)
    name = fmt::format("{}.before-collet.{}", file.string(), number);
  return name;
}

bool has_next(int fd, std::string_view text) {
  std::string there(text.size(), '\0');
  std::size_t done = 0;
  while (done < there.size()) {
    const ssize_t count = read(fd, &there[done], there.size() - done);
    if (count == 0 || (count < 0 && errno != EINTR)) return false;
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  return there == text;
}

bool have_same(int one, int other, std::uint64_t count) {
  char buffer[64 << 10];
  while (count > 0) {
    const ssize_t read_count = read(one, buffer, std::min<std::uint64_t>(count, sizeof buffer));
    if (read_count < 0 && errno == EINTR) continue;
    if (read_count <= 0 || !has_next(other, {buffer, static_cast<std::size_t>(read_count)})) return false;
    count -= static_cast<std::uint64_t>(read_count);
  }
  return true;
}

// Whether the file is what the change made of its backup.
bool is_as_left(const FileChange& change) {
  const Descriptor now(open(change.file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status, before{};
  if (now.get() < 0 || fstat(now.get(), &status) != 0) return false;
  const Descriptor backup(change.backup.empty() ? -1 : open(change.backup.c_str(), O_RDONLY | O_CLOEXEC));
  if (!change.backup.empty() && (backup.get() < 0 || fstat(backup.get(), &before) != 0)) return false;
  const auto size = static_cast<std::uint64_t>(before.st_size);
  const std::uint64_t rest_at = change.at + change.removed;
  return rest_at <= size &&
         static_cast<std::uint64_t>(status.st_size) == size - change.removed + change.inserted.size() &&
         have_same(backup.get(), now.get(), change.at) && has_next(now.get(), change.inserted) &&
         (change.removed == 0 || lseek(backup.get(), static_cast<off_t>(rest_at), SEEK_SET) >= 0) &&
         have_same(backup.get(), now.get(), size - rest_at);
}

// Without a server it is Collet's own configuration, whatever that is called.
Format format_in(const FileChange& change) {
  return change.place.key.empty() ? Format::toml : format_of(change.file);
}

Result<std::optional<config::Value>> member_of(const fs::path& file, const FileChange& change) {
  return with_source(
      file, [&](Source& source) { return read_member(source, format_in(change), change.place); });
}

// Whether the file has the server as it was written, and nothing of the person's own in it. Fails if it cannot be
// read.
Result<bool> has_member_as_written(const FileChange& change) {
  const auto there = member_of(change.file, change);
  if (!there) return there.failure();
  if (change.document.empty() || !*there) return there->has_value();
  Source document(change.document);
  const auto written = read_member(document, format_in(change), change.place);
  return written && *written && same_value(**written, **there);
}

bool has_table(std::string_view toml) { return ('\n' + std::string(toml)).find("\n[") != std::string::npos; }

// Whether a line of TOML that belongs to the table in front of it comes next.
bool goes_on(std::string_view text) {
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.empty() || text[0] == '[') return false;
    if (text[0] != '#') return true;
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
}

// Continue has a list of servers, in which they are no members.
bool is_in_list(const FileChange& change) {
  if (change.document.empty()) return false;
  Source document(change.document);
  const auto written = read_member(document, format_in(change), change.place);
  return written && !*written;
}

// Where the text is now, or what its client has made of it.
Result<std::optional<Edit>> find_text(const FileChange& change) {
  const Format format = format_in(change);
  const bool is_server = !change.place.key.empty();
  if (is_server) {
    const auto has = has_member_as_written(change);
    // One of a list has no place of its own, and is known by its text alone.
    if (!has && format == Format::json) return has.failure();
    if (has && !*has && !is_in_list(change)) return std::optional<Edit>();
  }
  if (is_server && format == Format::json)
    return with_source(change.file, [&](Source& source) { return remove_member(source, change.place); });
  return with_source(change.file, [&](Source& source) -> Result<std::optional<Edit>> {
    const Result<std::string> text = read_all(source, limits::kForeignConfigBytesMax);
    if (!text) return text.failure();
    if (source.is_utf16()) return error("it is in UTF-16; save it as UTF-8");
    const std::uint64_t mark = source.offset() - text->size();  // a byte order mark
    const std::size_t found = text->find(change.inserted);
    std::optional<Edit> edit;
    if (found != std::string::npos) {
      const std::string_view rest = std::string_view(*text).substr(found + change.inserted.size());
      if (format == Format::toml && has_table(change.inserted) && goes_on(rest)) return edit;
      edit = Edit{found, change.inserted.size(), {}};
    } else if (is_server) {
      edit = format == Format::toml ? remove_toml_table(*text, change.place)
                                    : remove_yaml_member(*text, change.place);
    }
    if (edit) edit->at += mark;
    return edit;
  });
}

// Of a file that could be read, that it can be read then, and does not have the server.
Result<void> check_without(const FileChange& change, const fs::path& draft) {
  if (!member_of(change.file, change)) return {};
  const auto left = member_of(draft, change);
  if (!left)
    return error("cannot take Collet out of {}, which would not be right then: {}", change.file.string(),
                 left.message());
  if (*left) return error("cannot take Collet out of {}: it would still be in it", change.file.string());
  return {};
}

Result<TakenBack> cut_out(const FileChange& change) {
  const auto edit = find_text(change);
  if (!edit) return error("cannot take Collet out of {}: {}", change.file.string(), edit.message());
  if (!*edit) return TakenBack::missing;
  Draft draft(change.file);
  if (draft.fd() < 0) return failed("write", draft.path());
  struct stat status;
  if (auto written = write_edited(change.file, **edit, draft, status); !written) return written.failure();
  if (auto good = check_without(change, draft.path()); !good) return good.failure();
  if (auto replaced = replace_unchanged(change.file, status, draft); !replaced) return replaced.failure();
  return TakenBack::cut_out;
}

}  // namespace

Result<void> prepare(FileChange& change) {
  std::error_code failure;
  if (!fs::exists(change.file, failure)) return {};
  if (!fs::is_regular_file(change.file, failure)) return error("{} is not a regular file", change.file.string());
  change.backup = free_name(change.file);
  return {};
}

Result<void> apply(FileChange& change, const Check& check) {
  std::error_code failure;
  fs::create_directories(change.file.parent_path(), failure);
  if (failure) return error("cannot make the folder {}: {}", change.file.parent_path().string(), failure.message());
  if (change.backup.empty()) {
    if (auto prepared = prepare(change); !prepared) return prepared;
  }
  const bool is_new = !fs::exists(change.file, failure);
  Draft draft(change.file);
  if (draft.fd() < 0) return failed("write", draft.path());
  struct stat status {};
  if (is_new) {
    if (!write_all(draft.fd(), change.inserted)) return failed("write", draft.path());
  } else if (auto written = write_edited(change.file, {change.at, change.removed, change.inserted}, draft, status);
             !written) {
    return written;
  }
  if (auto good = check(draft.path()); !good) return good;
  if (is_new) return draft.replace();
  if (auto kept = keep_as(change.file, change.backup); !kept) return kept;
  auto replaced = replace_unchanged(change.file, status, draft);
  if (!replaced) unlink(std::exchange(change.backup, {}).c_str());
  return replaced;
}

Result<TakenBack> take_back(const FileChange& change) {
  std::error_code failure;
  if (!fs::exists(change.file, failure)) {
    if (failure) return error("cannot find {}: {}", change.file.string(), failure.message());
    return TakenBack::gone;
  }
  if (!fs::is_regular_file(change.file, failure)) return error("{} is not a regular file", change.file.string());
  if (!is_as_left(change)) return cut_out(change);
  const bool done = change.backup.empty() ? unlink(change.file.c_str()) == 0
                                          : rename(change.backup.c_str(), change.file.c_str()) == 0;
  if (!done) return failed("restore", change.file);
  sync_folder_of(change.file);
  return TakenBack::restored;
}

bool settle(const FileChange& change) {
  std::error_code failure;
  const std::string draft = change.file.filename().string() + std::string(kDraftEnding);
  for (const auto& entry : fs::directory_iterator(change.file.parent_path(), failure)) {
    if (entry.path().filename().string().starts_with(draft)) unlink(entry.path().c_str());
  }
  if (!fs::is_regular_file(change.file, failure)) return false;
  if (is_as_left(change)) return true;
  const auto edit = find_text(change);
  if (!edit || *edit) return true;
  if (!change.backup.empty() && fs::equivalent(change.backup, change.file, failure)) unlink(change.backup.c_str());
  return false;
}

}  // namespace collet::foreign
