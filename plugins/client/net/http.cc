#include "client/net/http.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include <collet/kit/unread.hpp>

#include "client/limits.h"
#include "client/net/text.h"
#include "client/net/url.h"

namespace collet::client {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kIdleMax = 64;  // easy handles kept for the next request

CURLcode set_authorities(CURL*, void* context, void* authorities) {
  X509_STORE* const store = static_cast<const Authorities*>(authorities)->store();
  if (!store) return CURLE_OUT_OF_MEMORY;
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), store);
  return CURLE_OK;
}

bool libcurl_is_of_openssl() {
  const char* const library = curl_version_info(CURLVERSION_NOW)->ssl_version;
  return library && std::string_view(library).starts_with("OpenSSL");
}

// Borrows what `tls` has, for as long as the handle is used.
void set_up_tls(CURL* easy, const Tls& tls) {
  static const bool kIsOfOpenSsl = libcurl_is_of_openssl();  // else nobody is believed
  const auto path = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
  // libcurl would parse them for each connection, but for those of one file. A path that is theirs alone keeps it from
  // lending a connection, or a session of TLS, to a request that believes others. A proxy is judged by them as well: what
  // libcurl knows for proxies it would add to the store.
  for (const CURLoption file : {CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO}) curl_easy_setopt(easy, file, nullptr);
  for (const CURLoption folder : {CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH}) {
    curl_easy_setopt(easy, folder, tls.authorities->path().c_str());
  }
  if (kIsOfOpenSsl) curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, set_authorities);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, const_cast<Authorities*>(tls.authorities.get()));
  curl_easy_setopt(easy, CURLOPT_SSLCERT, path(tls.certificate));
  curl_easy_setopt(easy, CURLOPT_SSLKEY, path(tls.key));
  curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");  // OpenSSL would ask for one at the terminal
}

// Null: what libcurl finds in the environment. It leaves HTTP_PROXY to programs that no request can make set it,
// such as this one.
const char* proxy_for(const std::string& url) {
  const std::optional<Url> target = parse_url(origin_of(url));
  if (target && target->is_loopback()) return "";
  const bool has_own = std::getenv("http_proxy") || (target && target->scheme != "http");
  return has_own ? nullptr : std::getenv("HTTP_PROXY");
}

}  // namespace

struct HttpClient::Transfer {
  Id id = 0;
  HttpClient* client = nullptr;
  HttpSink* sink = nullptr;
  CURL* easy = nullptr;
  HttpRequest request;
  std::vector<curl_slist> header_list;  // points into `request`
  HttpHead head;
  std::string body;
  std::size_t header_bytes = 0;
  char error[CURL_ERROR_SIZE] = {};
  const char* refusal = nullptr;  // why we have ended it
  bool unread = false;            // the remote has closed the connection before it took any of the request
  bool head_whole = false;
  bool head_told = false;
  bool dirty = false;
  bool ended = false;
  CURLcode code = CURLE_OK;

  void on_head() {
    const char* ip = nullptr;
    long port = 0;
    long version = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &ip);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    head.address = {ip ? ip : "", static_cast<std::uint16_t>(port), version >= CURL_HTTP_VERSION_2_0};
    mark();
  }
  std::size_t sent() const {
    long bytes = 0;
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes);
    return static_cast<std::size_t>(bytes);
  }
  void mark() {
    if (std::exchange(dirty, true)) return;
    client->dirty_.push_back(id);
  }
};

// A descriptor's place in the event loop, as long as libcurl waits for it: of some it does not say when it closes them.
struct HttpClient::Socket {
  static void on_ready(uv_poll_t* poll, int status, int ready);

  uv_poll_t poll;
  HttpClient* client;
  curl_socket_t fd;
  int events = 0;  // that libcurl waits for
};

HttpClient::HttpClient(Loop& loop, std::string user_agent)
    : loop_(loop), user_agent_(std::move(user_agent)), multi_(curl_multi_init()), timer_(loop) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timeout);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(limits::kCallsInFlightMax));
}

