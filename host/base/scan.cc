#include "base/scan.h"

#include <array>
#include <bit>
#include <cstring>

#include "collet/kit/base64.hpp"

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace collet::text {
namespace {

constexpr std::size_t kBlock = Scanner::kBlockBytes;

std::size_t write_no_base64(std::string_view, char*) { return 0; }

// Words of eight, for any processor.

constexpr std::uint64_t in_each_byte(unsigned char byte) { return 0x0101010101010101u * byte; }

std::uint64_t load_word(const char* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// The highest bit of each byte that is 0, and of no other.
constexpr std::uint64_t zero_bytes(std::uint64_t word) {
  constexpr std::uint64_t kLow = in_each_byte(0x7f);
  return ~(((word & kLow) + kLow) | word | kLow);
}

bool mark_escapes_in_words(const char* bytes, std::size_t blocks, std::uint64_t* marks) {
  constexpr std::uint64_t kGather = 0x0002040810204081u;  // the highest bits of all bytes, into the highest byte
  std::uint64_t any = 0;
  for (std::size_t block = 0; block < blocks; ++block) {
    std::uint64_t bits = 0;
    for (std::size_t at = 0; at < kBlock; at += 8) {
      const std::uint64_t word = load_word(bytes + block * kBlock + at);
      const std::uint64_t found = zero_bytes(word & in_each_byte(0xe0)) | zero_bytes(word ^ in_each_byte('"')) |
                                  zero_bytes(word ^ in_each_byte('\\'));
      bits |= (found * kGather >> 56) << at;
    }
    marks[block] = bits;
    any |= bits;
  }
  return any != 0;
}

// ASCII alone.
std::size_t utf8_blocks_in_words(std::string_view bytes) {
  std::size_t at = 0;
  for (; bytes.size() - at >= kBlock; at += kBlock) {
    std::uint64_t all = 0;
    for (std::size_t word = 0; word < kBlock; word += 8) all |= load_word(bytes.data() + at + word);
    if (all & in_each_byte(0x80)) break;
  }
  return at;
}

#ifdef __x86_64__

bool mark_escapes_sse2(const char* bytes, std::size_t blocks, std::uint64_t* marks) {
  const __m128i last_control = _mm_set1_epi8(0x1f);
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  std::uint64_t any = 0;
  for (std::size_t block = 0; block < blocks; ++block) {
    std::uint64_t bits = 0;
    for (std::size_t at = 0; at < kBlock; at += sizeof(__m128i)) {
      const __m128i in = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + block * kBlock + at));
      const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(in, last_control), in);
      const __m128i marked = _mm_or_si128(_mm_cmpeq_epi8(in, quote), _mm_cmpeq_epi8(in, backslash));
      bits |= std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(controls, marked)))} << at;
    }
    marks[block] = bits;
    any |= bits;
  }
  return any != 0;
}

// ASCII alone.
std::size_t utf8_blocks_sse2(std::string_view bytes) {
  std::size_t at = 0;
  for (; bytes.size() - at >= kBlock; at += kBlock) {
    const auto* in = reinterpret_cast<const __m128i*>(bytes.data() + at);
    const __m128i first = _mm_or_si128(_mm_loadu_si128(in), _mm_loadu_si128(in + 1));
    const __m128i second = _mm_or_si128(_mm_loadu_si128(in + 2), _mm_loadu_si128(in + 3));
    if (_mm_movemask_epi8(_mm_or_si128(first, second))) break;
  }
  return at;
}

[[gnu::target("avx2")]] bool mark_escapes_avx2(const char* bytes, std::size_t blocks, std::uint64_t* marks) {
  const __m256i last_control = _mm256_set1_epi8(0x1f);
  const __m256i quote = _mm256_set1_epi8('"');
  const __m256i backslash = _mm256_set1_epi8('\\');
  std::uint64_t any = 0;
  for (std::size_t block = 0; block < blocks; ++block) {
    std::uint64_t bits = 0;
    for (std::size_t at = 0; at < kBlock; at += sizeof(__m256i)) {
      const __m256i in = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + block * kBlock + at));
      const __m256i controls = _mm256_cmpeq_epi8(_mm256_min_epu8(in, last_control), in);
      const __m256i marked = _mm256_or_si256(_mm256_cmpeq_epi8(in, quote), _mm256_cmpeq_epi8(in, backslash));
      bits |= std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_or_si256(controls, marked)))} << at;
    }
    marks[block] = bits;
    any |= bits;
  }
  return any != 0;
}

