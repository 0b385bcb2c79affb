#include "fetch/transfer.h"

#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/address.h"
#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"
#include "collet/kit/text.hpp"
#include "collet/kit/unread.hpp"
#include "fetch/libcurl.h"

namespace collet::fetch {
namespace {

using text::equals_ignoring_case;

constexpr const char* kLate = "it has not ended in time";

// How much earlier than we libcurl may find that so much time is over: it rounds, and its clock may be one that nobody corrects.
std::chrono::milliseconds clocks_apart(std::uint64_t ms) {
  return std::chrono::milliseconds(1 + std::min<std::uint64_t>(ms, limits::kTimeoutMsMax) / 1000);
}

Transfer::Clock::time_point after(std::uint64_t ms) {
  if (ms == 0) return Transfer::Clock::time_point::max();
  return Transfer::Clock::now() + std::chrono::milliseconds(std::min<std::uint64_t>(ms, limits::kTimeoutMsMax));
}

bool is_idempotent(std::string_view method) {
  for (const std::string_view known : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}) {
    if (method == known) return true;
  }
  return false;
}

bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

void erase_fields(Fields& fields, std::initializer_list<std::string_view> names) {
  std::erase_if(fields, [&](const Field& field) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return equals_ignoring_case(name, field.name); });
  });
}

// Null: what libcurl finds in the environment. It leaves HTTP_PROXY to programs that no request can make set it, such as this one.
const char* proxy_for(const Target& target) {
  if (target.is_loopback()) return "";
  return std::getenv("http_proxy") || target.scheme != "http" ? nullptr : std::getenv("HTTP_PROXY");
}

End ended_before(std::string message, bool sent = false) { return {.whole = false, .sent = sent, .message = std::move(message)}; }

}  // namespace

Transfer::Transfer(std::uint64_t id, Request request, Sink& sink, Shared& shared)
    : id_(id), request_(std::move(request)), sink_(sink), shared_(shared), until_(after(request_.timeout_ms)) {}

void Transfer::mark() {
  if (std::exchange(dirty_, true)) return;
  shared_.dirty.push_back(id_);
}

// hops

std::optional<End> Transfer::next_hop() {
  if (!std::exchange(begun_, true)) {
    if (auto good = check(request_); !good) return ended_before(good.message());
    target_ = std::move(*read_target(request_.url));
  } else if (auto end = follow()) {
    return end;
  }
  if (request_.grants && !request_.grants->name(target_) && !request_.grants->has_addresses()) {
    return End{.whole = false, .sent = sent_, .message = fmt::format("{} is not granted", target_.place()), .denied = target_.place()};
  }
  if (Clock::now() >= until_) return ended_before(kLate, sent_);
  return std::nullopt;
}

std::optional<End> Transfer::follow() {
  sent_ = true;
  auto next = resolve_target(target_, location_);
  if (!next) return ended_before("it leads on to where nobody can follow: " + next.message(), true);
  if (target_.scheme == "https" && next->scheme == "http") return ended_before("it leads from https to http, which is not followed", true);
  const int status = reader_.head().status;
  const bool turns_get = request_.method != "HEAD" && request_.method != "GET" && status <= 303;
  if (turns_get) {
    request_.method = "GET";
    request_.body.clear();
    erase_fields(request_.fields, {"Content-Type", "Content-Encoding", "Content-Language", "Content-Location"});
  }
  if (!target_.is_of_same_origin(*next)) erase_fields(request_.fields, {"Authorization", "Cookie"});
  target_ = std::move(*next);
  location_.clear();
  passed_ = 0;
  attempts_ = 0;
  issued_before_ = 0;
  unread_ = false;
  return std::nullopt;
}

void Transfer::set_up(CURL* easy) {
  easy_ = easy;
  done_ = false;
  reached_ = false;
  is_address_ = in_words(target_.host, target_.port).has_value();
  error_[0] = '\0';
  const auto ms = [](std::uint64_t value) { return static_cast<long>(std::min<std::uint64_t>(value, limits::kTimeoutMsMax)); };
  libcurl().easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  libcurl().easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // else a cancelled lookup of a name holds up the loop
  libcurl().easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  libcurl().easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  libcurl().easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  libcurl().easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  libcurl().easy_setopt(easy, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  libcurl().easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  libcurl().easy_setopt(easy, CURLOPT_BUFFERSIZE, static_cast<long>(limits::kFetchReadBytes));
  libcurl().easy_setopt(easy, CURLOPT_USERAGENT, shared_.options.user_agent.c_str());
  libcurl().easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // with it libcurl reads the authorities anew for each connection
  if (!shared_.options.ca_file.empty()) libcurl().easy_setopt(easy, CURLOPT_CAINFO, shared_.options.ca_file.c_str());
  libcurl().easy_setopt(easy, CURLOPT_FRESH_CONNECT, std::exchange(is_spoilt_, false) ? 1L : 0L);
  libcurl().easy_setopt(easy, CURLOPT_URL, target_.url.c_str());
  libcurl().easy_setopt(easy, CURLOPT_PROXY, proxy_for(target_));
  libcurl().easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   ms(request_.connect_timeout_ms ? request_.connect_timeout_ms : limits::kFetchConnectMs));
  if (until_ != Clock::time_point::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - Clock::now()).count();
    libcurl().easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(left, 1)));
  }
  set_method();
  set_fields();
  libcurl().easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header_line);
  libcurl().easy_setopt(easy, CURLOPT_HEADERDATA, this);
  libcurl().easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body_bytes);
  libcurl().easy_setopt(easy, CURLOPT_WRITEDATA, this);
  libcurl().easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  libcurl().easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  libcurl().easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready_to_send);
  libcurl().easy_setopt(easy, CURLOPT_PREREQDATA, this);
  libcurl().easy_setopt(easy, CURLOPT_ERRORBUFFER, error_);
  libcurl().easy_setopt(easy, CURLOPT_PRIVATE, this);
}

