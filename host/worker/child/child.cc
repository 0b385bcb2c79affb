#include "worker/child/child.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/log.h"
#include "loop/read_watch.h"
#include "fetch/request.h"
#include "plugin/crash/alternate_stack.h"
#include "plugin/crash/recorder.h"
#include "plugin/run/generation.h"
#include "worker/child/child_calls.h"
#include "worker/child/child_fetches.h"
#include "worker/child/child_items.h"
#include "worker/child/child_peers.h"
#include "worker/child/child_records.h"
#include "worker/child/child_streams.h"
#include "worker/child/sandbox.h"
#include "worker/host/process.h"
#include "worker/talk/frame_form.h"
#include "worker/talk/open_order.h"
#include "worker/talk/opened.h"

namespace collet::worker {
namespace {

using plugin::Clock;

constexpr std::uint64_t kForeverMs = 86'400'000;  // the host decides how long anything may take

class Child {
 public:
  Child(OpenOrder order, FrameBuffer input, std::unique_ptr<Arena> arena, std::string unconfined)
      : order_(std::move(order)),
        input_(std::move(input)),
        arena_(std::move(arena)),
        unconfined_(std::move(unconfined)),
        form_(*arena_),
        calls_({&loop_}),
        out_(kSocketDescriptor, loop_),
        master_("worker"),
        aside_("aside") {}

  void run() {
    auto watch = loop::ReadWatch::open(loop_, kSocketDescriptor, [this] { receive(); });
    if (!watch) return log::error("a worker cannot hear its host: {}", watch.message());
    master_.run([this] { open(); });
    loop_.run();
  }

 private:
  // on the master thread

  void open() {
    if (order_.permissions.require_sandbox && !unconfined_.empty()) {
      return say_opened(error("require_sandbox is set, and this system cannot enforce {}", unconfined_));
    }
    auto elf = plugin::read_elf_file(order_.library);
    if (!elf) return say_opened(elf.failure());
    plugin::GenerationSpec spec;
    spec.name = order_.name;
    spec.config = order_.config;
    spec.config_places = order_.config_places;
    spec.number = order_.number;
    spec.isolated = true;
    spec.debug = order_.debug;
    spec.form = &form_;
    spec.blob_memory = arena_.get();
    if (order_.prior) spec.prior = plugin::SavedState{*order_.prior, order_.prior_version};
    spec.resource_updated = [this](std::string_view uri) {
      out_.put([&](std::string& out) { FrameWriter(out, FrameType::resource_updated).text(uri); });
    };
    spec.status_changed = [this] { out_.put([](std::string& out) { FrameWriter(out, FrameType::status_changed); }); };
    spec.instructed = [this](std::string_view text) {
      out_.put([&](std::string& out) { FrameWriter(out, FrameType::instructions).text(text); });
    };
    spec.make_peers = [this](plugin::CallTable& calls, plugin::CallOwner& owner, plugin::Answers& answers) {
      auto peers = std::make_unique<ChildPeers>(calls, owner, answers, out_);
      peers_ = peers.get();
      return peers;
    };
    spec.make_records = [this](plugin::Answers& answers) {
      auto records = std::make_unique<ChildRecords>(answers, out_);
      records_ = records.get();
      return records;
    };
    spec.make_streams = [this](plugin::Answers& answers) {
      auto streams = std::make_unique<ChildStreams>(answers, out_);
      streams_ = streams.get();
      return streams;
    };
    spec.make_fetches = [this](plugin::CallTable& calls, plugin::CallOwner& owner, plugin::Answers& answers) {
      auto fetches = std::make_unique<ChildFetches>(calls, owner, answers, out_);
      fetches_ = fetches.get();
      return fetches;
    };
    spec.erred = [this] { out_.put([](std::string& out) { FrameWriter(out, FrameType::erred); }); };
    generation_ = std::make_unique<plugin::Generation>(
        calls_, std::move(spec), plugin::image_of_library(plugin::PrivateFile::borrowed(order_.library)),
        std::move(*elf));
    generation_->begin_open();
    if (auto opened = generation_->finish_open(Clock::time_point::max()); !opened) return say_opened(opened);
    {
      const auto pause = generation_->items().pause();
      items_.say(generation_->items().current(pause));
      generation_->items().publish_by(pause,
                                      [this](std::vector<registry::ItemDef> items, Callback<void()> adopted) {
                                        items_.say(items);
                                        // Calls are started by the loop, which may be about to start one of what
                                        // has gone.
                                        auto kept = std::make_shared<Callback<void()>>(std::move(adopted));
                                        loop_.post([kept] { (*kept)(); });
                                      });
    }
    say_opened({});
  }

