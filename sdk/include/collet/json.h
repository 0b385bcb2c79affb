/*
 * Reading JSON arguments in C: finds a member of an object and hands over its value, without copying and without
 * allocating. C99, header-only, needs nothing but plugin.h.
 *
 *   collet_json_value text;
 *   if (collet_json_find(params->arguments, "text", &text) == 1 && text.type == COLLET_JSON_STRING) …
 *
 * The whole object is checked on the way: RFC 8259 grammar, nesting, escapes and surrogate pairs. UTF-8 is not, as the
 * host has done that. A member that is given twice makes the object invalid, so that nobody reads another value than
 * the one that was validated.
 */
#ifndef COLLET_JSON_H
#define COLLET_JSON_H

#include <stdlib.h>
#include <string.h>

#include <collet/plugin.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define COLLET_JSON_DEPTH_MAX 128

#define COLLET_JSON_NULL 0u
#define COLLET_JSON_FALSE 1u
#define COLLET_JSON_TRUE 2u
#define COLLET_JSON_NUMBER 3u
#define COLLET_JSON_STRING 4u
#define COLLET_JSON_ARRAY 5u
#define COLLET_JSON_OBJECT 6u

/* A value inside the text it was found in. */
typedef struct collet_json_value {
  const char *data; /* its text; of a string: what is between the quotes */
  size_t size;      /* bytes */
  uint32_t type;    /* COLLET_JSON_* */
  uint32_t escaped; /* of a string: not 0 if `data` has escapes to undo: see collet_json_unescape() */
} collet_json_value;

/* The part of the text that is still to be read; everything below that ends in _ is for this header alone. */
typedef struct collet_json_cursor_ {
  const char *at;
  const char *end;
} collet_json_cursor_;

static inline int collet_json_space_(collet_json_cursor_ *in) {
  while (in->at != in->end && (*in->at == ' ' || *in->at == '\n' || *in->at == '\t' || *in->at == '\r')) ++in->at;
  return in->at != in->end;
}

static inline int collet_json_take_(collet_json_cursor_ *in, char c) {
  if (!collet_json_space_(in) || *in->at != c) return 0;
  ++in->at;
  return 1;
}

/* Four hex digits, or a number past 0xFFFF. */
static inline uint32_t collet_json_hex4_(const char *at, const char *end) {
  uint32_t code = 0;
  int i;
  if (end - at < 4) return 0x10000;
  for (i = 0; i < 4; ++i) {
    const char c = at[i];
    uint32_t digit;
    if (c >= '0' && c <= '9') {
      digit = (uint32_t)(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = (uint32_t)((c | 0x20) - 'a') + 10;
    } else {
      return 0x10000;
    }
    code = code << 4 | digit;
  }
  return code;
}

/* Takes one escape, at the backslash. Writes what it means, 1 to 4 bytes, and returns their number; 0: malformed. */
static inline size_t collet_json_escape_(const char **at, const char *end, char out[4]) {
  const char *const letter = *at + 1;
  uint32_t code;
  if (letter == end) return 0;
  *at = letter + 1;
  switch (*letter) {
    case '"': case '\\': case '/': return out[0] = *letter, (size_t)1;
    case 'b': return out[0] = '\b', (size_t)1;
    case 'f': return out[0] = '\f', (size_t)1;
    case 'n': return out[0] = '\n', (size_t)1;
    case 'r': return out[0] = '\r', (size_t)1;
    case 't': return out[0] = '\t', (size_t)1;
    case 'u': break;
    default: return 0;
  }
  code = collet_json_hex4_(*at, end);
  if (code > 0xFFFF || (code >= 0xDC00 && code <= 0xDFFF)) return 0;
  *at += 4;
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    out[0] = (char)(0xC0 | code >> 6);
    out[1] = (char)(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0xD800 || code > 0xDBFF) {
    out[0] = (char)(0xE0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
  }
  if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') return 0;
  {
    const uint32_t low = collet_json_hex4_(*at + 2, end);
    if (low < 0xDC00 || low > 0xDFFF) return 0;
    *at += 6;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  out[0] = (char)(0xF0 | code >> 18);
  out[1] = (char)(0x80 | (code >> 12 & 0x3F));
  out[2] = (char)(0x80 | (code >> 6 & 0x3F));
  out[3] = (char)(0x80 | (code & 0x3F));
  return 4;
}

/* Moves on to the next quote, backslash or control character: many bytes at a time while there are none. */
static inline const char *collet_json_plain_(const char *at, const char *end) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), last_control = _mm_set1_epi8(0x1F);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i marked = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash));
    const int found = _mm_movemask_epi8(_mm_or_si128(controls, marked));
    if (found) return at + __builtin_ctz((unsigned)found);
  }
