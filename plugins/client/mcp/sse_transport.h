// HTTP with SSE (2024-11-05): one event stream brings everything, each message goes out as a POST to the endpoint
// that the stream has named first.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/mcp/streamable_transport.h"
#include "client/mcp/transport.h"
#include "client/net/authorizer.h"
#include "client/net/event_stream.h"
#include "client/net/http.h"

namespace collet::client {

class SseTransport final : public Transport, private HttpSink {
 public:
  // All are borrowed; `authorizer` may be null. Opens the stream.
  SseTransport(Loop& loop, HttpClient& http, Authorizer* authorizer, HttpSettings settings,
               TransportListener& listener);
  ~SseTransport() override;

  // What is sent before the endpoint is known waits for it, too.
  void send(Outgoing message) override;
  void finish(RequestId id, bool) override;
  void set_version(Era, std::string_view) override {}
  // A request that was posted elsewhere, and is answered on the stream, unless refused() says why its POST is not taken.
  void adopt(RequestId id) { accepted_.insert(id); }
  void refused(RequestId id, const HttpEnd& end);
  // Whether what is sent is on its way at once; if not, `opened` of when_open() is called, later, when it is.
  bool open() const { return !endpoint_.empty() && !initializing_ && !down_; }
  void when_open(Task opened) { opened_ = std::move(opened); }
  // Where requests go; whose headers they have; and where the stream comes from.
  const std::string& url() const { return endpoint_; }
  const std::vector<HttpHeader>& headers() const { return settings_.headers; }
  const PeerAddress& address() const { return head_.address; }

 private:
  class Post;

  void open_stream();
  void transmit(Outgoing message);
  void start(std::uint64_t key, const Outgoing& message, std::vector<std::string> lines);
  void send_waiting();
  // Has `then` called with the headers of a request, unless this is destroyed before.
  void with_headers(std::string_view method, const std::string& url,
                    std::function<void(Result<std::vector<std::string>>)> then);
  void take(const Event& event);
  void go_down(std::string reason);
  void tell_down();

  void on_head(const HttpHead& head) override { head_ = head; }
  void on_body(std::string& body) override;
  void on_end(const HttpEnd& end, std::string& body) override;

  HttpClient& http_;
  Authorizer* const authorizer_;
  const HttpSettings settings_;
  TransportListener& listener_;
  HttpClient::Id stream_ = 0;
  HttpHead head_;
  EventStream events_;
  std::string endpoint_;
  bool initializing_ = false;  // the server has not taken notifications/initialized yet
  Task opened_;                // may be null
  std::vector<Outgoing> waiting_;
  std::map<std::uint64_t, std::unique_ptr<Post>> posts_;
  std::uint64_t last_post_ = 0;
  std::set<RequestId> accepted_;             // requests that the server has taken, to answer them on the stream
  std::vector<std::unique_ptr<Post>> done_;  // one of them may be running
  Timer later_;
  Timer opening_;  // until what waits for the server to be initialized is sent in any case
  unsigned challenges_ = 0;
  bool down_ = false;
  std::string why_down_;
  bool told_down_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // callbacks of others watch it by a weak_ptr
};

}  // namespace collet::client