  void say_opened(const Result<void>& opened) {
    // Before the outbox is held, which whoever changes items puts them in.
    const std::string item_problem = opened ? generation_->item_problem() : std::string();
    Opened said;
    if (!opened) said.failed = opened.message();
    const std::string info = generation_ ? generation_->info() : std::string();
    said.info = info;
    if (opened) {
      const plugin::PluginTable& table = generation_->table();
      said.id = table.id;
      said.version = table.version;
      said.flags = table.functions.flags;
      said.state_version = generation_->state_version().value_or(0);
      said.offered = offered();
      said.item_problem = item_problem;
    }
    said.unenforced = unconfined_;
    out_.put([&](std::string& out) { append(out, said); });
  }

  std::uint8_t offered() const {
    return static_cast<std::uint8_t>(
        (generation_->state_version() ? kSavesState : 0) | (generation_->reconfigurable() ? kReconfigures : 0) |
        (generation_->reports_status() ? kReportsStatus : 0) | (generation_->watches() ? kWatches : 0));
  }

  void answer(std::uint64_t question, std::int32_t status, std::string_view bytes = {}) {
    out_.put([&](std::string& out) { FrameWriter(out, FrameType::answer, question).number(status).text(bytes); });
  }

  void save_state(std::uint64_t question) {
    const auto saved = generation_->save_state(Clock::now() + std::chrono::milliseconds(kForeverMs));
    if (!saved || !*saved) return answer(question, COLLET_E_INTERNAL);
    answer(question, COLLET_OK, (*saved)->bytes);
  }

  void reconfigure(std::uint64_t question, const std::string& config) {
    const bool taken = generation_->reconfigure(config, Clock::now() + std::chrono::milliseconds(kForeverMs));
    answer(question, taken ? COLLET_OK : COLLET_E_UNSUPPORTED);
  }

  void status(std::uint64_t question) {
    const std::string status = generation_->status();
    answer(question, status.empty() ? COLLET_E_INTERNAL : COLLET_OK, status);
  }

  void close() {
    const auto closed = generation_->close({{}, {}, std::chrono::milliseconds(kForeverMs)});
    if (!closed) log::warning("plugin {}: {}", order_.name, closed.message());
    _exit(0);  // the library's destructors have run
  }

  // on the loop

  void receive() {
    std::size_t room;
    char* at = input_.room(room);
    const ssize_t size = recv(kSocketDescriptor, at, room, 0);
    if (size == 0 || (size < 0 && errno != EINTR && errno != EAGAIN)) _exit(0);  // the host is gone
    if (size < 0) return;
    input_.filled(static_cast<std::size_t>(size));
    out_.hold();
    while (const auto frame = input_.next()) take(*frame);
    out_.resume();
  }

  void take(const FrameBuffer::Frame& frame) {
    FieldReader fields(frame.body);
    switch (frame.head.type) {
      case FrameType::call:
        return host_calls_.start(frame.head.id, fields, *generation_);
      case FrameType::cancel:
        return host_calls_.cancel(frame.head.id, fields.number<std::uint32_t>(), *generation_);
      case FrameType::taken:
        return host_calls_.taken(frame.head.id, fields.number<std::uint64_t>(), *generation_);
      case FrameType::body:
        return host_calls_.body(frame.head.id, fields, *generation_);
      case FrameType::blob_done:
        return arena_->give_back_at(frame.head.id);
      case FrameType::quiesce:
        return master_.run(
            [this, ms = fields.number<std::uint32_t>()] { generation_->quiesce(std::chrono::milliseconds(ms)); });
      case FrameType::save_state:
        return master_.run([this, id = frame.head.id] { save_state(id); });
      case FrameType::reconfigure:
        return master_.run(
            [this, id = frame.head.id, config = std::string(fields.text())] { reconfigure(id, config); });
      case FrameType::status:
        return aside_.run([this, id = frame.head.id] { status(id); });
      case FrameType::watch: {
        const bool watched = fields.number<std::uint8_t>() != 0;
        return generation_->watch(fields.text(), watched);
      }
      case FrameType::outcome:
      case FrameType::invoked_progress:
      case FrameType::listing:
      case FrameType::items_changed:
        return peers_.load()->take(frame.head, fields);
      case FrameType::stored:
      case FrameType::keys:
        return records_.load()->take(frame.head, fields);
      case FrameType::appended:
      case FrameType::events:
      case FrameType::next_events:
        return streams_.load()->take(frame.head, fields);
      case FrameType::fetch_head:
      case FrameType::fetch_bytes:
      case FrameType::fetch_end:
        return fetches_.load()->take(frame.head, fields);
      case FrameType::close:
        return master_.run([this] { close(); });
      default:
        return;
    }
  }