#else
  const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
  while (end - at >= 8) {
    uint64_t bytes, quotes, slashes;
    memcpy(&bytes, at, 8);
    quotes = bytes ^ (ones * '"');
    slashes = bytes ^ (ones * '\\');
    if ((((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes) | ((bytes - ones * 0x20) & ~bytes)) & high) break;
    at += 8;
  }
#endif
  while (at != end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\') ++at;
  return at;
}

static inline int collet_json_string_(collet_json_cursor_ *in, collet_json_value *out) {
  if (!collet_json_take_(in, '"')) return 0;
  out->type = COLLET_JSON_STRING;
  out->escaped = 0;
  out->data = in->at;
  for (;;) {
    char meaning[4];
    in->at = collet_json_plain_(in->at, in->end);
    if (in->at == in->end) return 0;
    if (*in->at == '"') break;
    if (*in->at != '\\' || !collet_json_escape_(&in->at, in->end, meaning)) return 0;
    out->escaped = 1;
  }
  out->size = (size_t)(in->at++ - out->data);
  return 1;
}

static inline int collet_json_digits_(collet_json_cursor_ *in) {
  const char *const first = in->at;
  while (in->at != in->end && *in->at >= '0' && *in->at <= '9') ++in->at;
  return in->at != first;
}

static inline int collet_json_number_(collet_json_cursor_ *in) {
  if (*in->at == '-') ++in->at;
  if (in->at != in->end && *in->at == '0') {
    ++in->at;
  } else if (!collet_json_digits_(in)) {
    return 0;
  }
  if (in->at != in->end && *in->at == '.') {
    ++in->at;
    if (!collet_json_digits_(in)) return 0;
  }
  if (in->at != in->end && (*in->at == 'e' || *in->at == 'E')) {
    ++in->at;
    if (in->at != in->end && (*in->at == '+' || *in->at == '-')) ++in->at;
    if (!collet_json_digits_(in)) return 0;
  }
  return 1;
}

static inline int collet_json_word_(collet_json_cursor_ *in, const char *word, size_t size) {
  if ((size_t)(in->end - in->at) < size || memcmp(in->at, word, size) != 0) return 0;
  in->at += size;
  return 1;
}

/* Takes one value of any type. */
static inline int collet_json_any_(collet_json_cursor_ *in, unsigned depth, collet_json_value *out) {
  collet_json_value inner;
  char bracket;
  if (!collet_json_space_(in)) return 0;
  bracket = *in->at;
  if (bracket == '"') return collet_json_string_(in, out);
  out->data = in->at;
  out->escaped = 0;
  if (bracket == '{' || bracket == '[') {
    const char closing = bracket == '{' ? '}' : ']';
    out->type = bracket == '{' ? COLLET_JSON_OBJECT : COLLET_JSON_ARRAY;
    if (depth == COLLET_JSON_DEPTH_MAX) return 0;
    ++in->at;
    if (!collet_json_take_(in, closing)) {
      do {
        if (bracket == '{' && (!collet_json_string_(in, &inner) || !collet_json_take_(in, ':'))) return 0;
        if (!collet_json_any_(in, depth + 1, &inner)) return 0;
      } while (collet_json_take_(in, ','));
      if (!collet_json_take_(in, closing)) return 0;
    }
  } else if (collet_json_word_(in, "true", 4)) {
    out->type = COLLET_JSON_TRUE;
  } else if (collet_json_word_(in, "false", 5)) {
    out->type = COLLET_JSON_FALSE;
  } else if (collet_json_word_(in, "null", 4)) {
    out->type = COLLET_JSON_NULL;
  } else {
    out->type = COLLET_JSON_NUMBER;
    if (!collet_json_number_(in)) return 0;
  }
  out->size = (size_t)(in->at - out->data);
  return 1;
}

/* Reads `text`, which is one value. COLLET_E_INVALID if it is not. */
static inline int32_t collet_json_parse(collet_str text, collet_json_value *out) {
  collet_json_cursor_ in;
  in.at = text.data;
  in.end = text.data + text.size;
  if (!text.data || !collet_json_any_(&in, 0, out) || collet_json_space_(&in)) return COLLET_E_INVALID;
  return COLLET_OK;
}

/* Writes the string without its escapes to `out`, which has room for value->size bytes, and returns how many it
 * wrote. `value` comes from collet_json_find() or collet_json_parse(). */
static inline size_t collet_json_unescape(const collet_json_value *value, char *out) {
  const char *at = value->data, *const end = at + value->size;
  char *to = out;
  while (at != end) {
    const char *const run = at;
    at = collet_json_plain_(at, end);
    memcpy(to, run, (size_t)(at - run));
    to += at - run;
    if (at != end) {
      char meaning[4];
      const size_t size = collet_json_escape_(&at, end, meaning);
      memcpy(to, meaning, size);
      to += size;
    }
  }
  return (size_t)(to - out);
}

/* Whether the string is `text`, byte for byte, once its escapes are undone. */
static inline int collet_json_equals(const collet_json_value *value, const char *text, size_t size) {
  const char *at = value->data, *const end = at + value->size;
  if (!value->escaped) return value->size == size && memcmp(at, text, size) == 0;
  while (at != end) {
    char meaning[4] = {*at, 0, 0, 0};
    const size_t taken = *at == '\\' ? collet_json_escape_(&at, end, meaning) : (++at, (size_t)1);
    if (size < taken || memcmp(text, meaning, taken) != 0) return 0;
    text += taken;
    size -= taken;
  }
  return size == 0;
}

/* Finds the member `key` of `object`. 1: found, *out borrows from `object`. 0: the object has none, or is absent.
 * COLLET_E_INVALID: `object` is no JSON object, or has the member twice. */
static inline int32_t collet_json_find(collet_str object, const char *key, collet_json_value *out) {
  const size_t key_size = strlen(key);
  collet_json_cursor_ in;
  int32_t found = 0;
  if (!object.data) return 0;
  in.at = object.data;
  in.end = object.data + object.size;
  if (!collet_json_take_(&in, '{')) return COLLET_E_INVALID;
  if (!collet_json_take_(&in, '}')) {
    do {
      collet_json_value name, value;
      if (!collet_json_string_(&in, &name) || !collet_json_take_(&in, ':') || !collet_json_any_(&in, 1, &value))
        return COLLET_E_INVALID;
      if (!collet_json_equals(&name, key, key_size)) continue;
      if (found) return COLLET_E_INVALID;
      found = 1;
      *out = value;
    } while (collet_json_take_(&in, ','));
    if (!collet_json_take_(&in, '}')) return COLLET_E_INVALID;
  }
  return collet_json_space_(&in) ? COLLET_E_INVALID : found;
}

/* The number as a double, as near as it gets. The decimal point is that of the C locale. COLLET_E_INVALID if `value`
 * is no number or too large for one. */
static inline int32_t collet_json_double(const collet_json_value *value, double *out) {
  double number;
  char text[64]; /* ended by a NUL, which the value is not */
  char *copy = text;
  if (value->type != COLLET_JSON_NUMBER) return COLLET_E_INVALID;
  if (value->size >= sizeof text && !(copy = (char *)malloc(value->size + 1))) return COLLET_E_INTERNAL;
  memcpy(copy, value->data, value->size);
  copy[value->size] = '\0';
  number = strtod(copy, NULL);
  if (copy != text) free(copy);
  if (number - number != 0) return COLLET_E_INVALID;
  *out = number;
  return COLLET_OK;
}

/* The number's exponent, 0 if it has none; past a thousand million it counts as that. */
static inline long collet_json_exponent_(const char *at, const char *end) {
  long exponent = 0;
  int negative;
  while (at != end && *at != 'e' && *at != 'E') ++at;
  if (at == end) return 0;
  negative = *++at == '-';
  if (*at == '-' || *at == '+') ++at;
  for (; at != end && exponent < 100000000; ++at) exponent = exponent * 10 + (*at - '0');
  return negative ? -exponent : exponent;
}

static inline int collet_json_append_digit_(uint64_t *magnitude, uint64_t digit) {
  if (*magnitude > (UINT64_MAX - digit) / 10) return 0;
  *magnitude = *magnitude * 10 + digit;
  return 1;
}

/* The number as an integer, exactly. 1.0 and 1e3 are integers too. COLLET_E_INVALID if it is none, or too large. */
static inline int32_t collet_json_int64(const collet_json_value *value, int64_t *out) {
  const char *const end = value->data + value->size;
  const int negative = value->size > 0 && value->data[0] == '-';
  const char *at = value->data + negative;
  const char *digit = at;
  uint64_t magnitude = 0;
  long whole; /* digits left of the point, once the exponent has moved it */
  if (value->type != COLLET_JSON_NUMBER) return COLLET_E_INVALID;
  whole = collet_json_exponent_(at, end);
  for (; digit != end && *digit >= '0' && *digit <= '9'; ++digit) ++whole;
  for (; at != end && *at != 'e' && *at != 'E'; ++at) {
    if (*at == '.') continue;
    if (whole-- > 0) {
      if (!collet_json_append_digit_(&magnitude, (uint64_t)(*at - '0'))) return COLLET_E_INVALID;
    } else if (*at != '0') {
      return COLLET_E_INVALID;
    }
  }
  for (; magnitude && whole > 0; --whole) {
    if (!collet_json_append_digit_(&magnitude, 0)) return COLLET_E_INVALID;
  }
  if (magnitude > (uint64_t)INT64_MAX + (uint64_t)negative) return COLLET_E_INVALID;
  *out = negative && magnitude ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
  return COLLET_OK;
}

#endif
