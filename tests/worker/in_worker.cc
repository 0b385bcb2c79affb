#include <sys/socket.h>

#include <deque>
#include <thread>

#include "plugin/house.h"
#include "plugin/table_host.h"
#include "worker/child/child_call.h"
#include "worker/host/worker_image.h"
#include "worker/talk/frame_form.h"
#include "worker/talk/open_order.h"
#include "worker/talk/replay.h"

namespace collet::plugin {

const Placement kTestPlacement = Placement::worker;

LoaderOptions test_options() {
  LoaderOptions options = patient_options();
  options.preflight_executable = COLLET_TEST_PREFLIGHT;
  options.make_worker = [](WorkerOrder order) -> std::unique_ptr<Image> {
    worker::WorkerOptions of_worker;
    of_worker.executable = COLLET_TEST_WORKER;
    of_worker.start_timeout_ms = std::chrono::milliseconds(kPatience).count();
    return std::make_unique<worker::WorkerImage>(std::move(order), std::move(of_worker));
  };
  return options;
}

namespace {

using worker::FrameType;

// All of a worker but its process: what the table hears goes through frames and a socket to another table.
class FrameCallers final : public Callers {
 public:
  explicit FrameCallers(loop::Loop& loop) : inner_loop_(loop) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_) != 0) throw std::runtime_error("no sockets");
    out_ = std::make_unique<worker::Outbox>(ends_[0], inner_loop_);
    reader_ = std::thread([this] { read(); });
  }
  ~FrameCallers() override {
    shutdown(ends_[0], SHUT_RDWR);
    reader_.join();
    loop_.stop();
    for (const int end : ends_) close(end);
  }

  registry::Listener& stand_in(registry::Listener& listener, CallKind kind, const std::string& uri) override {
    CallId id = 0;
    loop_.run([&] {
      CallSlot* slot = calls_.acquire(0, owner_, listener, kind);
      slot->reading.uri = uri;
      id = calls_.open_held(*slot);
      calls_.settle(*slot);
    });
    std::string known;
    for (std::uint8_t i = 0; i < std::size(CallerInfo::kKeys); ++i) {
      if (const auto value = listener.info(CallerInfo::kKeys[i])) worker::FieldWriter(known).number(i).text(*value);
    }
    return stand_ins_.emplace_back(id, known, *out_, ended_);
  }
  const content::Form& form() const override { return form_; }
  BlobMemory* blob_memory() const override { return arena_.get(); }

 private:
  void read() {
    worker::FrameBuffer input;
    for (;;) {
      std::size_t room;
      char* at = input.room(room);
      const ssize_t size = recv(ends_[1], at, room, 0);
      if (size <= 0) return;
      input.filled(static_cast<std::size_t>(size));
      while (const auto frame = input.next()) {
        if (const std::string wrong = take(*frame); !wrong.empty()) throw std::runtime_error(wrong);
        for (const std::uint64_t offset : replay_.take_read()) arena_->give_back_at(offset);
      }
    }
  }
  std::string take(const worker::FrameBuffer::Frame& frame) {
    switch (frame.head.type) {
      case FrameType::end:
        return replay_.end(frame.head.id, frame.body);
      case FrameType::progress:
        return replay_.progress(frame.head.id, frame.body);
      case FrameType::log:
        return replay_.log(frame.head.id, frame.body);
      case FrameType::close_stream:
        return replay_.close_stream(frame.head.id, frame.body);
      default:
        return "a frame of an unexpected type";
    }
  }

  loop::Loop& inner_loop_;
  RunningLoop loop_;
  CallTable calls_{{&loop_.get()}};
  CallOwner owner_{"tester", 1};
  Items items_{CallRules{}};
  Blobs blobs_;
  HostSide side_{calls_, owner_, items_, blobs_, {}};
  const collet_host table_ = make_host_table(side_);
  const worker::ArenaView view_ = std::move(*worker::ArenaView::create());
  const std::unique_ptr<worker::Arena> arena_ = std::move(*worker::Arena::map(view_.descriptor()));
  const worker::FrameForm form_{*arena_};
  worker::Replay replay_{table_, view_};
  int ends_[2];
  std::unique_ptr<worker::Outbox> out_;
  std::function<void(std::uint64_t)> ended_ = [](std::uint64_t) {};
  std::deque<worker::ChildCall> stand_ins_;
  std::thread reader_;
};

}  // namespace

std::unique_ptr<Callers> make_callers(loop::Loop& loop) { return std::make_unique<FrameCallers>(loop); }

}  // namespace collet::plugin