void Transfer::set_method() {
  const std::string& method = request_.method;
  if (method == "HEAD") {
    libcurl().easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    return;
  }
  const bool has_body = !request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
  if (has_body) {
    libcurl().easy_setopt(easy_, CURLOPT_POST, 1L);
    libcurl().easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.c_str());
    libcurl().easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  } else {
    libcurl().easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
  }
  libcurl().easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
}

void Transfer::set_fields() {
  lines_.clear();
  for (const Field& field : request_.fields) {
    const std::string_view value = kit::trimmed(field.value);
    lines_.push_back(value.empty() ? field.name + ";" : fmt::format("{}: {}", field.name, value));  // as libcurl wants it
  }
  lines_.emplace_back("Expect:");  // it would wait for 100 Continue
  if (!find_field(request_.fields, "Content-Type").data()) lines_.emplace_back("Content-Type:");  // it would make one up
  const bool unpacks = !find_field(request_.fields, "Accept-Encoding").data();
  reader_ = HeadReader(unpacks);
  if (unpacks) libcurl().easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  line_list_.resize(lines_.size());
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    line_list_[i] = {lines_[i].data(), i + 1 < lines_.size() ? &line_list_[i + 1] : nullptr};
  }
  libcurl().easy_setopt(easy_, CURLOPT_HTTPHEADER, line_list_.data());
}

CURL* Transfer::release() {
  sent_ = sent_ || may_have_sent();
  attempts_ = 0;
  return std::exchange(easy_, nullptr);
}

// what libcurl says

// Of each address that it tries.
curl_socket_t Transfer::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  sockaddr_storage wanted{};
  std::memcpy(&wanted, &address->addr, std::min<std::size_t>(address->addrlen, sizeof wanted));
  transfer.reached_ = true;
  if (!transfer.may_connect(in_words(wanted).value_or(""))) return CURL_SOCKET_BAD;
  transfer.denied_.clear();  // of another address of that name
  transfer.refusal_.clear();
  const int made = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (made >= 0) transfer.shared_.connections.insert(made);
  return made;
}

bool Transfer::may_connect(const std::string& address) {
  if (!request_.grants || request_.grants->name(target_) || request_.grants->contains(address)) return true;
  denied_ = target_.place();
  refusal_ = fmt::format("{}, which is {}, is not granted", denied_, address);
  return false;
}

// libcurl has a connection, perhaps one that was made for somebody else, and is about to send. It does so once more, of itself,
// when a connection that was used before has ended without a byte of an answer; the server may have acted on the request
// nevertheless.
int Transfer::on_ready_to_send(void* self, char* ip, char*, int port, int own_port) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.reached_ = true;
  const auto address = in_words(ip ? ip : "", static_cast<std::uint16_t>(port));
  if (!transfer.may_connect(address.value_or(""))) return CURL_PREREQFUNC_ABORT;
  transfer.denied_.clear();  // of another address of that name
  transfer.refusal_.clear();
  if (transfer.may_have_sent() && !is_idempotent(transfer.request_.method)) {
    transfer.refusal_ = "it has closed the connection without an answer";
    return CURL_PREREQFUNC_ABORT;
  }
  if (transfer.is_spoilt(static_cast<std::uint16_t>(own_port))) {
    transfer.is_spoilt_ = true;
    return CURL_PREREQFUNC_ABORT;  // which closes it
  }
  transfer.unread_ = false;
  ++transfer.attempts_;
  transfer.issued_before_ = transfer.issued();
  return CURL_PREREQFUNC_OK;
}

