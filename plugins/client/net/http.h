// HTTP as a client: libcurl's multi interface on the client's loop. Connections are kept and shared by all remotes.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "client/net/challenge.h"
#include "client/net/fetch.h"
#include "client/net/loop.h"

namespace collet::client {

struct HttpRequest {
  std::string method = "POST";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  std::uint64_t timeout_ms = 0;  // of the whole exchange; 0: none
  bool repeatable = false;       // it may be sent again though the remote may have acted on it, as a GET may
  TlsPtr tls = {};
};

// Of who is at the other end of a connection: "127.0.0.1", "::1"; empty if it is not known.
struct PeerAddress {
  std::string ip;
  std::uint16_t port = 0;
  bool speaks_http_2 = false;
};

struct HttpHead {
  int status = 0;
  std::vector<HttpHeader> headers;
  PeerAddress address;

  // The first of that name (any case); data() is null if there is none.
  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

// How an exchange ended.
struct HttpEnd {
  bool whole = false;   // the response has come to its end
  bool sent = true;     // bytes of the request have left: the remote may have acted on it
  std::string message;  // why it is not whole
};

// The receiver of one response. Never called from inside start() or cancel().
class HttpSink {
 public:
  virtual void on_head(const HttpHead& head) = 0;
  // What has come and has not been taken out of `body` yet.
  virtual void on_body(std::string& body) = 0;
  // Last, and only if the exchange was not cancelled.
  virtual void on_end(const HttpEnd& end, std::string& body) = 0;

 protected:
  ~HttpSink() = default;
};

// Redirects are answers like any other. Proxies are those of the usual variables, but for this machine, which no
// proxy can reach.
class HttpClient final : public Fetcher {
 public:
  using Id = std::uint64_t;  // never 0

  // `user_agent` is what remotes are told. The loop is borrowed.
  HttpClient(Loop& loop, std::string user_agent);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  const std::string& user_agent() const { return user_agent_; }
  // Of requests that have none of their own.
  void set_tls(TlsPtr tls) { tls_ = std::move(tls); }
  const TlsPtr& tls() const { return tls_; }

  // `sink` is borrowed until on_end() or cancel().
  Id start(HttpRequest request, HttpSink& sink);
  void cancel(Id id);

  void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) override;
  // Calls back once, as soon as no fetch() is under way; possibly at once.
  void when_fetched(Task callback);

 private:
  struct Transfer;
  struct Socket;
  class Fetch;

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int on_timeout(CURLM*, long timeout_ms, void* self);
  static int on_close_socket(void* self, curl_socket_t fd);
  static int on_ready_to_send(void* transfer, char*, char*, int, int);
  void forget(curl_socket_t fd);
  void note_closing(curl_socket_t fd);
  static std::size_t on_header_line(char* bytes, std::size_t size, std::size_t count, void* transfer);
  static std::size_t on_body_bytes(char* bytes, std::size_t size, std::size_t count, void* transfer);

  CURL* take_easy();
  void set_up(Transfer& transfer);
  void turn(curl_socket_t fd, int events);
  void collect_ended();
  void deliver(Id id);
  std::unique_ptr<Transfer> remove(Id id);

  Loop& loop_;
  const std::string user_agent_;
  TlsPtr tls_ = std::make_shared<const Tls>();
  CURLM* const multi_;
  Timer timer_;
  std::unordered_map<Id, std::unique_ptr<Transfer>> transfers_;
  std::unordered_map<curl_socket_t, Socket*> sockets_;
  std::unordered_map<curl_socket_t, Id> waits_last_;  // whose transfer has waited for it last
  std::unordered_map<Id, std::unique_ptr<Fetch>> fetches_;
  Task when_fetched_;
  std::vector<CURL*> idle_;
  std::vector<Id> dirty_;  // transfers with something to deliver
  Id last_id_ = 0;
  bool turning_ = false;  // libcurl or a sink is running
  bool again_ = false;    // it has something new to begin
  bool ending_ = false;
};

}  // namespace collet::client
