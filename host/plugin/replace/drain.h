// Generations on their way out: each ends on a thread of its own, while its last calls finish.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugin/run/generation.h"

namespace collet::plugin {

// The moment at which every loop has let go of what was published before. Copies stand for the same moment.
class Adoption {
 public:
  Adoption() : state_(std::make_shared<State>()) {}

  // To be called at that moment, or earlier if there are no loops that run.
  void arrive() const;
  void wait() const;
  bool wait_until(Clock::time_point deadline) const;

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool arrived = false;
  };
  std::shared_ptr<State> state_;  // shared with whoever comes after the wait was given up
};

// A generation that has been replaced and is not gone yet, for people to read.
struct Draining {
  std::string plugin;
  std::uint64_t number = 0;
  unsigned calls = 0;
  std::vector<std::string> waits_for;
};

// One that is not gone although its time is over: its code has not returned, or its library stays mapped.
struct LeftBehind {
  std::string plugin;
  std::uint64_t number = 0;
  std::string reason;
  bool stuck = false;  // plugin code may still run: the process must end without running destructors
};

class Drain {
 public:
  ~Drain();  // after finish()

  // Ends the generation once `adoption` has come.
  void add(std::unique_ptr<Generation> generation, Adoption adoption, Patience patience);
  // Notes one that never served and does not return; it is leaked.
  void leave(std::unique_ptr<Generation> generation, std::string reason);

  // [any]
  std::vector<Draining> draining() const;
  std::vector<LeftBehind> left_behind() const;
  unsigned draining_of(std::string_view plugin) const;
  unsigned left_behind_of(std::string_view plugin) const;

  // Waits until that generation has ended; false if it is stuck.
  bool wait_for(const std::string& plugin, std::uint64_t number);
  // Nobody waits any longer for calls to end by themselves.
  void hurry();
  // The loops have ended, or do not run yet: nothing is waited for that only they can do.
  void abandon_loops();
  // Waits for all of them. What has not ended by the deadline is named, and left.
  std::vector<std::string> finish(Clock::time_point deadline);
  // After finish(): whether a thread still uses this, which must not be destroyed then.
  bool in_use() const { return in_use_; }

 private:
  struct Entry {
    std::string plugin;
    std::uint64_t number = 0;
    std::unique_ptr<Generation> generation;  // null when it is gone
    Adoption adoption;
    std::thread thread;
    bool ended = false;
  };

  void end(Entry& entry, Patience patience);
  void note_end(Entry& entry, std::string problem);
  void join_ended();

  mutable std::mutex mutex_;  // guards all below; a generation in the list is alive
  std::condition_variable changed_;
  bool loops_abandoned_ = false;
  bool in_use_ = false;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<LeftBehind> left_behind_;
  // Ended, but with calls whose loops do not run: their counts may still be taken down.
  std::vector<std::unique_ptr<Generation>> kept_;
};

}  // namespace collet::plugin
