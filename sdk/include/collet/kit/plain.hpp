// How far text can stand in a JSON string as it is: sixteen bytes at a time where the processor has SSE2.
//
// Threads: any. Errors: none.
#ifndef COLLET_KIT_PLAIN_HPP
#define COLLET_KIT_PLAIN_HPP

#include <bit>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace collet::kit {

// ASCII that needs no escape.
constexpr bool is_plain_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 && c != '"' && c != '\\';
}

// The first byte from `at` on that is none, or `end`.
inline const char* skip_plain_ascii(const char* at, const char* end) {
#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    const __m128i in = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i marked = _mm_or_si128(_mm_cmpeq_epi8(in, _mm_set1_epi8('"')), _mm_cmpeq_epi8(in, _mm_set1_epi8('\\')));
    const __m128i outside = _mm_cmplt_epi8(in, _mm_set1_epi8(0x20));  // of signed bytes: those from 80 on are less, too
    const int found = _mm_movemask_epi8(_mm_or_si128(marked, outside));
    if (found != 0) return at + std::countr_zero(static_cast<unsigned>(found));
  }
#endif
  while (at != end && is_plain_ascii(*at)) ++at;
  return at;
}

}  // namespace collet::kit

#endif