// What two bytes that follow one another can be wrong in: a bit each (Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction
// Per Byte"). Each half of the first, and the upper half of the second, rules out what it does not fit; what is left is wrong.
enum Wrong : unsigned char {
  kTooShort = 1 << 0,  // a sequence begins before the one before it has ended
  kTooLong = 1 << 1,   // a continuation after ASCII
  kOverlong3 = 1 << 2,
  kTooLarge = 1 << 3,  // past U+10FFFF, by a first byte of F4 or more
  kSurrogate = 1 << 4,
  kOverlong2 = 1 << 5,
  kTooLarge1000 = 1 << 6,  // by F5 or more, before 80 to 8F
  kOverlong4 = 1 << 6,     // before 80 to 8F, too
  kTwoContinuations = 1 << 7,  // right only where a longer sequence needs them
  kAnyLowHalf = kTooShort | kTooLong | kTwoContinuations,
  kFirstLarge = kAnyLowHalf | kTooLarge | kTooLarge1000,
  kSecond = kTooLong | kOverlong2 | kTwoContinuations,
};
using HalfTable = std::array<unsigned char, 16>;
constexpr HalfTable kFirstUpper = {
    kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong,
    kTwoContinuations, kTwoContinuations, kTwoContinuations, kTwoContinuations,
    kTooShort | kOverlong2, kTooShort, kTooShort | kOverlong3 | kSurrogate,
    kTooShort | kTooLarge | kTooLarge1000 | kOverlong4};
constexpr HalfTable kFirstLower = {
    kAnyLowHalf | kOverlong3 | kOverlong2 | kOverlong4, kAnyLowHalf | kOverlong2, kAnyLowHalf, kAnyLowHalf,
    kAnyLowHalf | kTooLarge, kFirstLarge, kFirstLarge, kFirstLarge, kFirstLarge, kFirstLarge, kFirstLarge, kFirstLarge,
    kFirstLarge, kFirstLarge | kSurrogate, kFirstLarge, kFirstLarge};
constexpr HalfTable kSecondUpper = {
    kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort,
    kSecond | kOverlong3 | kTooLarge1000 | kOverlong4, kSecond | kOverlong3 | kTooLarge,
    kSecond | kSurrogate | kTooLarge, kSecond | kSurrogate | kTooLarge, kTooShort, kTooShort, kTooShort, kTooShort};

__m128i load_table(const HalfTable& table) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data())); }

// Of bytes up to `end` that are right but for a last sequence that may be cut off: where that begins, or else `end`.
std::size_t begin_of_cut(const char* bytes, std::size_t end) {
  for (std::size_t back = 1; back <= 3 && back <= end; ++back) {
    const auto byte = static_cast<unsigned char>(bytes[end - back]);
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const std::size_t length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? end - back : end;
  }
  return end;
}

[[gnu::target("avx2")]] std::size_t utf8_blocks_avx2(std::string_view bytes) {
  constexpr std::size_t kStep = sizeof(__m256i);
  const __m256i first_upper = _mm256_broadcastsi128_si256(load_table(kFirstUpper));
  const __m256i first_lower = _mm256_broadcastsi128_si256(load_table(kFirstLower));
  const __m256i second_upper = _mm256_broadcastsi128_si256(load_table(kSecondUpper));
  const __m256i half = _mm256_set1_epi8(0x0f);
  const __m256i before_third = _mm256_set1_epi8(static_cast<char>(0xe0 - 0x80));
  const __m256i before_fourth = _mm256_set1_epi8(static_cast<char>(0xf0 - 0x80));
  __m256i before = _mm256_setzero_si256();
  bool after_ascii = true;
  std::size_t at = 0;
  for (; bytes.size() - at >= kStep; at += kStep) {
    const auto* const next = reinterpret_cast<const __m256i*>(bytes.data() + at);
    if (after_ascii && bytes.size() - at >= 4 * kStep) {
      const __m256i some = _mm256_or_si256(_mm256_loadu_si256(next), _mm256_loadu_si256(next + 1));
      const __m256i more = _mm256_or_si256(_mm256_loadu_si256(next + 2), _mm256_loadu_si256(next + 3));
      if (_mm256_movemask_epi8(_mm256_or_si256(some, more)) == 0) {
        at += 3 * kStep;
        continue;  // `before` is other ASCII then, which is the same
      }
    }
    const __m256i in = _mm256_loadu_si256(next);
    const bool ascii = _mm256_movemask_epi8(in) == 0;
    if (ascii && after_ascii) continue;
    const __m256i across = _mm256_permute2x128_si256(before, in, 0x21);
    const __m256i back_1 = _mm256_alignr_epi8(in, across, 15);
    const __m256i back_2 = _mm256_alignr_epi8(in, across, 14);
    const __m256i back_3 = _mm256_alignr_epi8(in, across, 13);
    const __m256i wrong_upper = _mm256_shuffle_epi8(first_upper, _mm256_and_si256(_mm256_srli_epi16(back_1, 4), half));
    const __m256i wrong_lower = _mm256_shuffle_epi8(first_lower, _mm256_and_si256(back_1, half));
    const __m256i wrong_second = _mm256_shuffle_epi8(second_upper, _mm256_and_si256(_mm256_srli_epi16(in, 4), half));
    const __m256i wrong = _mm256_and_si256(_mm256_and_si256(wrong_upper, wrong_lower), wrong_second);
    // The highest bit: a third or fourth byte has to be here, which follows a continuation.
    const __m256i later = _mm256_or_si256(_mm256_subs_epu8(back_2, before_third), _mm256_subs_epu8(back_3, before_fourth));
    const __m256i due = _mm256_and_si256(later, _mm256_set1_epi8(static_cast<char>(0x80)));
    const __m256i bad = _mm256_xor_si256(wrong, due);
    if (!_mm256_testz_si256(bad, bad)) break;
    before = in;
    after_ascii = ascii;
  }
  return begin_of_cut(bytes.data(), at);
}