HttpClient::~HttpClient() {
  ending_ = true;
  auto fetches = std::move(fetches_);
  while (!transfers_.empty()) cancel(transfers_.begin()->first);
  fetches.clear();  // tells who waits
  for (CURL* easy : idle_) curl_easy_cleanup(easy);
  turning_ = true;  // what closes now needs no turn
  curl_multi_cleanup(multi_);
  while (!sockets_.empty()) forget(sockets_.begin()->first);  // libcurl closes what did not connect without a word
}

int HttpClient::on_socket(CURL* easy, curl_socket_t fd, int what, void* data, void*) {
  auto& self = *static_cast<HttpClient*>(data);
  if (what == CURL_POLL_REMOVE) {
    self.forget(fd);
    return 0;
  }
  Socket*& socket = self.sockets_[fd];
  if (!socket) {
    socket = new Socket{.poll = {}, .client = &self, .fd = fd};
    socket->poll.data = socket;
    if (uv_poll_init_socket(self.loop_.uv(), &socket->poll, fd) != 0) {
      delete socket;
      self.sockets_.erase(fd);
      return -1;
    }
  }
  const Transfer* transfer = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
  self.waits_last_[fd] = transfer ? transfer->id : 0;  // libcurl has handles of its own
  socket->events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
  uv_poll_start(&socket->poll, socket->events, Socket::on_ready);
  return 0;
}

void HttpClient::Socket::on_ready(uv_poll_t* poll, int status, int ready) {
  const Socket& at = *static_cast<Socket*>(poll->data);
  int mask = 0;
  if (status < 0) {  // read to its end: an answer may have come before the connection was reset
    uv_poll_start(poll, at.events, on_ready);  // libuv has stopped it
    mask = CURL_CSELECT_IN | CURL_CSELECT_OUT;
  }
  if (ready & UV_READABLE) mask |= CURL_CSELECT_IN;
  if (ready & UV_WRITABLE) mask |= CURL_CSELECT_OUT;
  at.client->turn(at.fd, mask);
}

int HttpClient::on_timeout(CURLM*, long timeout_ms, void* data) {
  auto& self = *static_cast<HttpClient*>(data);
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
int HttpClient::on_close_socket(void* data, curl_socket_t fd) {
  auto& self = *static_cast<HttpClient*>(data);
  self.note_closing(fd);
  self.forget(fd);
  return close(fd);
}

void HttpClient::note_closing(curl_socket_t fd) {
  const auto last = waits_last_.extract(fd);
  const auto transfer = last ? transfers_.find(last.mapped()) : transfers_.end();
  if (transfer == transfers_.end() || transfer->second->header_bytes > 0) return;
  transfer->second->unread = kit::ended_unread(fd, transfer->second->sent());
}

// libcurl has a connection and is about to send. It does so once more, of itself, when a connection that was used
// before has ended without a byte of an answer; the remote may have acted on the request nevertheless.
int HttpClient::on_ready_to_send(void* data, char*, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(data);
  if (!transfer.request.repeatable && transfer.sent() > 0 && !transfer.unread) {
    transfer.refusal = "it has closed the connection without an answer";
    return CURL_PREREQFUNC_ABORT;
  }
  transfer.unread = false;
  return CURL_PREREQFUNC_OK;
}

void HttpClient::forget(curl_socket_t fd) {
  const auto found = sockets_.find(fd);
  if (found == sockets_.end()) return;
  kit::close_and_delete(found->second, found->second->poll);
  sockets_.erase(found);
}

std::size_t HttpClient::on_header_line(char* bytes, std::size_t size, std::size_t count, void* data) {
  auto& transfer = *static_cast<Transfer*>(data);
  const std::string_view line(bytes, size * count);
  transfer.header_bytes += line.size();
  if (transfer.header_bytes > limits::kHeaderBytesMax) {
    transfer.refusal = "its headers are too large";
    return 0;
  }
  if (transfer.head_whole) return line.size();  // a trailer
  if (line.starts_with("HTTP/")) {              // also after an interim response
    transfer.head.headers.clear();
  } else if (const std::string_view text = trimmed(line, kBlanks); text.empty()) {
    long status = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.head.status = static_cast<int>(status);
    transfer.head_whole = status >= 200;
    if (transfer.head_whole) transfer.on_head();
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    transfer.head.headers.push_back(
        {std::string(trimmed(text.substr(0, colon), kBlanks)), std::string(trimmed(text.substr(colon + 1), kBlanks))});
  }
  return line.size();
}

std::size_t HttpClient::on_body_bytes(char* bytes, std::size_t size, std::size_t count, void* data) {
  auto& transfer = *static_cast<Transfer*>(data);
  if (transfer.body.size() + size * count > limits::kMessageBytesMax) {
    transfer.refusal = "its answer is too large";
    return 0;
  }
  try {
    transfer.body.append(bytes, size * count);
  } catch (const std::bad_alloc&) {
    transfer.refusal = "there is no memory for its answer";
    return 0;
  }
  transfer.mark();
  return size * count;
}

CURL* HttpClient::take_easy() {
  CURL* easy = nullptr;
  if (idle_.empty()) {
    easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent_.c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits::kConnectMs));
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header_line);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body_bytes);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready_to_send);
  } else {
    easy = idle_.back();
    idle_.pop_back();
  }
  return easy;
}