  const OpenOrder order_;
  FrameBuffer input_;
  const std::unique_ptr<Arena> arena_;
  const std::string unconfined_;
  const FrameForm form_;
  loop::Loop loop_;
  plugin::CallTable calls_;
  Outbox out_;
  ChildItems items_{out_};
  ChildCalls host_calls_{order_.name, items_, out_};

  // Of the generation.
  std::atomic<ChildPeers*> peers_{nullptr};
  std::atomic<ChildRecords*> records_{nullptr};
  std::atomic<ChildStreams*> streams_{nullptr};
  std::atomic<ChildFetches*> fetches_{nullptr};
  std::unique_ptr<plugin::Generation> generation_;  // before the host knows of it; then for ever
  plugin::ControlThread master_;
  plugin::ControlThread aside_;  // for what may wait for the plugin and must not keep others waiting
};

// The first frame, before there are threads. The process ends if there is none.
OpenOrder read_order(FrameBuffer& input) {
  for (;;) {
    if (const auto frame = input.next()) {
      auto order = frame->head.type == FrameType::open ? read_open_order(frame->body) : std::nullopt;
      if (!order) _exit(1);
      return std::move(*order);
    }
    std::size_t room;
    char* at = input.room(room);
    const ssize_t size = recv(kSocketDescriptor, at, room, 0);
    if (size <= 0 && errno != EINTR) _exit(1);
    if (size > 0) input.filled(static_cast<std::size_t>(size));
  }
}

// To the host, before there is any code that is not ours: it takes the first descriptor that comes, and no other.
void hand_over(Descriptor descriptor) {
  std::string frame;
  { FrameWriter(frame, FrameType::asking); }
  iovec bytes{frame.data(), frame.size()};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  cmsghdr& rights = *CMSG_FIRSTHDR(&message);
  rights.cmsg_level = SOL_SOCKET;
  rights.cmsg_type = SCM_RIGHTS;
  rights.cmsg_len = CMSG_LEN(sizeof(int));
  const int number = descriptor.get();
  std::memcpy(CMSG_DATA(&rights), &number, sizeof number);
  if (sendmsg(kSocketDescriptor, &message, MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) _exit(1);
}

}  // namespace

void worker_main() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  FrameBuffer input;
  OpenOrder order = read_order(input);
  log::configure(static_cast<log::Level>(order.log_level), log::Format::prefixed);
  auto arena = Arena::map(kArenaDescriptor);
  plugin::crash::Record* record = plugin::crash::map_record(kArenaDescriptor, ArenaView::kRecordOffset);
  ::close(kArenaDescriptor);
  if (!arena || !record) _exit(1);
  // What it needs to read the URLs of its fetches may be where it may not look any more.
  if (order.permissions.network || !order.permissions.hosts.empty()) fetch::prepare();
  Confinement confinement = confine(order);
  if (confinement.listener) hand_over(std::move(confinement.listener));
  order.library = std::move(confinement.library);
  const plugin::crash::AlternateStack stack;  // of the loop's thread, on which plugins run, too
  plugin::crash::record_end(*record);  // of this process, which may be another one than before
  // Never destroyed: the process ends by _exit().
  auto* child = new Child(std::move(order), std::move(input), std::move(*arena), std::move(confinement.unenforced));
  child->run();
  _exit(1);
}

}  // namespace collet::worker
