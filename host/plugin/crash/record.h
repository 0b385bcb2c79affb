// How a process ended: written by it in its last moments, into memory that it shares with whoever reads it afterwards.
//
// Who reads it trusts nothing in it: take_record() copies it and makes it sound.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/descriptor.h"

namespace collet::plugin::crash {

// A text with a place of its own, cut off where that ends.
template <std::size_t Size>
class FixedText {
 public:
  // Async-signal-safe.
  void set(std::string_view text) {
    const std::size_t size = text.size() < Size ? text.size() : Size;
    text.copy(bytes_, size);
    if (size < Size) bytes_[size] = '\0';
  }
  std::string_view view() const { return {bytes_, strnlen(bytes_, Size)}; }
  bool is_full() const { return view().size() == Size; }

 private:
  char bytes_[Size];
};

struct Record {
  static constexpr std::size_t kFramesMax = 32;
  static constexpr std::size_t kModulesMax = 14;

  struct Frame {
    std::uint64_t address;
    std::uint64_t offset;  // in the module, as that counts
    std::uint32_t module;  // of `modules`; kNoModule: none
    std::uint16_t returns;  // 1: where a call goes on, behind the instruction in question
    std::uint16_t repeats;  // how often it comes again, one after the other
  };
  static constexpr std::uint32_t kNoModule = ~0u;

  enum Stage : std::uint32_t { kNothing, kPlaced, kWhole };
  std::uint32_t stage;  // how far it has come to be written

  std::int32_t signal;  // 0: it was ended by `ender`
  std::int32_t code;    // si_code, or what was given to `ender`
  std::uint64_t address;  // that the signal is about
  std::uint64_t call;     // 0: none
  std::int32_t process;
  std::int32_t thread;
  FixedText<16> ender;   // "exit"
  FixedText<64> plugin;  // empty: it was not in a plugin's code
  FixedText<48> function;
  FixedText<24> kind;
  FixedText<60> item;

  std::uint32_t frame_count;
  std::uint32_t cut_off;  // 1: there are more
  std::array<Frame, kFramesMax> frames;
  std::uint32_t module_count;
  std::array<FixedText<256>, kModulesMax> modules;  // as the loader calls them; empty: the executable
};

// What a file has room for it.
inline constexpr std::size_t kRecordBytes = 8192;
static_assert(sizeof(Record) <= kRecordBytes);

// A record in shared memory: the file's part at `offset`, a multiple of a page's size. Null if there is no memory. Never
// unmapped.
Record* map_record(int file, std::size_t offset);
// Has nothing be recorded there.
void clear_record(int file, std::size_t offset);
// What is recorded there, made sound; nothing if nothing is.
std::optional<Record> take_record(int file, std::size_t offset);

}  // namespace collet::plugin::crash
