// Streams of events, which a plugin appends to and others follow: collet.events.draft/1, whose header says who may, and what is kept.
//
//   auto& events = plugin.keep<collet::Events>(plugin);
//   plugin.tool<Order>("order", "Takes an order", [&events](const Order& in) { events.append("orders", in.text); });
//
// A draft, as that is.
#ifndef COLLET_EVENTS_HPP
#define COLLET_EVENTS_HPP

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <collet/ext/draft/events.h>
#include <collet/plugin.hpp>
#include <collet/answering.hpp>

namespace collet::inline v1 {

struct Event {
  std::uint64_t sequence = 0;
  std::uint64_t time_ms = 0;  // since 1970
  std::string bytes;
};

// See collet_events_page.
struct EventPage {
  std::int32_t status = COLLET_E_INTERNAL;
  collet_follow follow = 0;
  std::uint64_t after = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::vector<Event> events = {};

  bool ok() const { return status >= 0; }
  // How many events behind `after` are not kept any more.
  std::uint64_t lost() const { return first > after + 1 ? first - after - 1 : 0; }
};

// What is to be read.
struct EventSource {
  std::string stream;
  std::string owner = {};   // the plugin's id; empty: this one
  std::uint64_t after = 0;  // or COLLET_EVENTS_NEWEST
  std::uint32_t max = 0;    // events of a page; 0: as many as fit
};

// [any] where nothing else is said. Made while the plugin is created, by plugin.keep<Events>(plugin), before whatever uses it.
// Functions throw Error for what the host refuses. In a trial nothing is appended, and nothing followed.
class Events {
 public:
  explicit Events(const Plugin& plugin)
      : host_(plugin.host()), events_(host_.extension<collet_events>(COLLET_EXT_EVENTS)), probing_(plugin.probing()),
        logger_(detail::view(collet_plugin_entry_v1()->id)) {}
  ~Events() {
    for (const auto& following : following_) events_->unfollow(host_.table(), following->id);
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // Does not wait. What cannot be appended after all is logged.
  void append(std::string_view stream, std::string_view bytes) const {
    begin_append(stream, bytes, [host = host_, logger = logger_](std::int32_t status, std::uint64_t) {
      if (status < 0) host.log(0, Level::error, logger, std::string("an event is lost: ") + detail::status_text(status));
    });
  }
  // The same, with `told(status, sequence)`, which runs [answer], exactly once; if the plugin cannot be created it is not told.
  template <class Told>
  void begin_append(std::string_view stream, std::string_view bytes, Told told) const {
    if (probing_) return;
    auto waiting = std::make_unique<Waiting<Told>>(Waiting<Told>{alive_, host_, logger_, std::move(told)});
    collet_append_params params{};
    params.struct_size = sizeof params;
    params.stream = detail::str(stream);
    params.bytes = detail::str(bytes);
    params.context = waiting.get();
    params.appended = [](void* context, std::int32_t status, std::uint64_t sequence) noexcept {
      const std::unique_ptr<Waiting<Told>> its(static_cast<Waiting<Told>*>(context));
      its->tell([&] { its->told(status, sequence); });
    };
    expect(events_ ? events_->append(host_.table(), &params) : COLLET_E_UNSUPPORTED, "append to", stream);
    static_cast<void>(waiting.release());  // the callback's, which may have freed it
  }

  // What is there now. Waits, as Peers::call() does: for executors and threads of the plugin's own.
  EventPage read(const EventSource& from) const {
    detail::Answering::refuse();
    if (probing_) expect(COLLET_E_UNSUPPORTED, "read", from.stream);
    const auto slot = std::make_shared<detail::Slot<EventPage>>();
    begin_read(from, [slot](EventPage page) { slot->put(std::move(page)); });
    EventPage page = slot->take();
    expect(page.status, "read", from.stream);
    return page;
  }
  // told(EventPage) runs [answer], exactly once; if the plugin cannot be created it is not told.
  template <class Told>
  void begin_read(const EventSource& from, Told told) const {
    if (probing_) return;
    auto waiting = std::make_unique<Waiting<Told>>(Waiting<Told>{alive_, host_, logger_, std::move(told)});
    collet_events_params params = params_of(from, waiting.get());
    params.told = [](void* context, const collet_events_page* page) noexcept {
      const std::unique_ptr<Waiting<Told>> its(static_cast<Waiting<Told>*>(context));
      its->tell([&] { its->told(copy_or_fail(*page)); });
    };
    expect(events_ ? events_->read(host_.table(), &params) : COLLET_E_UNSUPPORTED, "read", from.stream);
    static_cast<void>(waiting.release());
  }

  // `told` runs [answer] for each page, the first of them once the plugin is created, until unfollow(), or with the status of an error as
  // its last. 0 in a trial.
  collet_follow follow(const EventSource& from, std::function<void(const EventPage& page)> told) {
    if (probing_) return 0;
    const auto following = std::make_shared<Following>(*this, std::move(told));
    collet_events_params params = params_of(from, following.get());
    params.told = [](void* context, const collet_events_page* page) noexcept {
      const auto its = static_cast<Following*>(context)->shared_from_this();  // it may be unfollowed meanwhile
      const EventPage copied = copy_or_fail(*page);
      const detail::Answering answering;
      its->events.host_.guard(its->events.logger_, [&] { return its->told(copied), COLLET_OK; });
      if (page->status < 0) its->events.forget(page->follow);
    };
    const std::lock_guard lock(mutex_);
    following_.push_back(following);
    collet_follow id = 0;
    const std::int32_t status = events_ ? events_->follow(host_.table(), &params, &id) : COLLET_E_UNSUPPORTED;
    if (status < 0) following_.pop_back();
    expect(status, "follow", from.stream);
    return following->id = id;
  }
  // When this has returned `told` does not run any more, and so it must not wait for what the caller holds; called from `told` itself
  // it does not wait.
  void unfollow(collet_follow id) {
    if (const auto following = forget(id)) events_->unfollow(host_.table(), id);
  }

 private:
  // What a callback is given. Of a plugin that could not be created nothing is left that it could speak to.
  template <class Told>
  struct Waiting {
    template <class Body>
    void tell(Body&& body) const noexcept {
      if (alive.expired()) return;
      const detail::Answering answering;
      host.guard(logger, [&] { return body(), COLLET_OK; });
    }

    std::weak_ptr<const bool> alive;
    detail::Host host;
    std::string_view logger;
    Told told;
  };
  struct Following : std::enable_shared_from_this<Following> {
    Following(Events& its_events, std::function<void(const EventPage&)> its_told) : events(its_events), told(std::move(its_told)) {}

    Events& events;
    const std::function<void(const EventPage&)> told;
    collet_follow id = 0;  // guarded by mutex_
  };

  // What was followed under that number until now.
  std::shared_ptr<Following> forget(collet_follow id) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(following_.begin(), following_.end(), [&](const auto& each) { return each->id == id; });
    if (found == following_.end()) return nullptr;
    const auto following = std::move(*found);
    following_.erase(found);
    return following;
  }

