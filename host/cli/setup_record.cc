#include "cli/setup_record.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/json.h"
#include "base/json_members.h"
#include "base/text.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/remote_tables.h"
#include "foreign/file.h"

namespace collet::cli {
namespace {

namespace fs = std::filesystem;

// With a record that cannot be read.
constexpr std::string_view kWhatToDo =
    "; what setup has written is no longer known: move that file away, and take Collet out of the clients yourself, "
    "whose files are kept beside them as they were (*.before-collet)";

constexpr std::size_t kBytesMax = 64 << 20;

std::string to_json(const SetupStep& step) {
  return json::ObjectText()
      .add_text("client", step.client)
      .add_text("file", step.change.file.string())
      .add_text("backup", step.change.backup.string())
      .add_text("inserted", step.change.inserted)
      .add_text("key", step.change.place.key)
      .add_text("document", step.change.document)
      .add("path", text::json_strings(step.change.place.path))
      .add_number("at", step.change.at)
      .add_number("removed", step.change.removed)
      .add_bool("pending", step.is_pending)
      .take();
}

SetupStep step_of(const json::Value& from) {
  SetupStep step;
  step.client = json::find_string(from, "client").value_or("");
  step.change.file = json::find_string(from, "file").value_or("");
  step.change.backup = json::find_string(from, "backup").value_or("");
  step.change.inserted = json::find_string(from, "inserted").value_or("");
  step.change.place.key = json::find_string(from, "key").value_or("");
  step.change.document = json::find_string(from, "document").value_or("");
  if (const json::Value* path = json::find(from, "path"); path && path->IsArray()) {
    for (const json::Value& name : path->GetArray()) {
      if (name.IsString()) step.change.place.path.emplace_back(json::view(name));
    }
  }
  step.change.at = json::find_uint64(from, "at").value_or(0);
  step.change.removed = json::find_uint64(from, "removed").value_or(0);
  const json::Value* pending = json::find(from, "pending");
  step.is_pending = pending && pending->IsTrue();
  return step;
}

fs::path default_file() {
  const auto environment = [](const char* name) { return std::getenv(name) ? std::getenv(name) : ""; };
  const fs::path state = environment("XDG_STATE_HOME");
  return (state.empty() ? fs::path(environment("HOME")) / ".local/state" : state) / "collet/setup.json";
}

}  // namespace

SetupRecord::SetupRecord() : SetupRecord(default_file()) {}

Result<std::vector<SetupStep>> SetupRecord::read() const {
  std::vector<SetupStep> steps;
  std::error_code failure;
  if (!fs::exists(file_, failure)) return steps;
  if (!fs::is_regular_file(file_, failure)) return error("{} is not a regular file; move it away", file_.string());
  const Result<std::string> text = read_input(file_.string(), -1, kBytesMax);
  if (!text) return text.failure();
  json::Document document;
  if (const auto wrong = json::parse(*text, document))
    return error("{}:{}{}", file_.string(), describe(*text, *wrong), kWhatToDo);
  if (!document.IsArray()) return error("{}: not a list of what was written{}", file_.string(), kWhatToDo);
  for (const json::Value& each : document.GetArray()) {
    if (each.IsObject()) steps.push_back(step_of(each));
  }
  return steps;
}

Result<std::vector<SetupStep>> SetupRecord::settle() const {
  unlink(draft().c_str());
  auto steps = read();
  if (!steps) return steps;
  bool has_changed = false;
  std::erase_if(*steps, [&](SetupStep& step) {
    if (!std::exchange(step.is_pending, false)) return false;
    has_changed = true;
    const bool was_made = foreign::settle(step.change);
    tell(fmt::format("an earlier setup was ended while it changed {}, which {}", step.change.file.string(),
                     was_made ? "was changed" : "is as it was"));
    return !was_made;
  });
  if (!has_changed) return steps;
  if (auto written = write(*steps); !written) return written.failure();
  return steps;
}

Result<void> SetupRecord::write(const std::vector<SetupStep>& steps) const {
  std::error_code failure;
  if (steps.empty()) {
    fs::remove(file_, failure);
    if (failure) return error("cannot remove {}: {}", file_.string(), failure.message());
    foreign::sync_folder_of(file_);
    return {};
  }
  std::string text = "[";
  for (const SetupStep& step : steps) text += (text.size() > 1 ? ",\n" : "\n") + to_json(step);
  fs::create_directories(file_.parent_path(), failure);
  if (failure) return error("cannot make the folder {}: {}", file_.parent_path().string(), failure.message());
  const std::string draft = this->draft().string();
  const int fd = open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && write_all(fd, text + "\n]\n") && fsync(fd) == 0;
  const int cause = errno;
  if (fd >= 0) close(fd);
  if (!written) {
    unlink(draft.c_str());
    return error("cannot write {}: {}", draft, std::strerror(cause));
  }
  fs::rename(draft, file_, failure);
  if (failure) return error("cannot write {}: {}", file_.string(), failure.message());
  foreign::sync_folder_of(file_);
  return {};
}

}  // namespace collet::cli
