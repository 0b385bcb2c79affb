// HTTP/1.1 requests out of bytes: no I/O, no allocation per request.
//
// Strict where leniency would let two parties disagree about where a request ends (RFC 9112 §11.2): Content-Length
// with Transfer-Encoding, a repeated Content-Length, a transfer coding in HTTP/1.0, folded header lines, bare line
// feeds, blanks before a colon, no Host header or several that differ are all 400. After a failure nothing more can
// be read from a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/chunked.h"
#include "transport/header_index.h"
#include "transport/http.h"
#include "transport/http_body.h"

namespace collet::transport {

inline constexpr std::string_view kBodyTooLarge = "the body is too large";
inline constexpr std::string_view kMalformedChunk = "malformed chunk";

class HttpParser {
 public:
  enum class Status : std::uint8_t { need_more, complete, failed };

  explicit HttpParser(const HttpLimits& limits);  // `limits` outlives the parser
  explicit HttpParser(HttpLimits&&) = delete;
  // From now on it is others that outlive the parser.
  void heed(const HttpLimits& limits);

  // `bytes` is what has come of a request since its first byte and not been erased; further calls pass the same
  // bytes, perhaps at another place, and more. The parser may change them and may shorten them (chunk framing,
  // empty lines before a request): `size` is what is left, 0 if no request has begun. How the bytes were split
  // makes no difference to the outcome. A whole request may be asked for again until reset(), from wherever its bytes are
  // by then.
  Status parse(char* bytes, std::size_t& size);

  // After `complete`. The request borrows the bytes; the next request starts at `consumed`.
  HttpRequest& request() { return request_; }
  std::size_t consumed() const { return consumed_; }

  // Likewise, and once the header is complete.
  bool keep_alive() const { return keep_alive_; }
  bool is_http_1_0() const { return http_1_0_; }

  // After `need_more`.
  bool header_complete() const { return phase_ == Phase::body; }
  // Once for each request of which that is all that has come.
  bool take_header() { return phase_ == Phase::body && std::exchange(header_new_, false); }
  // Once more.
  void put_header_back() { header_new_ = true; }
  // The request without its body. Borrows the bytes until the next call.
  const HttpRequest& header(const char* bytes);
  // Once for each request whose sender waits for "100 Continue" before it sends the body.
  bool take_expect_continue();
  // Its body is larger than HttpLimits::body_bytes_max, and not than streamed_bytes_max. Nothing more of it is read here.
  bool is_oversized() const { return oversized_; }
  // The body is taken out of the bytes elsewhere from now on, and the request is done with here, but for reset(). `bytes` are those that
  // parse() has left. Nothing if the body is known to have more than `bytes_max`.
  struct BegunBody {
    HttpBody body;
    std::string_view begun;  // what has come of it, without framing
    std::span<char> rest;    // what has come behind that
  };
  std::optional<BegunBody> begin_body(std::span<char> bytes, std::size_t bytes_max);
  // How many bytes there will be at least, once the header is complete.
  std::size_t size_hint() const { return phase_ == Phase::body && !chunked_ ? header_bytes_ + content_length_ : 0; }

  // After `failed`.
  int error_status() const { return error_status_; }
  std::string_view error_text() const { return error_text_; }

  // Of a request that failed or has not come to its end: the headers whose lines are whole, and the host if there
  // is one. For who has to answer nevertheless; nothing more of it is to be believed.
  const HttpRequest& salvage(std::string_view bytes);

  // Forgets the request; the next call of parse() starts a new one.
  void reset();

 private:
  enum class Phase : std::uint8_t { start, lines, body, whole };

  // Offsets, since the bytes may move while the body comes.
  struct Span {
    std::uint32_t at = 0;
    std::uint32_t bytes = 0;
  };
  struct Field {
    Span name;
    Span value;
  };
  class HeaderReader;  // Beast's parser; see the source

  Status skip_empty_lines(char* bytes, std::size_t& size);
  Status find_header_end(const char* bytes, std::size_t size);
  Status read_header(const char* bytes);
  Status read_body(char* bytes, std::size_t& size);
  Status complete(const char* bytes, std::size_t body_bytes);
  void describe(const char* bytes);
  Status fail(int status, std::string_view text);

  const HttpLimits* limits_;
  HttpRequest request_;
  std::vector<Field> fields_;
  HeaderIndex index_;
  std::vector<Header> headers_;
  Span method_, path_, query_, host_;
  ChunkDecoder chunks_;
  std::size_t scanned_ = 0;         // lines before this are known to end in \r\n
  std::size_t header_bytes_ = 0;    // with the empty line
  std::size_t content_length_ = 0;  // of a chunked body: what has been decoded
  std::size_t consumed_ = 0;
  std::string_view error_text_;
  int error_status_ = 0;
  Phase phase_ = Phase::start;
  bool keep_alive_ = false;
  bool http_1_0_ = false;
  bool chunked_ = false;
  bool oversized_ = false;
  bool expect_continue_ = false;
  bool header_new_ = false;
};

}  // namespace collet::transport