  static collet_events_params params_of(const EventSource& from, void* context) {
    collet_events_params params{};
    params.struct_size = sizeof params;
    params.max = from.max;
    if (!from.owner.empty()) params.owner = detail::str(from.owner);
    params.stream = detail::str(from.stream);
    params.after = from.after;
    params.context = context;
    return params;
  }

  // There is always something to be told.
  static EventPage copy_or_fail(const collet_events_page& given) noexcept {
    EventPage out{given.status, given.follow, given.after, given.first, given.last, {}};
    try {
      for (std::size_t i = 0; i < given.event_count; ++i) {
        const collet_event& event = given.events[i];
        out.events.push_back({event.sequence, event.time_ms, std::string(detail::view(event.bytes))});
      }
    } catch (...) {
      out.events.clear();
      out.status = COLLET_E_LIMIT;
    }
    return out;
  }

  static void expect(std::int32_t status, const char* action, std::string_view stream) {
    if (status >= 0) return;
    throw Error(std::string("cannot ") + action + " the stream " + std::string(stream) + ": " + detail::status_text(status));
  }

  const detail::Host host_;
  const collet_events* events_;  // null in a trial, and where the host has no such draft
  const bool probing_;
  const std::string_view logger_;
  const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
  std::mutex mutex_;  // guards what is followed
  std::vector<std::shared_ptr<Following>> following_;
};

}  // namespace collet::inline v1

#endif
