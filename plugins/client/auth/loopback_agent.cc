#include "client/auth/loopback_agent.h"

#include <algorithm>
#include <list>
#include <utility>

#include <arpa/inet.h>
#include <uv.h>

#include "client/auth/limits.h"
#include "client/net/url.h"

namespace collet::client::auth {
namespace {

constexpr std::string_view kPath = "/callback";
constexpr int kBacklog = 8;

std::string page(const char* status, std::string_view text) {
  const std::string body = "<!doctype html><meta charset=utf-8><title>Collet</title><p>" + std::string(text) + "\n";
  return std::string("HTTP/1.1 ") + status +
         "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Security-Policy: default-src 'none'\r\n"
         "Referrer-Policy: no-referrer\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '&':
        out += "&amp;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// The target of "GET target HTTP/1.1"; empty for anything else.
std::string_view target_of(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  if (line.substr(0, 4) != "GET ") return {};
  const std::string_view rest = line.substr(4);
  return rest.substr(0, rest.find(' '));
}

}  // namespace

// The socket, its connections and the clock of one login.
class LoopbackAgent::Listener {
 public:
  // Null if the port is taken.
  static Listener* open(LoopbackAgent& agent, std::uint16_t port) {
    auto* const listener = new Listener(agent);
    sockaddr_in address;
    uv_ip4_addr("127.0.0.1", port, &address);
    const bool listens = uv_tcp_bind(&listener->tcp_, reinterpret_cast<const sockaddr*>(&address), 0) == 0 &&
                         uv_listen(reinterpret_cast<uv_stream_t*>(&listener->tcp_), kBacklog, on_connection) == 0;
    if (listens) return listener;
    listener->close();
    return nullptr;
  }

  std::uint16_t port() {
    sockaddr_in address;
    int size = sizeof address;
    uv_tcp_getsockname(&tcp_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

  void start_timer(std::uint64_t timeout_ms) { uv_timer_start(&timer_, on_timeout, timeout_ms, 0); }

  // Nothing calls the agent afterwards. Answers that are being written still arrive.
  void close() {
    agent_ = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(&tcp_), on_closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&timer_), on_closed);
    for (Connection& connection : connections_) {
      if (!connection.answering && &connection != asking_) connection.close();
    }
  }

  // After close(): the browser that waits is shown how it ended. Call once, if one waits.
  void conclude(std::string page) { write(*std::exchange(asking_, nullptr), std::move(page)); }

 private:
  struct Connection {
    explicit Connection(Listener& owner) : listener(owner) {
      uv_tcp_init(owner.loop_, &tcp);
      tcp.data = this;
      write.data = this;
    }
    void close() {
      if (!uv_is_closing(handle())) uv_close(handle(), on_connection_closed);
    }
    uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&tcp); }
    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }

    Listener& listener;
    uv_tcp_t tcp;
    uv_write_t write;
    std::string head;
    std::string answer;
    bool answering = false;
    char buffer[4'096];
  };

  explicit Listener(LoopbackAgent& agent) : loop_(agent.loop_), agent_(&agent) {
    uv_tcp_init(loop_, &tcp_);
    uv_timer_init(loop_, &timer_);
    tcp_.data = timer_.data = this;
  }

  static void on_closed(uv_handle_t* handle) {
    auto* const listener = static_cast<Listener*>(handle->data);
    ++listener->closed_;
    listener->delete_if_done();
  }

  static void on_connection_closed(uv_handle_t* handle) {
    auto* const connection = static_cast<Connection*>(handle->data);
    Listener& listener = connection->listener;
    listener.connections_.remove_if([=](const Connection& other) { return &other == connection; });
    listener.delete_if_done();
  }

  void delete_if_done() {
    if (closed_ == 2 && connections_.empty()) delete this;
  }

  static void on_timeout(uv_timer_t* timer) {
    LoopbackAgent* const agent = static_cast<Listener*>(timer->data)->agent_;
    agent->finish(Error{"nobody agreed in the browser within " + std::to_string(agent->timeout_ms_ / 1'000) +
                        " s; if it showed an error, log out and try again: we are registered anew then"});
  }

  static void on_connection(uv_stream_t* server, int status) {
    auto* const listener = static_cast<Listener*>(server->data);
    if (status < 0) return;
    Connection& connection = listener->connections_.emplace_back(*listener);
    if (uv_accept(server, connection.stream()) != 0 ||
        uv_read_start(connection.stream(), on_buffer, on_read) != 0) {
      connection.close();
    }
    listener->make_room();
  }

  // Who has not asked anything for longest leaves: a browser asks at once.
  void make_room() {
    const auto here = [](Connection& each) { return !uv_is_closing(each.handle()); };
    if (std::count_if(connections_.begin(), connections_.end(), here) <= limits::kCallbackConnectionsMax) return;
    const auto idle = [&](Connection& each) { return here(each) && !each.answering && &each != asking_; };
    const auto found = std::find_if(connections_.begin(), connections_.end(), idle);
    if (found != connections_.end()) found->close();
  }

  static void on_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    auto* const connection = static_cast<Connection*>(handle->data);
    *buffer = uv_buf_init(connection->buffer, sizeof connection->buffer);
  }

