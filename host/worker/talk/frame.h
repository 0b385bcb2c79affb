// What passes between a host and its worker: frames over a socket, each a head and a body of fields.
//
// The worker is not trusted: its host takes no size, count or enumeration from a frame without a check. Numbers are
// in the byte order of the machine, which both share.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"

namespace collet::worker {

enum class FrameType : std::uint8_t {
  // from the host
  open = 1,     // what to load, and how
  call,         // id: of the call at the host
  cancel,       // id
  adopted,      // no call of the items that were taken out can follow
  blob_done,    // a blob in the arena has been read
  quiesce,      //
  save_state,   // id: of the question
  reconfigure,  // likewise
  status,       // likewise
  watch,        // clients begin to watch a resource, or have stopped
  close,        // destroy the plugin and end
  outcome,      // id: of the invocation
  invoked_progress,  // id: likewise
  listing,           // id: of the list
  items_changed,     // of the whole host
  taken,             // id: of the call; bytes of its answer that have left for the client
  stored,            // id: of the question to the store
  keys,              // id: likewise
  appended,          // id: of the question to streams
  events,            // id: likewise
  next_events,       // id: of what is followed
  fetch_head,        // id: of the exchange
  fetch_bytes,       // id: likewise
  fetch_end,         // id: likewise
  body,              // id: of the call; the next bytes of its request's body
  // from the worker
  opened = 64,   // or not: the answer to open
  items,         // some come, some go
  end,           // id
  progress,      // id
  log,           // id
  close_stream,  // id
  answer_head,   // id: of a call of a route
  answer_bytes,  // id: likewise
  resource_updated,
  status_changed,  // of the plugin's health
  instructions,  // what clients are to be told
  erred,         // the plugin has made an error of its own
  answer,        // id: of the question
  invoke,        // id: of the invocation, as the worker counts them
  cancel_invocation,  // id: likewise
  list,               // id: likewise
  watch_items,        // it wants to hear of items_changed
  record_get,         // id: of the question to the store, as the worker counts them
  record_put,         // id: likewise
  record_remove,      // id: likewise
  record_list,        // id: likewise
  event_append,       // id: of the question to streams, as the worker counts them
  event_read,         // id: likewise
  follow_next,        // id: of what it follows, of which it wants the next page
  unfollow,           // id: likewise; it wants no more
  fetch,               // id: of the exchange, as the worker counts them
  fetch_taken,         // id: likewise
  cancel_fetch,        // id: likewise
  body_taken,          // id: of the call; bytes of its request's body that the plugin has read, or none: it waits for some
  asking,        // first of all, with the descriptor on which the host hears what its system calls ask
};

// Why a frame cannot come from a sound worker.
inline std::string no_frame(std::string_view what) { return "it sent a frame that is no " + std::string(what); }

// The plugin's extensions, in `opened`.
enum Offered : std::uint8_t { kSavesState = 1, kReconfigures = 2, kReportsStatus = 4, kWatches = 8 };

struct FrameHead {
  std::uint32_t size = 0;  // of the body
  FrameType type = FrameType::open;
  std::uint8_t reserved[3] = {};
  std::uint64_t id = 0;
};
static_assert(sizeof(FrameHead) == 16);

// Appends fields to a buffer that becomes a field itself.
class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}
  template <class Number>
  FieldWriter& number(Number value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  FieldWriter& text(std::string_view text) {
    number(static_cast<std::uint32_t>(text.size()));
    out_ += text;
    return *this;
  }
  FieldWriter& text_or_nothing(const std::optional<std::string_view>& text);  // nothing is not the same as empty

 private:
  std::string& out_;
};

// Appends one frame to a buffer; it is whole when this is destroyed.
class FrameWriter {
 public:
  FrameWriter(std::string& out, FrameType type, std::uint64_t id = 0);
  ~FrameWriter();
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  template <class Number>
  FrameWriter& number(Number value) {
    FieldWriter(out_).number(value);
    return *this;
  }
  FrameWriter& text(std::string_view text) {
    FieldWriter(out_).text(text);
    return *this;
  }
  FrameWriter& text_or_nothing(const std::optional<std::string_view>& text);  // nothing is not the same as empty
  std::size_t body_size() const { return out_.size() - start_ - sizeof(FrameHead); }

 private:
  std::string& out_;
  const std::size_t start_;
};

// Fields that were written one behind the other, taken off the front. What is not there in full reads as zero and
// makes the whole bad.
class FieldReader {
 public:
  explicit FieldReader(std::string_view fields) : rest_(fields) {}

  template <class Number>
  Number number() {
    Number value{};
    if (rest_.size() < sizeof value) {
      bad_ = true;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::optional<std::string_view> text_or_nothing();
  std::string_view text();  // must be there
  std::string_view rest() const { return rest_; }
  bool at_end() const { return rest_.empty(); }
  bool bad() const { return bad_; }
  // Whether all that was asked for was there, and nothing else.
  bool complete() const { return !bad_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool bad_ = false;
};

// Bytes as they come from a socket, cut into frames.
class FrameBuffer {
 public:
  // Where the next bytes are to go, at least `kWorkerReadBytes` of room; then how many have come.
  char* room(std::size_t& size);
  void filled(std::size_t size) { end_ += size; }

  struct Frame {
    FrameHead head;
    std::string_view body;  // until room() is called
  };
  // The next whole frame.
  std::optional<Frame> next();
  // A head said that its frame is larger than kWorkerFrameBytesMax: nothing follows.
  bool broken() const { return broken_; }
  std::size_t capacity() const { return bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool broken_ = false;
};

// Pieces of a result inside a field: text, JSON, a blob inside the field or in the arena; or all of it in one.
enum class Piece : std::uint8_t { text = 1, json, blob, arena_blob, whole };

}  // namespace collet::worker