// Four digits of each three bytes (Muła and Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions").
[[gnu::target("avx2")]] std::size_t write_base64_avx2(std::string_view bytes, char* to) {
  constexpr std::size_t kTaken = 24;
  constexpr std::size_t kRead = kTaken / 2 + sizeof(__m128i);
  // Bytes 1, 0, 2, 1 of each three, so that two digits each lie in one half of four bytes.
  const __m256i spread = _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10,  //
                                          1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  // What is added to a digit's value: by 0 from 26 to 51, 1 to 10 for 52 to 61, 11 for 62, 12 for 63, 13 below 26.
  const __m256i shifts =
      _mm256_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                       '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0, 'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                       '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
  std::size_t at = 0;
  for (; bytes.size() - at >= kRead; at += kTaken, to += sizeof(__m256i)) {
    const auto* const low = reinterpret_cast<const __m128i*>(bytes.data() + at);
    const auto* const high = reinterpret_cast<const __m128i*>(bytes.data() + at + kTaken / 2);
    const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)), _mm_loadu_si128(high), 1);
    const __m256i in = _mm256_shuffle_epi8(both, spread);
    const __m256i even = _mm256_mulhi_epu16(_mm256_and_si256(in, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
    const __m256i odd = _mm256_mullo_epi16(_mm256_and_si256(in, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
    const __m256i values = _mm256_or_si256(even, odd);
    const __m256i below_26 = _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), values), _mm256_set1_epi8(13));
    const __m256i which = _mm256_or_si256(_mm256_subs_epu8(values, _mm256_set1_epi8(51)), below_26);
    const __m256i digits = _mm256_add_epi8(values, _mm256_shuffle_epi8(shifts, which));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), digits);
  }
  return at;
}

#endif

constexpr Scanner kScanners[] = {
    {"words", mark_escapes_in_words, utf8_blocks_in_words, write_no_base64},
#ifdef __x86_64__
    {"SSE2", mark_escapes_sse2, utf8_blocks_sse2, write_no_base64},
    {"AVX2", mark_escapes_avx2, utf8_blocks_avx2, write_base64_avx2},
#endif
};

}  // namespace

std::span<const Scanner> scanners() {
  std::size_t count = std::size(kScanners);
#ifdef __x86_64__
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2")) --count;
#endif
  return {kScanners, count};
}

const Scanner& scanner() {
  static const Scanner& fastest = scanners().back();
  return fastest;
}

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::size_t kBehind = 64;  // for what follows, so that a large one does not have to move for it
  const std::size_t start = out.size();
  const std::size_t end = start + (bytes.size() + 2) / 3 * 4;
  out.reserve(end + kBehind);
  out.resize(end);
  const std::size_t written = scanner().write_base64(bytes, out.data() + start);
  out.resize(start + written / 3 * 4);
  kit::append_base64(out, bytes.substr(written));
}

}  // namespace collet::text
