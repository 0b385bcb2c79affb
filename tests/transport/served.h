// A server on a thread of its own, with a handler whose answers a test controls.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "transport/http.h"
#include "transport/request_memory.h"

namespace collet::test {

// Answers by path: /echo the body, /head the request as text, /large a body of as many bytes as the query says,
// /later when the test says so, /events an event stream that the test writes, /pieces an answer that it writes in pieces, /close with Connection: close from
// us. A request to /forbidden is refused by its header. One to /hold is held, and then refused, if it is released with "no", or
// else answered with its body. One to /streamed is left open, and its body follows as it comes, as many bytes as the query says; what
// is wrong with it is answered with its status, or ends the answer that the test has begun.
class ScriptedHandler final : public transport::HttpHandler {
 public:
  struct Open final : transport::HttpReplyObserver {
    void on_gone() override {
      const std::lock_guard lock(owner->mutex_);
      reply = nullptr;
      ++owner->gone_;
      owner->changed_.notify_all();
    }
    void on_sent() override {
      const std::lock_guard lock(owner->mutex_);
      ++owner->sent_;
      owner->changed_.notify_all();
    }
    void on_body(std::string_view bytes, bool last) override {
      const std::lock_guard lock(owner->mutex_);
      body += bytes;
      whole = last;
      owner->changed_.notify_all();
    }
    void on_body_failed(int status, std::string_view why) override {
      transport::HttpReply* to = std::exchange(reply, nullptr);
      begun ? to->abort() : to->respond(status, {}, {&why, 1});
      const std::lock_guard lock(owner->mutex_);
      ++owner->gone_;
      owner->changed_.notify_all();
    }
    ScriptedHandler* owner = nullptr;
    transport::HttpReply* reply = nullptr;
    std::string body;
    bool whole = true;
    bool begun = false;  // set by the test
  };

  void on_request(const transport::HttpRequest& request, transport::HttpReply& reply) override {
    ++requests_;
    for (const char* path : {"/later", "/events", "/pieces", "/streamed"}) {
      if (request.path == path) return leave_open(request, reply);
    }
    if (request.path == "/hold" && request.body_follows) return leave_open(request, reply);
    if (request.path == "/hold" && decides(request, reply)) return;
    std::string body(request.body);
    if (request.path == "/head") {
      body = std::string(request.method) + " " + std::string(request.query) + " " + std::string(request.host) +
             (request.secure ? " secure" : "") + (request.local ? " local" : "");
    } else if (request.path == "/large") {
      body.assign(std::stoul(std::string(request.query)), 'x');
    }
    const transport::Header field{"X-Test", request.header("X-Send")};
    const std::size_t half = body.size() / 2;
    const std::string_view pieces[] = {std::string_view(body).substr(0, half), std::string_view(body).substr(half)};
    reply.respond(request.path == "/nothing" ? 204 : 200, {&field, field.value.empty() ? 0u : 1u}, pieces);
  }

  bool refuses(const transport::HttpRequest& header, transport::HttpReply& reply, transport::HttpSender& sender) override {
    if (header.path == "/hold" && decides(header, reply)) return true;
    if (header.path == "/hold" && header.query.empty()) return false;
    if (header.path == "/streamed" || header.path == "/hold") sender.streamed_bytes_max = std::stoul(std::string(header.query));
    if (header.path != "/forbidden") return false;
    reply.respond(403, {}, {});
    return true;
  }

  // What "X-Send" says comes back with a refusal, too.
  void on_refusal(const transport::HttpRequest& request, std::vector<transport::Header>& headers) override {
    if (const auto value = request.header("X-Send"); value.data()) headers.push_back({"X-Test", value});
  }

  // Any thread: how many there have been.
  unsigned requests() const { return requests_; }

  // On the loop: the reply of the request that was left open or held as number `index`; null once its client has gone.
  Open& open(std::size_t index) { return *open_.at(index); }
  std::size_t opened() const { return open_.size(); }

  // Any thread: waits until so many requests have been left open or held, so many clients have gone.
  void await_open(std::size_t count) {
    await([&] { return open_.size() >= count; });
  }
  void await_gone(std::size_t count) {
    await([&] { return gone_ >= count; });
  }
  // Any thread: waits until so much of a body has come, or all of it; what has then.
  std::string await_body(std::size_t index, std::size_t bytes) {
    await([&] { return open_.size() > index && (open_[index]->whole || open_[index]->body.size() >= bytes); });
    const std::lock_guard lock(mutex_);
    return open_[index]->body;
  }
  std::string await_whole(std::size_t index) {
    await([&] { return open_.size() > index && open_[index]->whole; });
    return await_body(index, 0);
  }
  void await_sent(std::size_t count) {
    await([&] { return sent_ >= count; });
  }

