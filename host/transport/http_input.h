// The bytes of requests that a connection has received and is not done with: half a request, one that is held, or requests
// ahead of a pending answer; and the client to whom the memory that they take is counted. Loop thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "transport/http.h"
#include "transport/http_parser.h"
#include "transport/request_memory.h"

namespace collet::transport {

class HttpInput {
 public:
  // Counted to `address` until count_to() names somebody else.
  HttpInput(std::shared_ptr<RequestMemory> memory, std::string address)
      : address_(std::move(address)), hold_(std::move(memory), address_) {}
  // What the other one kept is this one's.
  HttpInput(HttpInput&&) = default;
  HttpInput& operator=(HttpInput&&) = delete;

  // Of the request that is being read or held.
  HttpSender sender() const { return {address_, known_}; }
  void describe_sender(HttpRequest& request) const;
  // What the handler has found out of the sender. False if the client that it names has too much in memory already.
  [[nodiscard]] bool count_to(HttpSender&& sender);
  void know(std::shared_ptr<const void> known) { known_ = std::move(known); }
  // Counts so many bytes, of a body that is handed on as it comes, until let_go(). False if the client has too much in memory already.
  [[nodiscard]] bool hold_ahead(std::size_t bytes) { return hold_.grow(bytes); }

  // Whether nothing is kept. While that is so, only what tells of the sender, hold_ahead(), keep() and let_go() may be called.
  bool is_empty() const { return !kept_; }
  std::span<char> bytes() { return {kept_->bytes.get(), kept_->size}; }
  // The one that has seen these bytes.
  HttpParser& parser() { return kept_->parser; }
  // From now on the parser has these limits, which outlive it.
  void heed(const HttpLimits& limits) { kept_->parser.heed(limits); }
  // Whether it is a large request, as far as is known.
  bool is_large() const;
  // See HttpParser::salvage().
  const HttpRequest& salvage() { return kept_->parser.salvage({kept_->bytes.get(), kept_->size}); }

  // Begins to keep a copy of `bytes` with their parser. False if there is no memory for them: then it keeps the
  // parser alone, for salvage(), until drop_all().
  [[nodiscard]] bool keep(HttpParser&& parser, std::span<const char> bytes);
  // Room behind the bytes for what comes next, of which `bytes_max` are enough. Null if there is no memory for it.
  std::span<char> space(std::size_t bytes_max);
  // So many have been put there.
  void add(std::size_t bytes) { kept_->size += bytes; }
  // Keeps the last of the bytes only.
  void keep_rest(std::span<const char> rest);
  // Keeps nothing. The memory is still counted, until let_go() or drop_all().
  void clear() { kept_.reset(); }
  void drop_all();
  // Gives back what was held for a request that has been answered.
  void let_go();

 private:
  struct Kept {
    explicit Kept(HttpParser&& from) : parser(std::move(from)) {}
    std::size_t capacity_for(std::size_t free_bytes) const;
    void reserve(std::size_t free_bytes);

    HttpParser parser;
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
    std::size_t capacity = 0;
  };

  bool make_room(std::size_t free_bytes);

  const std::string address_;
  RequestHold hold_;  // of the memory for requests, until they are answered
  std::shared_ptr<const void> known_;
  std::unique_ptr<Kept> kept_;
};

}  // namespace collet::transport
