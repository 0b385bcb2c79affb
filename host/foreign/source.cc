#include "foreign/source.h"

#include <algorithm>
#include <utility>

namespace collet::foreign {
namespace {

constexpr std::size_t kPieceBytes = 64 << 10;
constexpr unsigned kReplacement = 0xfffd;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }
bool is_high(unsigned unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low(unsigned unit) { return unit >= 0xdc00 && unit < 0xe000; }

void append_utf8(std::string& out, unsigned code) {
  const auto more = [&](unsigned shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    more(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    more(6);
    more(0);
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    more(12);
    more(6);
    more(0);
  }
}

}  // namespace

Source::Source(std::string_view text)
    : Source([text](char* to, std::size_t room) mutable -> Result<std::size_t> {
        const std::size_t count = text.copy(to, room);
        text.remove_prefix(count);
        return count;
      }) {}

int Source::take() {
  const int next = peek();
  if (next == kEnd) return kEnd;
  if (next == '\n') {
    ++position_.line;
    position_.column = 1;
  } else if (!continues_character(piece_[at_])) {
    ++position_.column;
  }
  ++at_;
  if (copy_) *copy_ += static_cast<char>(next);
  return next;
}

void Source::skip_to(char one, char other) {
  for (int next = peek(); next != kEnd && next != one && next != other; next = peek()) take();
}

bool Source::fill() {
  offset_ += piece_.size();
  piece_.clear();
  at_ = 0;
  while (piece_.empty() && read_raw()) {
    if (!std::exchange(is_begun_, true)) find_encoding();
    if (encoding_ == Encoding::utf8) {
      piece_.swap(raw_);
    } else {
      decode_utf16();
    }
  }
  return !piece_.empty();
}

// Adds to raw_, at the beginning enough for the encoding to be told. False at the end.
bool Source::read_raw() {
  const std::size_t wanted = is_begun_ ? 1 : 3;
  std::size_t read = 0;
  while (read < wanted && !failure_) {
    const std::size_t before = raw_.size();
    raw_.resize(before + kPieceBytes);
    const Result<std::size_t> count = read_(&raw_[before], kPieceBytes);
    raw_.resize(before + (count ? *count : 0));
    if (!count) failure_ = count.failure();
    if (!count || *count == 0) break;
    read += *count;
  }
  if (read == 0 && std::exchange(high_, 0) != 0) append_utf8(piece_, kReplacement);
  return read > 0;
}

// JSON, TOML and YAML begin with a character of ASCII, which shows UTF-16 also where no mark does.
void Source::find_encoding() {
  const auto begins = [this](std::string_view bytes) { return std::string_view(raw_).starts_with(bytes); };
  if (begins("\xef\xbb\xbf")) {
    raw_.erase(0, 3);
    offset_ = 3;
  } else if (begins("\xff\xfe") || (raw_.size() > 1 && raw_[0] != 0 && raw_[1] == 0)) {
    encoding_ = Encoding::utf16_le;
    if (begins("\xff\xfe")) raw_.erase(0, 2);
  } else if (begins("\xfe\xff") || (raw_.size() > 1 && raw_[0] == 0 && raw_[1] != 0)) {
    encoding_ = Encoding::utf16_be;
    if (begins("\xfe\xff")) raw_.erase(0, 2);
  }
}

void Source::decode_utf16() {
  const std::size_t low = encoding_ == Encoding::utf16_le ? 0 : 1;
  std::size_t at = 0;
  for (; at + 1 < raw_.size(); at += 2) {
    append_unit(static_cast<unsigned char>(raw_[at + low]) |
                static_cast<unsigned>(static_cast<unsigned char>(raw_[at + 1 - low])) << 8);
  }
  raw_.erase(0, at);
}

void Source::append_unit(unsigned unit) {
  const unsigned high = std::exchange(high_, 0);
  if (high != 0 && is_low(unit)) return append_utf8(piece_, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
  if (high != 0) append_utf8(piece_, kReplacement);
  if (is_high(unit)) {
    high_ = unit;
  } else {
    append_utf8(piece_, is_low(unit) ? kReplacement : unit);
  }
}

Result<std::string> read_all(Source& source, std::size_t bytes_max) {
  std::string text;
  for (int next = source.take(); next != Source::kEnd; next = source.take()) {
    if (text.size() == bytes_max) return error("it has more than {} bytes", bytes_max);
    text += static_cast<char>(next);
  }
  if (source.failure()) return *source.failure();
  return text;
}

}  // namespace collet::foreign
