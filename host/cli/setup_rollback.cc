#include <filesystem>

#include "cli/output.h"
#include "cli/remote_tables.h"
#include "cli/setup_lock.h"
#include "cli/setup_record.h"

namespace collet::cli {
namespace {

namespace fs = std::filesystem;

std::string backup_of(const foreign::FileChange& change) {
  std::error_code failure;
  if (change.backup.empty() || !fs::exists(change.backup, failure)) return "";
  return fmt::format("; as it was it is {}", change.backup.string());
}

void tell_taken(const foreign::FileChange& change, foreign::TakenBack taken) {
  const std::string file = change.file.string();
  switch (taken) {
    case foreign::TakenBack::restored:
      return tell(change.backup.empty() ? fmt::format("removed {}", file) : fmt::format("restored {}", file));
    case foreign::TakenBack::cut_out:
      return tell(
          fmt::format("took Collet's part out of {}, which has changed since{}", file, backup_of(change)));
    case foreign::TakenBack::missing:
      return tell(
          fmt::format("{} has changed since, and what was written is not there as it was: take Collet out of it "
                      "yourself if it is still in it{}",
                      file, backup_of(change)));
    case foreign::TakenBack::gone:
      return tell(
          fmt::format("{} is not there any more, and Collet not in it{}", file, backup_of(change)));
  }
}

int show_steps(const SetupRecord& record) {
  const auto steps = record.read();
  if (!steps) return complain(steps.message());
  for (auto step = steps->rbegin(); step != steps->rend(); ++step)
    tell(fmt::format("to be taken back: {}", step->change.file.string()));
  return kOk;
}

}  // namespace

int roll_back(const SetupRecord& record, bool dry_run) {
  std::error_code failure;
  if (!fs::exists(record.file(), failure) && !failure) {
    say(fmt::format("There is nothing to take back: {} is not there.", record.file().string()));
    return kOk;
  }
  if (dry_run) return show_steps(record);
  const auto lock = SetupLock::take(record.lock_file());
  if (!lock) return complain(lock.message());
  auto steps = record.settle();
  if (!steps) return complain(steps.message());
  int exit_code = kOk;
  // The last first, as each was made on top of those before.
  for (std::size_t i = steps->size(); i-- > 0;) {
    const foreign::FileChange change = (*steps)[i].change;
    const auto taken = foreign::take_back(change);
    if (!taken) {
      complain(taken.message());
      exit_code = kPartly;
      continue;
    }
    tell_taken(change, *taken);
    steps->erase(steps->begin() + static_cast<std::ptrdiff_t>(i));
    if (auto written = record.write(*steps); !written) return complain(written.message());
  }
  return exit_code;
}

}  // namespace collet::cli