void HttpClient::set_up(Transfer& transfer) {
  HttpRequest& request = transfer.request;
  CURL* easy = transfer.easy;
  if (request.method != "POST") request.repeatable = true;
  request.headers.emplace_back("Expect:");  // libcurl would wait for 100 Continue
  transfer.header_list.resize(request.headers.size());
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    transfer.header_list[i] = {request.headers[i].data(),
                               i + 1 < request.headers.size() ? &transfer.header_list[i + 1] : nullptr};
  }
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.header_list.data());
  if (request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  } else {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method == "GET" ? nullptr : request.method.c_str());
  }
  if (!request.tls) request.tls = tls_;  // of which libcurl borrows
  set_up_tls(easy, *request.tls);
  curl_easy_setopt(easy, CURLOPT_PROXY, proxy_for(request.url));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
}

HttpClient::Id HttpClient::start(HttpRequest request, HttpSink& sink) {
  auto owned = std::make_unique<Transfer>();
  Transfer& transfer = *owned;
  transfer.id = ++last_id_;
  transfer.client = this;
  transfer.sink = &sink;
  transfer.request = std::move(request);
  transfer.easy = take_easy();
  set_up(transfer);
  transfers_.emplace(transfer.id, std::move(owned));
  // Has the timer fire at once, which begins the transfer in a turn of its own.
  curl_multi_add_handle(multi_, transfer.easy);
  return transfer.id;
}

void HttpClient::cancel(Id id) {
  if (transfers_.contains(id)) remove(id);
}

// Where no sink hears of it any more.
std::unique_ptr<HttpClient::Transfer> HttpClient::remove(Id id) {
  const auto found = transfers_.find(id);
  std::unique_ptr<Transfer> transfer = std::move(found->second);
  transfers_.erase(found);
  curl_multi_remove_handle(multi_, transfer->easy);
  if (idle_.size() < kIdleMax) {
    curl_easy_setopt(transfer->easy, CURLOPT_ERRORBUFFER, nullptr);
    idle_.push_back(transfer->easy);
  } else {
    curl_easy_cleanup(transfer->easy);
  }
  return transfer;
}

// libcurl may not be entered from its own callbacks: these only note what has come, and sinks are told in between.
void HttpClient::turn(curl_socket_t fd, int events) {
  if (turning_) {
    again_ = true;
    return;
  }
  turning_ = true;
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  do {
    collect_ended();
    std::vector<Id> dirty = std::exchange(dirty_, {});
    for (const Id id : dirty) deliver(id);
    if (!std::exchange(again_, false)) continue;
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    collect_ended();
  } while (!dirty_.empty() || again_);
  turning_ = false;
}

