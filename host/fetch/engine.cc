#include "fetch/engine.h"

#include <unistd.h>
#include <uv.h>

#include <unordered_map>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "collet/kit/loop.hpp"
#include "fetch/libcurl.h"
#include "fetch/transfer.h"

namespace collet::fetch {
class Engine::Multi {
 public:
  Multi(loop::Loop& loop, EngineOptions options)
      : loop_(loop), shared_{.options = std::move(options)}, timer_(loop), wake_(loop) {}

  ~Multi() {
    turning_ = true;  // what closes now needs no turn, and what ends begins nothing
    while (!transfers_.empty()) finish(transfers_.begin()->first, {.whole = false, .sent = true, .message = "the host is ending"});
    for (CURL* easy : idle_) libcurl().easy_cleanup(easy);
    if (multi_) libcurl().multi_cleanup(multi_);
    while (!sockets_.empty()) forget(sockets_.begin()->first);  // libcurl closes what did not connect without a word
  }
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;

  Id start(Request request, Sink& sink) {
    const Id id = ++last_id_;
    auto transfer = std::make_unique<Transfer>(id, std::move(request), sink, shared_);
    transfers_.emplace(id, std::move(transfer)).first->second->mark();
    wake();
    return id;
  }

  bool cancel(Id id) {
    const Transfer* transfer = find(id);
    if (!transfer) return false;
    const bool looking_up = transfer->is_looking_up();
    remove(id);
    return looking_up;
  }

  void taken(Id id, std::size_t bytes) {
    const auto found = transfers_.find(id);
    if (found == transfers_.end() || !found->second->taken(bytes)) return;
    paused_.push_back(id);
    wake();
  }

  std::size_t running() const { return transfers_.size(); }

