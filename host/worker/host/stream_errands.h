// The streams of a worker's plugin, and those that it reads: what it asks of them is asked at the host table for it. What it follows it is
// told page by page, each when it asks for that: who is slow has the host keep nothing.
#pragma once

#include <map>

#include "collet/ext/draft/events.h"
#include "worker/host/table_errands.h"

namespace collet::worker {

class StreamErrands final : public TableErrands {
 public:
  using TableErrands::TableErrands;

 private:
  bool find_tables(const collet_host& host) override;
  std::string make(std::uint32_t incarnation, const FrameHead& head, std::string_view body) override;
  Callback<void()> forget() override;

  std::string append(std::uint32_t incarnation, std::uint64_t id, FieldReader fields);
  std::string read(std::uint32_t incarnation, std::uint64_t id, FieldReader fields);
  std::string follow(std::uint32_t incarnation, std::uint64_t id, FieldReader fields);
  void unfollow(std::uint64_t id);

  // What is followed until it has a page.
  struct Follow {
    StreamErrands& all;
    const std::uint32_t incarnation;
    const std::uint64_t id;
    collet_follow follow = 0;
  };
  using FollowPtr = std::unique_ptr<Follow>;
  FollowPtr take_followed(const Follow& follow);

  const collet_events* events_ = nullptr;
  std::map<std::uint64_t, FollowPtr> follows_;  // by the worker's number; with the lock
};

}  // namespace collet::worker
