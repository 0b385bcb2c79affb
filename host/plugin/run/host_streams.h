// The streams of a plugin, and those that it reads, where they are in this process.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plugin/run/own_streams.h"
#include "store/awaited_page.h"

namespace collet::plugin {

class HostStreams final : public OwnStreams {
 public:
  // `answers` and `streams` are borrowed. `reach`: what it may read beside its own, "plugin/stream", in which * stands for any text;
  // nothing: all there is.
  HostStreams(Answers& answers, store::Streams& streams, std::string plugin, std::optional<std::vector<std::string>> reach);

  bool may_read(const store::StreamName& name) override;

 private:
  void start(std::uint64_t id, StreamOrder order) override;
  void start_next(std::uint64_t follow, const StreamRead& from) override;
  void stop_next(std::uint64_t follow) override;
  void note_denied(const std::string& name);

  store::Streams& streams_;
  const std::string plugin_;
  const std::optional<std::vector<std::string>> reach_;
  std::map<std::uint64_t, std::shared_ptr<store::AwaitedPage>> pages_;  // by what is followed; of start_next() and stop_next()

  std::mutex denied_mutex_;
  std::set<std::string> denied_;  // what has been told of; guarded by it
};

}  // namespace collet::plugin
