// Where the frames of a worker go, but for those of its start: each to whoever it is for. Those who speak for the worker at the host table believe none
// of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "collet/plugin.h"
#include "plugin/load/image.h"
#include "worker/host/call_bodies.h"
#include "worker/host/fetch_errands.h"
#include "worker/host/item_mirror.h"
#include "worker/host/peer_errands.h"
#include "worker/host/process_link.h"
#include "worker/host/record_errands.h"
#include "worker/host/stream_errands.h"
#include "worker/talk/arena.h"
#include "worker/talk/frame.h"
#include "worker/talk/replay.h"

namespace collet::worker {

// Of the thread that reads the frames, where nothing else is said.
class FrameRouter {
 public:
  // All is borrowed. Of the events it tells when the plugin has erred.
  FrameRouter(ProcessLink& link, const ArenaView& arena, const plugin::Image::Events& events)
      : link_(link), arena_(arena), events_(events) {}

  // [any, once] There is a host table from now on; it is borrowed.
  void attach(const collet_host& host);
  // [any] Calls may end behind the worker's back from now on: what it says of those is nothing wrong.
  void expect_ended_calls() { calls_are_ended_ = true; }

  // [any] More of the body of that call's request can be read.
  void body_came(collet_call call) { bodies_.came(call); }

  // Another process speaks from now on.
  void begin(std::uint32_t incarnation);
  // It is up, and there was one before: its items take the place of those.
  void adopt_items() { items_.adopt(); }
  // None speaks, and what the last one had under way is over.
  void end() { begin_errands(0); }

  // Returns why the frame cannot come from a sound worker, or an empty text.
  std::string take(const FrameBuffer::Frame& frame, bool is_up);

 private:
  std::string take_of_call(const FrameBuffer::Frame& frame);
  std::string take_end(const FrameBuffer::Frame& frame);
  void begin_errands(std::uint32_t incarnation);

  ProcessLink& link_;
  const ArenaView& arena_;
  const plugin::Image::Events& events_;
  std::atomic<const collet_host*> host_{nullptr};
  std::atomic<bool> calls_are_ended_{false};

  std::unique_ptr<Replay> replay_;  // there once host_ is
  CallBodies bodies_{[this](std::string_view frame) { link_.tell(frame); }};
  const Errands::Send send_to_ = [this](std::uint32_t incarnation, std::string_view frames, Errands::Need need) {
    return link_.send_to(incarnation, frames, need);
  };
  PeerErrands peer_errands_{send_to_};
  RecordErrands record_errands_{send_to_};
  StreamErrands stream_errands_{send_to_};
  FetchErrands fetch_errands_{send_to_};
  ItemMirror items_;
};

}  // namespace collet::worker