void HttpClient::collect_ended() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    transfer->ended = true;
    transfer->code = message->data.result;
    transfer->mark();
  }
}

void HttpClient::deliver(Id id) {
  // Looked up anew after each word to the sink, which may cancel.
  auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  found->second->dirty = false;
  if (found->second->head_whole && !std::exchange(found->second->head_told, true)) {
    found->second->sink->on_head(found->second->head);
    found = transfers_.find(id);
    if (found == transfers_.end()) return;
  }
  if (!found->second->ended) {
    if (found->second->head_told && !found->second->body.empty()) {
      found->second->sink->on_body(found->second->body);
    }
    return;
  }
  const bool sent = found->second->sent() > 0 && !found->second->unread;
  const std::unique_ptr<Transfer> transfer = remove(id);
  HttpEnd end{.whole = transfer->code == CURLE_OK && transfer->head_whole, .sent = sent, .message = {}};
  if (transfer->refusal) {
    end.message = transfer->refusal;
  } else if (transfer->code != CURLE_OK) {
    end.message = transfer->error[0] ? transfer->error : curl_easy_strerror(transfer->code);
  } else if (!transfer->head_whole) {  // 101, which nobody has asked for
    end.message = "it has not answered in HTTP";
  }
  transfer->sink->on_end(end, transfer->body);
}

// One fetch() under way.
class HttpClient::Fetch final : public HttpSink {
 public:
  Fetch(HttpClient& client, std::string what, std::function<void(Result<FetchResponse>)> done)
      : client_(client), what_(std::move(what)), done_(std::move(done)) {}
  ~Fetch() {
    if (done_) done_(Error{what_ + ": the client is being unloaded"});
  }

  Id id = 0;

  void on_head(const HttpHead& head) override {
    response_.status = head.status;
    response_.headers = head.headers;
  }
  void on_body(std::string& body) override {
    if (body.size() <= limits::kFetchBytesMax) return;
    client_.cancel(id);
    finish(Error{what_ + ": the answer is larger than " + std::to_string(limits::kFetchBytesMax) + " bytes"});
  }
  void on_end(const HttpEnd& end, std::string& body) override {
    if (!end.whole) return finish(Error{what_ + ": " + end.message});
    if (body.size() > limits::kFetchBytesMax) {
      return finish(
          Error{what_ + ": the answer is larger than " + std::to_string(limits::kFetchBytesMax) + " bytes"});
    }
    response_.body = std::move(body);
    finish(std::move(response_));
  }

 private:
  void finish(Result<FetchResponse> result) {
    const auto self = client_.fetches_.extract(id);
    const auto done = std::exchange(done_, nullptr);
    done(std::move(result));
    if (client_.fetches_.empty() && client_.when_fetched_) std::exchange(client_.when_fetched_, nullptr)();
  }

  HttpClient& client_;
  const std::string what_;
  std::function<void(Result<FetchResponse>)> done_;
  FetchResponse response_;
};

void HttpClient::fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) {
  if (ending_) return done(Error{"the client is being unloaded"});  // who was told so asks elsewhere
  HttpRequest out{.method = std::move(request.method),
                  .url = std::move(request.url),
                  .headers = {},
                  .body = std::move(request.body),
                  .timeout_ms = limits::kFetchMs,
                  .tls = std::move(request.tls)};
  for (const HttpHeader& header : request.headers) out.headers.push_back(header.name + ": " + header.value);
  auto fetch =
      std::make_unique<Fetch>(*this, "cannot " + out.method + " " + redact_url(out.url), std::move(done));
  Fetch& running = *fetch;
  running.id = start(std::move(out), running);
  fetches_.emplace(running.id, std::move(fetch));
}

void HttpClient::when_fetched(Task callback) {
  if (fetches_.empty()) return callback();
  when_fetched_ = std::move(callback);
}

}  // namespace collet::client