// A connection that was used before has something to read: what a server has said without being asked would be taken for the
// answer. libcurl looks at that itself from 8.1 on.
bool Transfer::is_spoilt(std::uint16_t own_port) const {
  long made = 0;
  libcurl().easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &made);
  if (made > 0) return false;
  for (const curl_socket_t connection : shared_.connections) {
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    if (getsockname(connection, reinterpret_cast<sockaddr*>(&own), &size) != 0) continue;
    const auto words = in_words(own);
    if (!words || !words->ends_with(fmt::format(":{}", own_port))) continue;
    pollfd readable{connection, POLLIN, 0};
    if (poll(&readable, 1, 0) != 0) return true;
  }
  return false;
}

std::size_t Transfer::issued() const {
  long bytes = 0;
  if (easy_) libcurl().easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &bytes);
  return static_cast<std::size_t>(bytes);
}

bool Transfer::may_have_sent() const { return attempts_ > 0 && issued() > issued_before_ && !unread_; }

void Transfer::note_closing(curl_socket_t socket) {
  if (attempts_ == 0 || reader_.whole() || reader_.head().status != 0) return;
  unread_ = kit::ended_unread(socket, issued() - issued_before_);
}

std::size_t Transfer::on_header_line(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    const bool was_whole = transfer.reader_.whole();
    transfer.reader_.take({bytes, size * count});
    if (const char* problem = transfer.reader_.problem()) {
      transfer.refusal_ = problem;
      return 0;
    }
    if (!was_whole && transfer.reader_.whole()) transfer.on_head();
  } catch (const std::bad_alloc&) {
    transfer.refusal_ = "there is no memory for its answer";
    return 0;
  }
  return size * count;
}

void Transfer::on_head() {
  Head& head = reader_.head();
  const std::string_view location = find_field(head.fields, "Location");
  if (is_redirect(head.status) && request_.redirects_max > 0 && !location.empty()) {
    if (++redirects_ > request_.redirects_max) {
      refusal_ = fmt::format("it leads on more than {} times", request_.redirects_max);
    } else {
      location_ = location;
    }
    return;
  }
  if (reader_.is_unpacked()) erase_fields(head.fields, {"Content-Encoding", "Content-Length"});
  head.url = target_.url;
  head_ready_ = true;
  mark();
}

std::size_t Transfer::on_body_bytes(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    return transfer.take_bytes({bytes, size * count});
  } catch (const std::bad_alloc&) {
    transfer.refusal_ = "there is no memory for its answer";
    return 0;
  }
}

std::size_t Transfer::take_bytes(std::string_view bytes) {
  if (!refusal_.empty()) return 0;
  if (!location_.empty()) {
    passed_ += bytes.size();
    return passed_ > limits::kFetchPassedBytesMax ? 0 : bytes.size();
  }
  if (!reader_.whole()) {
    refusal_ = "it has not answered in HTTP";
    return 0;
  }
  if (ahead_ >= limits::kFetchAheadBytesMax) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  received_ += bytes.size();
  if (request_.bytes_max > 0 && received_ > request_.bytes_max) {
    refusal_ = fmt::format("its answer is larger than {} bytes", request_.bytes_max);
    return 0;
  }
  body_ += bytes;
  ahead_ += bytes.size();
  mark();
  return bytes.size();
}

void Transfer::note_done(CURLcode code) {
  done_ = true;
  code_ = code;
  mark();
}

// what the sink is told

std::optional<Head> Transfer::take_head() {
  if (!std::exchange(head_ready_, false)) return std::nullopt;
  return std::move(reader_.head());
}

std::string Transfer::take_body() { return std::exchange(body_, {}); }

End Transfer::end() const {
  End end{.whole = code_ == CURLE_OK && reader_.whole() && refusal_.empty(), .sent = sent_ || may_have_sent()};
  if (end.whole) return end;
  end.looking_up = easy_ && code_ == CURLE_OPERATION_TIMEDOUT && !reached_ && !is_address_;
  end.denied = denied_;
  if (!refusal_.empty()) {
    end.message = refusal_;
  } else if (code_ == CURLE_OPERATION_TIMEDOUT && Clock::now() + clocks_apart(request_.timeout_ms) >= until_) {
    end.message = kLate;
  } else if (code_ == CURLE_GOT_NOTHING || (code_ == CURLE_RECV_ERROR && !reader_.whole())) {
    end.message = "it has closed the connection without an answer";
  } else if (code_ != CURLE_OK) {
    end.message = error_[0] ? error_ : libcurl().easy_strerror(code_);
  } else {
    end.message = "it has not answered in HTTP";
  }
  return end;
}

bool Transfer::taken(std::size_t bytes) {
  COLLET_ASSERT(bytes <= ahead_);
  ahead_ -= bytes;
  return paused_ && !done_ && ahead_ <= limits::kFetchAheadBytesMax / 2;
}

void Transfer::resume() {
  if (done_ || !std::exchange(paused_, false)) return;
  // It tells what it has kept back; what goes wrong with that it says here alone.
  if (const CURLcode code = libcurl().easy_pause(easy_, CURLPAUSE_CONT); code != CURLE_OK) note_done(code);
}

}  // namespace collet::fetch
