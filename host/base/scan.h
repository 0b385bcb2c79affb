// Large texts looked at many bytes at a time: with AVX2 where the processor has it, else with SSE2, else in words of eight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace collet::text {

struct Scanner {
  static constexpr std::size_t kBlockBytes = 64;

  const char* name;
  // For each of `blocks` blocks at `bytes`: its bit n tells whether a JSON string has byte n as an escape. Whether there is any.
  bool (*mark_escapes)(const char* bytes, std::size_t blocks, std::uint64_t* marks);
  // So many bytes at the beginning are whole sequences of well-formed UTF-8. There may be more, of which somebody else has to know.
  std::size_t (*utf8_blocks)(std::string_view bytes);
  // Writes base64 (RFC 4648 §4) of so many bytes at the beginning, a multiple of three.
  std::size_t (*write_base64)(std::string_view bytes, char* to);
};

// The fastest one that this processor has.
const Scanner& scanner();
// All that it has, for tests.
std::span<const Scanner> scanners();

// Appends what kit::append_base64() does, and faster.
void append_base64(std::string& out, std::string_view bytes);

}  // namespace collet::text
