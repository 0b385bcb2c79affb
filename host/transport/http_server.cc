#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "base/log.h"
#include "base/text.h"
#include "transport/connection_group.h"
#include "transport/http_connection.h"
#include "transport/listen_socket.h"

namespace collet::transport {
namespace {

constexpr int kAcceptsPerTurn = 64;              // so that a flood does not starve those who are in
constexpr std::uint64_t kRefusalLogMs = 10'000;  // between two log lines about refusals
constexpr std::uint64_t kAcceptPauseMs = 100;    // when not even the spare descriptor could be had

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (text::equals_ignoring_case(header.name, name)) return header.value;
  }
  return {};
}

unsigned HttpRequest::count(std::string_view name) const {
  unsigned found = 0;
  for (const Header& header : headers) found += text::equals_ignoring_case(header.name, name);
  return found;
}

struct HttpServer::State {
  State(loop::Loop& loop, HttpLimits limits, HttpHandler& handler) : group(loop, limits, handler), pause(loop) {}

  // Accepts from one descriptor. Closed by libuv after stop().
  struct Listener {
    uv_poll_t poll;
    State* server;
    Descriptor descriptor;
    std::shared_ptr<const TlsContext> tls;
    bool local;

    void start() {
      uv_poll_start(&poll, UV_READABLE,
                    [](uv_poll_t* handle, int, int) { static_cast<Listener*>(handle->data)->accept_some(); });
    }
    void stop() {
      uv_poll_stop(&poll);
      descriptor.close();
      uv_close(reinterpret_cast<uv_handle_t*>(&poll),
               [](uv_handle_t* handle) { delete static_cast<Listener*>(handle->data); });
    }
    void accept_some();
  };

  void listen(Descriptor descriptor, std::shared_ptr<const TlsContext> tls, bool local);
  void stop_listening();
  bool shed(int listening);
  void count_refusal(std::string_view why);
  void pause_accepting();

  ConnectionGroup group;
  std::vector<Listener*> listeners;
  Descriptor spare = open_spare();
  loop::Timer pause;
  std::uint64_t refused = 0;
  std::uint64_t refused_logged = 0;
  std::uint64_t log_again_ms = 0;

  // Given up for a moment when descriptors run out, to accept and close who waits.
  static Descriptor open_spare() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }
};

void HttpServer::State::listen(Descriptor descriptor, std::shared_ptr<const TlsContext> tls, bool local) {
  auto* listener = new Listener{{}, this, std::move(descriptor), std::move(tls), local};
  COLLET_ASSERT(uv_poll_init(group.loop.uv(), &listener->poll, listener->descriptor.get()) == 0);
  listener->poll.data = listener;
  listener->start();
  listeners.push_back(listener);
}

void HttpServer::State::stop_listening() {
  pause.stop();
  for (Listener* listener : listeners) listener->stop();
  listeners.clear();
}

void HttpServer::State::Listener::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const int accepted = accept4(descriptor.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      if (server->group.size() >= server->group.limits.connections_max) {
        ::close(accepted);
        server->count_refusal("all connections are taken");
      } else {
        HttpConnection::open(server->group, accepted, local, tls.get());
      }
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE) {
      if (server->shed(descriptor.get())) continue;
      server->pause_accepting();
    } else if (errno == ENOBUFS || errno == ENOMEM) {
      server->count_refusal(std::strerror(errno));
      server->pause_accepting();
    }
    return;
  }
}

// Turns one client away when no descriptor is left: leaving it in the queue would wake the loop without end.
bool HttpServer::State::shed(int listening) {
  if (!spare) spare = open_spare();
  if (!spare) {
    count_refusal("no file descriptor is left; raise the limit on open files");
    return false;
  }
  spare.close();
  const int turned_away = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
  if (turned_away >= 0) {
    ::close(turned_away);
    count_refusal("no file descriptor is left; raise the limit on open files");
  }
  spare = open_spare();
  return turned_away >= 0;
}

void HttpServer::State::pause_accepting() {
  for (Listener* listener : listeners) uv_poll_stop(&listener->poll);
  pause.start(kAcceptPauseMs, [this] {
    for (Listener* listener : listeners) listener->start();
  });
}

void HttpServer::State::count_refusal(std::string_view why) {
  ++refused;
  const std::uint64_t now = group.loop.now_ms();
  if (now < log_again_ms) return;
  log::warning("refused {} connection(s), {} open: {}", refused - refused_logged, group.size(), why);
  refused_logged = refused;
  log_again_ms = now + kRefusalLogMs;
}

HttpServer::HttpServer(loop::Loop& loop, HttpLimits limits, HttpHandler& handler)
    : state_(std::make_unique<State>(loop, limits, handler)) {}

HttpServer::~HttpServer() { state_->stop_listening(); }

void HttpServer::listen(ListenSocket& socket, unsigned index) {
  ListenSocket::State& listening = *socket.state_;
  COLLET_ASSERT(index < listening.of_loop.size());
  const bool local = listening.address.scheme == Address::Scheme::unix_socket;
  for (Descriptor& descriptor : std::exchange(listening.of_loop[index], {}))
    state_->listen(std::move(descriptor), listening.tls, local);
}

void HttpServer::drain(Callback<void()> done) {
  state_->stop_listening();
  state_->group.drain(std::move(done));
}

std::size_t HttpServer::connections() const { return state_->group.size(); }
std::uint64_t HttpServer::refused() const { return state_->refused; }

}  // namespace collet::transport