  static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
    auto* const connection = static_cast<Connection*>(stream->data);
    if (size < 0) return connection->close();
    connection->head.append(buffer->base, static_cast<std::size_t>(size));
    const bool whole = connection->head.find("\r\n\r\n") != std::string::npos;
    if (!whole && connection->head.size() > limits::kCallbackBytesMax) return connection->close();
    if (whole) connection->listener.answer(*connection);
  }

  void answer(Connection& connection) {
    uv_read_stop(connection.stream());
    const std::string_view target = target_of(connection.head);
    const auto question = target.find('?');
    const bool ours = target.substr(0, question) == kPath && question != target.npos;
    const std::string query(ours ? target.substr(question + 1) : "");
    if (ours && agent_ && agent_->arrived(query)) {
      asking_ = &connection;
      agent_->asking_ = this;
      return agent_->finish(query);
    }
    write(connection, ours ? page("400 Bad Request", "This answer is not the one that Collet waits for.")
                           : page("404 Not Found", "There is nothing here."));
  }

  void write(Connection& connection, std::string page) {
    connection.answering = true;
    connection.answer = std::move(page);
    uv_buf_t bytes = uv_buf_init(connection.answer.data(), static_cast<unsigned>(connection.answer.size()));
    if (uv_write(&connection.write, connection.stream(), &bytes, 1, on_written) != 0) connection.close();
  }

  static void on_written(uv_write_t* write, int) { static_cast<Connection*>(write->data)->close(); }

  uv_loop_t* const loop_;
  LoopbackAgent* agent_;  // null once nobody waits
  uv_tcp_t tcp_;
  uv_timer_t timer_;
  std::list<Connection> connections_;
  Connection* asking_ = nullptr;  // waits for conclude(); nothing is read of it, so that it stays
  int closed_ = 0;                // of the two handles above
};

LoopbackAgent::LoopbackAgent(uv_loop_s* loop, std::function<void(const std::string&)> show)
    : loop_(loop), show_(std::move(show)), timeout_ms_(limits::kLoginTimeoutMs) {}

LoopbackAgent::~LoopbackAgent() {
  finish(Error{"the login was given up"});
  conclude(Error{"the login was given up"});
}

void LoopbackAgent::conclude(const Result<void>& outcome) {
  Listener* const asking = std::exchange(asking_, nullptr);
  if (!asking) return;
  asking->conclude(page("200 OK", outcome ? "You are logged in. You can close this window."
                                          : "The login has failed: " + escaped(outcome.message())));
}

Result<std::string> LoopbackAgent::redirect_uri(std::string_view preferred, std::uint16_t port) {
  if (listener_) return uri_;
  const std::optional<Url> before = parse_url(preferred);
  if (port != 0) {
    listener_ = Listener::open(*this, port);
    if (!listener_) {
      return Error{"port " + std::to_string(port) + " of 127.0.0.1 is taken; set auth.redirect_port to another"};
    }
  } else {
    if (before) listener_ = Listener::open(*this, before->port);
    if (!listener_) listener_ = Listener::open(*this, 0);
    if (!listener_) return Error{"no port of 127.0.0.1 can be listened on"};
  }
  listener_->start_timer(timeout_ms_);
  uri_ = "http://127.0.0.1:" + std::to_string(listener_->port()) + std::string(kPath);
  return uri_;
}

void LoopbackAgent::authorize(const std::string& url, const std::string& redirect_uri,
                              std::function<void(Result<std::string>)> done) {
  if (done_) return done(Error{"another login is under way; try again when it has ended"});
  if (!listener_ || redirect_uri != uri_) return done(Error{"nothing listens at " + redirect_uri + " any more"});
  const std::optional<Url> target = parse_url(url);
  const Result<Form> form = form_decode(target ? target->query : "");
  const std::string* const state = form ? find(*form, "state") : nullptr;
  if (!state) return done(Error{"the authorization URL has no state"});
  state_ = *state;
  done_ = std::move(done);
  show_(url);
}

bool LoopbackAgent::arrived(std::string_view query) {
  const Result<Form> form = form_decode(query);
  const std::string* const state = form ? find(*form, "state") : nullptr;
  return done_ && state && *state == state_;
}

void LoopbackAgent::finish(Result<std::string> result) {
  if (listener_) std::exchange(listener_, nullptr)->close();
  if (const auto done = std::exchange(done_, nullptr)) done(std::move(result));
}

}  // namespace collet::client::auth
