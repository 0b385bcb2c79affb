// Streamable HTTP, both eras: each message is a POST, answered as JSON or as an event stream. A legacy stream that
// breaks off is resumed by Last-Event-ID.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/mcp/http_message.h"
#include "client/mcp/transport.h"
#include "client/net/authorizer.h"
#include "client/net/http.h"
#include "client/net/loop.h"

namespace collet::client {

// How a response stream has ended that was read elsewhere.
struct CarriedEnd {
  HttpEnd end;
  std::string last_event_id;  // empty: it cannot be resumed
  std::optional<std::uint64_t> retry_ms;
};

struct HttpSettings {
  std::string url;
  std::vector<HttpHeader> headers;  // of every request
  TlsPtr tls = {};
};

class StreamableTransport final : public Transport {
 public:
  // All are borrowed; `authorizer` may be null.
  StreamableTransport(Loop& loop, HttpClient& http, Authorizer* authorizer, HttpSettings settings,
                      TransportListener& listener);
  ~StreamableTransport() override;

  void send(Outgoing message) override;
  void finish(RequestId id, bool answered) override;
  void set_version(Era era, std::string_view version) override;
  // The response to a request comes elsewhere, from where carried() tells each message of it and carried_end() its end. `let_go` is
  // called once, when none of it is wanted any more.
  void adopt(Outgoing request, std::function<void()> let_go);
  void carried(RequestId id, std::string_view text);
  void carried_end(RequestId id, const CarriedEnd& end);
  // Whether what is sent is on its way at once; if not, `opened` of when_open() is called, later, when it is.
  bool open() const { return !holding_; }
  void when_open(Task opened) { opened_ = std::move(opened); }
  // Where requests go now, after redirects; who says so; and where the last response has come from.
  const std::string& url() const { return url_; }
  const Sender& sender() const { return sender_; }
  const PeerAddress& address() const { return address_; }
  bool finish_cancels() const override { return sender_.era == Era::modern; }

 private:
  class Exchange;
  using Key = std::uint64_t;  // a RequestId, or one above all of them

  Key next_key() { return ++last_key_; }
  void start(Key key, std::unique_ptr<Exchange> exchange);
  void open_side_stream();
  void send_held();
  std::vector<std::string> header_lines(const Outgoing& message, bool post) const;
  void drop(Key key);

  Loop& loop_;
  HttpClient& http_;
  Authorizer* const authorizer_;
  std::string url_;
  const TlsPtr tls_;
  TransportListener& listener_;
  Sender sender_;
  PeerAddress address_;
  std::map<Key, std::unique_ptr<Exchange>> exchanges_;
  std::vector<std::unique_ptr<Exchange>> dropped_;  // one of them may be running
  Timer sweep_;
  Key last_key_ = Key{1} << 63;
  Key initialized_ = 0;  // the notification
  Key side_stream_ = 0;
  bool holding_ = false;  // what is sent waits in held_
  Task opened_;           // may be null
  std::vector<Outgoing> held_;
  Timer opening_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // callbacks of others watch it by a weak_ptr
};

}  // namespace collet::client