 private:
  // Whether libcurl is there.
  bool open() {
    if (multi_) return true;
    if (!start_libcurl()) return false;
    multi_ = libcurl().multi_init();
    libcurl().multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
    libcurl().multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    libcurl().multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timeout);
    libcurl().multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    libcurl().multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    libcurl().multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(limits::kFetchConnectionsKept));
    return true;
  }

  // A descriptor's place in the event loop, as long as libcurl waits for it: of some it does not say when it closes them.
  struct Socket {
    uv_poll_t poll;
    Multi* multi;
    curl_socket_t fd;
    int events = 0;  // that libcurl waits for
  };

  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* data, void*) {
    auto& self = *static_cast<Multi*>(data);
    const auto found = self.sockets_.find(fd);
    Socket* socket = found == self.sockets_.end() ? nullptr : found->second;
    if (what == CURL_POLL_REMOVE) {
      self.forget(fd);
      return 0;
    }
    Transfer* transfer = nullptr;
    libcurl().easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (!socket && !(socket = self.watch(fd))) {  // an error would end all that the engine has
      if (transfer) transfer->note_done(CURLE_OUT_OF_MEMORY);
      return 0;
    }
    self.waits_last_[fd] = transfer ? transfer->id() : 0;  // libcurl has handles of its own
    socket->events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    uv_poll_start(&socket->poll, socket->events, on_ready);
    return 0;
  }

  Socket* watch(curl_socket_t fd) {
    auto* socket = new Socket{.poll = {}, .multi = this, .fd = fd};
    socket->poll.data = socket;
    if (uv_poll_init_socket(loop_.uv(), &socket->poll, fd) != 0) {
      delete socket;
      return nullptr;
    }
    sockets_.emplace(fd, socket);
    return socket;
  }

  static void on_ready(uv_poll_t* poll, int status, int ready) {
    const Socket& at = *static_cast<Socket*>(poll->data);
    int mask = 0;
    if (status < 0) {  // read to its end: an answer may have come before the connection was reset
      uv_poll_start(poll, at.events, on_ready);  // libuv has stopped it
      mask = CURL_CSELECT_IN | CURL_CSELECT_OUT;
    }
    if (ready & UV_READABLE) mask |= CURL_CSELECT_IN;
    if (ready & UV_WRITABLE) mask |= CURL_CSELECT_OUT;
    at.multi->turn(at.fd, mask);
  }

  static int on_timeout(CURLM*, long timeout_ms, void* data) {
    auto& self = *static_cast<Multi*>(data);
    if (timeout_ms < 0) {
      self.timer_.stop();
    } else if (timeout_ms == 0 && self.turning_) {
      self.again_ = true;
    } else {
      self.timer_.start(static_cast<std::uint64_t>(timeout_ms), [&self] { self.turn(CURL_SOCKET_TIMEOUT, 0); });
    }
    return 0;
  }

  // The descriptor's number may belong to something else in a moment, so libuv forgets it first.
  static int on_close_socket(void* data, curl_socket_t fd) {
    auto& self = *static_cast<Multi*>(data);
    if (const auto last = self.waits_last_.find(fd); last != self.waits_last_.end()) {
      if (Transfer* transfer = self.find(last->second)) transfer->note_closing(fd);
      self.waits_last_.erase(last);
    }
    self.shared_.connections.erase(fd);
    self.forget(fd);
    return close(fd);
  }

  void forget(curl_socket_t fd) {
    const auto found = sockets_.find(fd);
    if (found == sockets_.end()) return;
    kit::close_and_delete(found->second, found->second->poll);
    sockets_.erase(found);
  }

  CURL* take_easy() {
    CURL* easy = nullptr;
    if (idle_.empty()) {
      easy = libcurl().easy_init();
    } else {
      easy = idle_.back();
      idle_.pop_back();
    }
    return easy;
  }

  void give_back(CURL* easy) {
    libcurl().easy_reset(easy);  // its connections stay
    if (idle_.size() < limits::kFetchConnectionsKept) {
      idle_.push_back(easy);
    } else {
      libcurl().easy_cleanup(easy);
    }
  }

  // Its handle is libcurl's no longer, and it has none.
  void detach(Transfer& transfer) {
    if (!transfer.easy()) return;
    libcurl().multi_remove_handle(multi_, transfer.easy());
    give_back(transfer.release());
  }

  std::unique_ptr<Transfer> remove(Id id) {
    const auto found = transfers_.find(id);
    detach(*found->second);  // while it can be found: a connection may be closed with it
    std::unique_ptr<Transfer> transfer = std::move(found->second);
    transfers_.erase(found);
    return transfer;
  }

  // In a turn of its own.
  void wake() {
    if (turning_) {
      again_ = true;
    } else {
      wake_.start(0, [this] { turn(CURL_SOCKET_TIMEOUT, 0); });
    }
  }

  // libcurl may not be entered from its own callbacks: these only note what has come, and sinks are told in between.
  void turn(curl_socket_t fd, int events) {
    if (turning_) {
      again_ = true;
      return;
    }
    turning_ = true;
    act(fd, events);
    for (;;) {
      for (const Id id : std::exchange(paused_, {})) resume(id);
      collect_ended();
      for (const Id id : std::exchange(shared_.dirty, {})) deliver(id);
      if (std::exchange(again_, false)) act(CURL_SOCKET_TIMEOUT, 0);
      else if (shared_.dirty.empty() && paused_.empty()) break;
    }
    turning_ = false;
  }

  // Without libcurl nothing is under way, and what is to be begun ends with the reason.
  void act(curl_socket_t fd, int events) {
    int running = 0;
    if (open()) libcurl().multi_socket_action(multi_, fd, events, &running);
  }

  void resume(Id id) {
    const auto found = transfers_.find(id);
    if (found != transfers_.end()) found->second->resume();
  }

  void collect_ended() {
    if (!multi_) return;
    int left = 0;
    while (const CURLMsg* message = libcurl().multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      Transfer* transfer = nullptr;
      libcurl().easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      transfer->note_done(message->data.result);
    }
  }

  // What there is to tell of it, and the next hop. Looked up anew after each word to the sink, which may cancel.
  void deliver(Id id) {
    Transfer* transfer = find(id);
    if (!transfer) return;
    transfer->unmark();
    if (!transfer->begun()) return advance(*transfer);
    if (auto head = transfer->take_head()) {
      transfer->sink().on_head(std::move(*head));
      if (!(transfer = find(id))) return;
    }
    if (std::string body = transfer->take_body(); !body.empty()) {
      transfer->sink().on_body(std::move(body));
      if (!(transfer = find(id))) return;
    }
    if (!transfer->is_done()) return;
    if (transfer->needs_another_connection()) return send(*transfer);
    if (transfer->leads_on()) return advance(*transfer);
    finish(id, transfer->end());
  }

  void advance(Transfer& transfer) {
    detach(transfer);
    if (const auto end = transfer.next_hop()) return finish(transfer.id(), *end);
    send(transfer);
  }

  void send(Transfer& transfer) {
    detach(transfer);
    CURL* const easy = take_easy();
    if (!easy) return finish(transfer.id(), {.whole = false, .sent = false, .message = "there is no memory for it"});
    transfer.set_up(easy);
    libcurl().easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    libcurl().easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
    if (libcurl().multi_add_handle(multi_, easy) == CURLM_OK) return;  // it has the timer fire at once
    transfer.note_done(CURLE_OUT_OF_MEMORY);
  }

  void finish(Id id, const End& end) {
    const std::unique_ptr<Transfer> transfer = remove(id);
    transfer->sink().on_end(end);
  }

  Transfer* find(Id id) const {
    const auto found = transfers_.find(id);
    return found == transfers_.end() ? nullptr : found->second.get();
  }

  loop::Loop& loop_;
  Transfer::Shared shared_;
  CURLM* multi_ = nullptr;
  loop::Timer timer_;
  loop::Timer wake_;
  std::unordered_map<Id, std::unique_ptr<Transfer>> transfers_;
  std::unordered_map<curl_socket_t, Socket*> sockets_;
  std::unordered_map<curl_socket_t, Id> waits_last_;  // whose transfer has waited for it last
  std::vector<CURL*> idle_;
  std::vector<Id> paused_;  // that are to go on
  Id last_id_ = 0;
  bool turning_ = false;  // libcurl or a sink is running
  bool again_ = false;    // it has something new to begin
};

Engine::Engine(loop::Loop& loop, EngineOptions options) : multi_(std::make_unique<Multi>(loop, std::move(options))) {}
Engine::~Engine() = default;

Engine::Id Engine::start(Request request, Sink& sink) { return multi_->start(std::move(request), sink); }
bool Engine::cancel(Id id) { return multi_->cancel(id); }
void Engine::taken(Id id, std::size_t bytes) { multi_->taken(id, bytes); }
std::size_t Engine::running() const { return multi_->running(); }

}  // namespace collet::fetch
