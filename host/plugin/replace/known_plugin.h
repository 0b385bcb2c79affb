// One plugin of the host over all its generations: what it is wanted to be, what serves, and what it was before.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plugin/load/file_stamp.h"
#include "plugin/load/private_dir.h"
#include "plugin/replace/stage.h"
#include "plugin/run/generation.h"

namespace collet::plugin {

// For `collet list`.
struct PluginStatus {
  std::string id;
  std::string library;
  std::string plugin_id;
  std::string version;
  Placement placement = Placement::in_process;
  std::uint64_t generation = 0;  // 0: none serves
  bool on_probation = false;
  std::string problem;  // why it does not serve, or why what was to replace it does not
  std::size_t items = 0;
  unsigned calls_in_flight = 0;
  bool runs_inline = false;  // NONBLOCKING items may run on loops
  std::string condition;     // of its worker, in words, or empty
  std::vector<std::string> place;  // where its worker has ended last, as crash::describe() has it, or empty
};

// What a plugin was before its generation that is on probation.
struct Former {
  PluginSpec spec;
  PrivateFile file;
  Clock::time_point until;
};

using WatchedUris = std::set<std::string, std::less<>>;

// The loader's thread alone changes it, and reads it without a lock. Other threads read it while they hold the roster's
// lock, which [locks] functions take themselves: they change what others read.
class KnownPlugin {
 public:
  // `guard` is the roster's lock, `watched` what clients watch, which is guarded by it. Both are borrowed.
  KnownPlugin(std::mutex& guard, const WatchedUris& watched, PluginSpec wanted);

  const std::string& id() const { return wanted_.id; }  // never changes
  const PluginSpec& wanted() const { return wanted_; }
  const PluginSpec& serving() const { return serving_; }  // that of current()
  Generation* current() const { return current_.get(); }  // null: none serves
  const std::optional<Former>& former() const { return former_; }
  const std::string& problem() const { return problem_; }
  PluginStatus status() const;
  bool on_probation() const { return former_ && Clock::now() < former_->until; }

  // The number of its next generation.
  std::uint64_t next_number() { return ++numbers_; }
  // Whether there is another library at its place than when note_file() was called last.
  bool has_new_file() const;
  void note_file() { file_ = FileStamp::of(wanted_.library); }

  // [locks]
  void want(const PluginSpec& spec);
  void note_problem(std::string problem);
  // The current generation goes on under this spec, for which it need not be replaced.
  void go_on_as(const PluginSpec& spec);
  // The generation serves from now on, and is told what clients watch. Returns the one that did until now, or null.
  std::unique_ptr<Generation> install(std::unique_ptr<Generation> generation, const PluginSpec& spec,
                                      std::optional<Former> former);
  // None serves from now on.
  std::unique_ptr<Generation> take_current();
  void set_former(Former former);
  std::optional<Former> take_former();

 private:
  std::mutex& guard_;
  const WatchedUris& watched_;
  PluginSpec wanted_;
  PluginSpec serving_;
  std::unique_ptr<Generation> current_;
  std::uint64_t numbers_ = 0;  // given so far
  FileStamp file_;             // of wanted_.library when it was last looked at
  std::optional<Former> former_;
  std::string problem_;
};

}  // namespace collet::plugin