 private:
  // Whether the request is held, or refused.
  bool decides(const transport::HttpRequest& request, transport::HttpReply& reply) {
    if (!request.known) {
      leave_open(request, reply);
      return true;
    }
    if (*static_cast<const std::string*>(request.known) != "no") return false;
    reply.respond(403, {}, {});
    return true;
  }

  void leave_open(const transport::HttpRequest& request, transport::HttpReply& reply) {
    const std::lock_guard lock(mutex_);
    auto open = std::make_unique<Open>();
    open->owner = this;
    open->reply = &reply;
    open->body = request.body;
    open->whole = !request.body_follows;
    reply.observe(open.get());
    if (request.path == "/hold" && !request.known) reply.hold();
    if (request.path == "/events") reply.begin_events({});
    if (request.path == "/pieces") reply.begin(206, {});
    open_.push_back(std::move(open));
    changed_.notify_all();
  }

  template <class Condition>
  void await(Condition condition) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(120), condition))
      throw std::runtime_error("waited in vain for the server");
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Open>> open_;
  std::size_t gone_ = 0;
  std::size_t sent_ = 0;
  std::atomic<unsigned> requests_ = 0;
};

class Served {
 public:
  explicit Served(transport::HttpLimits limits = {}, const std::string& url = "http://127.0.0.1:0",
                  std::shared_ptr<transport::TlsContext> tls = nullptr, transport::HttpServer* large = nullptr)
      : memory(std::make_shared<transport::RequestMemory>(limits.memory_bytes_max)),
        socket_(listen(url, std::move(tls))),
        server_(std::make_unique<transport::HttpServer>(loop_, limits, handler, memory)) {
    if (large) server_->send_large_to(*large);
    server_->listen(*socket_, 0);
    thread_ = std::thread([this] { loop_.run(); });
  }

  ~Served() {
    run([this] { server_.reset(); });
    loop_.stop();
    thread_.join();
  }

  std::uint16_t port() const { return socket_->address().port; }
  const transport::Address& address() const { return socket_->address(); }

  // Runs `task` on the loop and waits for it.
  template <class Task>
  std::invoke_result_t<Task&> run(Task task) {
    std::packaged_task<std::invoke_result_t<Task&>()> wrapped(std::move(task));
    auto done = wrapped.get_future();
    loop_.post([&wrapped] { wrapped(); });
    return done.get();
  }

  std::size_t connections() {
    return run([this] { return server_->connections(); });
  }
  transport::HttpServer& server() { return *server_; }
  void destroy_server() {
    run([this] { server_.reset(); });
  }

  ScriptedHandler handler;
  const std::shared_ptr<transport::RequestMemory> memory;

 private:
  static std::unique_ptr<transport::ListenSocket> listen(const std::string& url,
                                                         std::shared_ptr<transport::TlsContext> tls) {
    auto bound = transport::ListenSocket::bind(transport::Address::parse(url).value(), 1, std::move(tls));
    if (!bound) throw std::runtime_error(bound.message());
    return std::move(*bound);
  }

  loop::Loop loop_;
  std::unique_ptr<transport::ListenSocket> socket_;
  std::unique_ptr<transport::HttpServer> server_;
  std::thread thread_;
};

// Where connections with a large request go on: it accepts nobody itself. Outlives the one that sends them there.
class Aside {
 public:
  explicit Aside(transport::HttpLimits limits = {})
      : server_(std::make_unique<transport::HttpServer>(loop_, limits, handler)), thread_([this] { loop_.run(); }) {}
  ~Aside() {
    loop_.post([this] { server_.reset(); });
    loop_.stop();
    thread_.join();
  }

  transport::HttpServer& server() { return *server_; }

  ScriptedHandler handler;

 private:
  loop::Loop loop_;
  std::unique_ptr<transport::HttpServer> server_;
  std::thread thread_;
};

// Answers the request that came as number `index`, which has been left open.
inline void answer_later(Served& served, std::size_t index, std::string_view body) {
  served.run([&] { served.handler.open(index).reply->respond(200, {}, {&body, 1}); });
}

// Releases the request that is held as number `index`, if its client is still there.
inline void release(Served& served, std::size_t index, const std::string& known) {
  served.run([&] {
    auto& reply = served.handler.open(index).reply;
    if (reply) std::exchange(reply, nullptr)->release(std::make_shared<const std::string>(known));
  });
}

// An event of the stream that was begun for it, if its client is still there.
inline void send_event(Served& served, std::size_t index, std::string_view data) {
  served.run([&] {
    if (auto* reply = served.handler.open(index).reply) reply->event(data);
  });
}

// Of a body that follows as it comes: so many bytes are taken, if its client is still there.
inline void take_body(Served& served, std::size_t index, std::size_t bytes) {
  served.run([&] {
    if (auto* reply = served.handler.open(index).reply) reply->body_taken(bytes);
  });
}

inline std::string get(const std::string& path, const std::string& fields = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

inline std::string post(const std::string& path, const std::string& body, const std::string& fields = {}) {
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace collet::test
