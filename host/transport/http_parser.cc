#include "transport/http_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>
#include <limits>

#include "base/assert.h"
#include "base/text.h"
#include "collet/kit/text.hpp"
#include "transport/field_list.h"

namespace collet::transport {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

bool begins_token(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c));
}

// A Host that could be read as anything else than host[:port] is refused.
bool is_host(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f && c != '/' && c != '\\' && c != '?' && c != '#' && c != '@' && c != ',' &&
           c != '"' && c != '<' && c != '>';
  });
}

// HTTP/d.d at the end of the request line: a version that we do not speak, not garbage.
bool names_version(const char* bytes, std::size_t size) {
  const char* end = static_cast<const char*>(std::memchr(bytes, '\r', size));
  if (!end || end - bytes < 9) return false;
  const std::string_view version(end - 9, 9);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version == " HTTP/1.1" || version == " HTTP/1.0") return false;  // what is wrong is before it
  return version.substr(0, 6) == " HTTP/" && is_digit(version[6]) && version[7] == '.' && is_digit(version[8]);
}

}  // namespace

// Reads one complete header block into the parser's fields. Lives on the stack for that: Beast would keep state for
// bodies too, but its chunk reader asserts on input that a peer can send and bounds no chunk extension.
class HttpParser::HeaderReader final : public http::basic_parser<true> {
 public:
  HeaderReader(HttpParser& parser, const char* bytes) : parser_(parser), bytes_(bytes) {
    header_limit(std::numeric_limits<std::uint32_t>::max());  // both limits are the parser's own business
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  Status read() {
    beast::error_code ec;
    put(boost::asio::const_buffer(bytes_, parser_.header_bytes_), ec);
    if (parser_.error_status_ != 0) return Status::failed;
    if (ec == http::error::bad_version && names_version(bytes_, parser_.header_bytes_))
      return parser_.fail(505, "this server speaks HTTP/1.1 and HTTP/1.0");
    if (ec || !is_header_done()) return parser_.fail(400, "malformed request header");
    parser_.keep_alive_ = keep_alive();
    return check();
  }

 private:
  // What must hold of the header as a whole.
  Status check() {
    if (!first_host_.data() && !parser_.http_1_0_) return parser_.fail(400, "a request needs a Host header");
    if (transfer_encodings_ > 1 || content_lengths_ > 1 || (transfer_encodings_ > 0 && content_lengths_ > 0))
      return parser_.fail(400, "the length of the body is stated more than once");
    if (transfer_encodings_ > 0 && parser_.http_1_0_) return parser_.fail(400, "HTTP/1.0 has no transfer codings");
    if (transfer_encodings_ > 0 && !parser_.chunked_)
      return parser_.fail(501, "no other transfer coding than chunked is supported");
    if (bad_expectation_) return parser_.fail(417, "no other expectation than 100-continue is supported");
    if (content_lengths_ > 0) {
      const std::uint64_t length = content_length().value_or(0);
      const HttpLimits& limits = *parser_.limits_;
      parser_.oversized_ = length > limits.body_bytes_max;
      if (parser_.oversized_ && length > limits.streamed_bytes_max) return parser_.fail(413, kBodyTooLarge);
      parser_.content_length_ = length;
    }
    return Status::complete;
  }

  Span span(std::string_view text) const {
    return {static_cast<std::uint32_t>(text.data() - bytes_), static_cast<std::uint32_t>(text.size())};
  }

  void refuse(int status, std::string_view text, beast::error_code& ec) {
    parser_.fail(status, text);
    ec = http::error::bad_value;
  }

  // origin-form, absolute-form of http, or *.
  void on_request_impl(http::verb, beast::string_view method, beast::string_view whole, int version,
                       beast::error_code& ec) override {
    parser_.http_1_0_ = version == 10;
    parser_.method_ = span(view(method));
    std::string_view target = view(whole);
    if (target.size() > parser_.limits_->target_bytes_max) return refuse(414, "the request target is too long", ec);
    if (target.find('#') != target.npos) return refuse(400, "a request target has no fragment", ec);
    for (const std::string_view scheme : {"http://", "https://"}) {
      if (!text::equals_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
      target.remove_prefix(scheme.size());
      const std::string_view host = target.substr(0, target.find_first_of("/?"));
      if (host.empty() || !is_host(host)) return refuse(400, "malformed host in the request target", ec);
      target.remove_prefix(host.size());
      parser_.host_ = span(host);
      absolute_ = true;
      break;
    }
    if (!absolute_ && target != "*" && target.front() != '/') return refuse(400, "malformed request target", ec);
    const std::size_t mark = target.find('?');
    parser_.path_ = span(target.substr(0, mark));
    parser_.query_ = mark == target.npos ? Span{} : span(target.substr(mark + 1));
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     beast::error_code& ec) override {
    if (parser_.fields_.size() == parser_.limits_->header_count_max)
      return refuse(431, "too many header fields", ec);
    parser_.index_.note(view(name), parser_.fields_.size());
    parser_.fields_.push_back({span(view(name)), span(view(value))});
    switch (field) {
      case http::field::host:
        return on_host(view(value), ec);
      case http::field::content_length:
        ++content_lengths_;
        if (view(value).find(',') != std::string_view::npos) ++content_lengths_;
        break;
      case http::field::transfer_encoding:
        ++transfer_encodings_;
        parser_.chunked_ = text::equals_ignoring_case(view(value), "chunked");
        break;
      case http::field::expect:
        if (parser_.http_1_0_) break;
        if (text::equals_ignoring_case(view(value), "100-continue")) {
          parser_.expect_continue_ = true;
        } else {
          bad_expectation_ = true;
        }
        break;
      default:
        break;
    }
  }

  // Copies that say the same leave no doubt, whoever has made them.
  void on_host(std::string_view value, beast::error_code& ec) {
    FieldList copies(value);
    std::optional<std::string_view> copy = copies.next().value_or(value.substr(0, 0));
    for (; copy; copy = copies.next()) {
      if (!is_host(*copy)) return refuse(400, "malformed Host header", ec);
      if (!first_host_.data()) first_host_ = *copy;
      if (!text::equals_ignoring_case(*copy, first_host_)) return refuse(400, "the Host headers differ", ec);
    }
    if (!absolute_) parser_.host_ = span(first_host_);
  }

  void on_header_impl(beast::error_code&) override {}
  void on_finish_impl(beast::error_code&) override {}

  // Bodies are never put() here.
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
  std::size_t on_body_impl(beast::string_view, beast::error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, beast::error_code&) override { return 0; }

  HttpParser& parser_;
  const char* bytes_;
  std::string_view first_host_;  // data() is null if there is none
  unsigned content_lengths_ = 0;
  unsigned transfer_encodings_ = 0;
  bool absolute_ = false;
  bool bad_expectation_ = false;
};

HttpParser::HttpParser(const HttpLimits& limits) : chunks_(limits.body_bytes_max) { heed(limits); }

void HttpParser::heed(const HttpLimits& limits) {
  COLLET_ASSERT(limits.header_count_max <= HeaderIndex::kPositionMax);
  limits_ = &limits;
}

void HttpParser::reset() {
  fields_.clear();
  scanned_ = header_bytes_ = content_length_ = consumed_ = 0;
  error_status_ = 0;
  host_ = {};
  phase_ = Phase::start;
  index_.clear();
  chunked_ = oversized_ = expect_continue_ = header_new_ = false;
  chunks_ = ChunkDecoder(limits_->body_bytes_max);
}

HttpParser::Status HttpParser::parse(char* bytes, std::size_t& size) {
  COLLET_ASSERT(error_status_ == 0);
  if (phase_ == Phase::start) {
    if (const Status status = skip_empty_lines(bytes, size); status != Status::complete) return status;
    phase_ = Phase::lines;
  }
  if (phase_ == Phase::lines) {
    if (const Status status = find_header_end(bytes, size); status != Status::complete) return status;
    if (read_header(bytes) == Status::failed) return Status::failed;
    phase_ = Phase::body;
    header_new_ = true;
  }
  return phase_ == Phase::whole ? complete(bytes, content_length_) : read_body(bytes, size);
}

bool HttpParser::take_expect_continue() { return phase_ == Phase::body && std::exchange(expect_continue_, false); }

// RFC 9112 §2.2: empty lines before a request are ignored.
HttpParser::Status HttpParser::skip_empty_lines(char* bytes, std::size_t& size) {
  std::size_t skipped = 0;
  while (size - skipped >= 2 && bytes[skipped] == '\r' && bytes[skipped + 1] == '\n') skipped += 2;
  if (skipped > 0) {
    size -= skipped;
    std::memmove(bytes, bytes + skipped, size);
  }
  if (size == 0 || (size == 1 && bytes[0] == '\r')) return Status::need_more;
  // Something else than HTTP, such as a TLS handshake, is told so at once.
  return begins_token(bytes[0]) ? Status::complete : fail(400, "this is not an HTTP request");
}

HttpParser::Status HttpParser::find_header_end(const char* bytes, std::size_t size) {
  const std::size_t visible = std::min(size, limits_->header_bytes_max);
  for (;;) {
    const char* line = bytes + scanned_;
    const char* end = static_cast<const char*>(std::memchr(line, '\n', visible - scanned_));
    if (!end) break;
    if (end == line || end[-1] != '\r') return fail(400, "a header line ends in a bare line feed");
    if (scanned_ > 0 && (*line == ' ' || *line == '\t')) return fail(400, "a header line is folded");
    scanned_ = static_cast<std::size_t>(end + 1 - bytes);
    if (end - line == 1) {
      header_bytes_ = scanned_;
      return Status::complete;
    }
  }
  if (visible < limits_->header_bytes_max) return Status::need_more;
  return scanned_ == 0 ? fail(414, "the request target is too long") : fail(431, "the request header is too large");
}

HttpParser::Status HttpParser::read_header(const char* bytes) { return HeaderReader(*this, bytes).read(); }

HttpParser::Status HttpParser::read_body(char* bytes, std::size_t& size) {
  if (size > header_bytes_) expect_continue_ = false;
  if (oversized_) return Status::need_more;
  if (!chunked_) {
    if (size - header_bytes_ < content_length_) return Status::need_more;
    consumed_ = header_bytes_ + content_length_;
    return complete(bytes, content_length_);
  }
  char* out = bytes + header_bytes_ + content_length_;
  char* in = out;
  const ChunkDecoder::Status status = chunks_.decode(in, bytes + size, out);
  content_length_ = static_cast<std::size_t>(out - bytes) - header_bytes_;
  switch (status) {
    case ChunkDecoder::Status::need_more:
      size = header_bytes_ + content_length_;
      return Status::need_more;
    case ChunkDecoder::Status::complete:
      consumed_ = static_cast<std::size_t>(in - bytes);
      return complete(bytes, content_length_);
    case ChunkDecoder::Status::too_large:
      if (!header_new_ || limits_->streamed_bytes_max <= limits_->body_bytes_max) return fail(413, kBodyTooLarge);
      oversized_ = true;  // what its sender may send is to be found out
      std::memmove(out, in, static_cast<std::size_t>(bytes + size - in));
      size -= static_cast<std::size_t>(in - out);
      return Status::need_more;
    case ChunkDecoder::Status::malformed:
      break;
  }
  return fail(400, kMalformedChunk);
}

std::optional<HttpParser::BegunBody> HttpParser::begin_body(std::span<char> bytes, std::size_t bytes_max) {
  const std::span<char> content = bytes.subspan(header_bytes_);
  if (!chunked_) {
    if (content_length_ > bytes_max) return std::nullopt;
    return BegunBody{HttpBody(content_length_), {}, content};
  }
  if (!chunks_.allow(bytes_max)) return std::nullopt;
  return BegunBody{HttpBody(chunks_), {content.data(), content_length_}, content.subspan(content_length_)};
}

const HttpRequest& HttpParser::header(const char* bytes) {
  describe(bytes);
  request_.body = {};
  return request_;
}

HttpParser::Status HttpParser::complete(const char* bytes, std::size_t body_bytes) {
  phase_ = Phase::whole;
  describe(bytes);
  request_.body = {bytes + header_bytes_, body_bytes};
  return Status::complete;
}

void HttpParser::describe(const char* bytes) {
  const auto text = [bytes](Span span) { return std::string_view(bytes + span.at, span.bytes); };
  headers_.resize(fields_.size());
  for (std::size_t i = 0; i < fields_.size(); ++i) headers_[i] = {text(fields_[i].name), text(fields_[i].value)};
  request_.method = text(method_);
  request_.path = text(path_);
  request_.query = text(query_);
  request_.host = text(host_);
  request_.headers = headers_;
  request_.index = &index_;
  request_.repeats = index_.repeats();
}

const HttpRequest& HttpParser::salvage(std::string_view bytes) {
  headers_.clear();
  request_ = {};
  for (std::size_t end; (end = bytes.find('\n')) != bytes.npos; bytes.remove_prefix(end + 1)) {
    std::string_view line = bytes.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() && !headers_.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == line.npos || line.find(' ') < colon) continue;  // the request line, or nothing that we know
    headers_.push_back({line.substr(0, colon), kit::trimmed(line.substr(colon + 1))});
  }
  request_.headers = headers_;
  if (const auto host = request_.stated("host"); host.value.data() && host.agreed) request_.host = host.value;
  return request_;
}

HttpParser::Status HttpParser::fail(int status, std::string_view text) {
  error_status_ = status;
  error_text_ = text;
  return Status::failed;
}

}  // namespace collet::transport
