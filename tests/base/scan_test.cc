#include "base/scan.h"

#include <fmt/core.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "collet/kit/base64.hpp"
#include "support/catch.h"

using namespace collet;
using text::Scanner;

namespace {

constexpr std::size_t kBytes = Scanner::kBlockBytes;

bool has_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

// The code point of a sequence of `length` bytes, and how long it ought to be, as RFC 3629 has it (§3, §4).
bool is_sequence(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  const std::size_t length = bytes.size();
  if (length == 1) return lead < 0x80;
  constexpr unsigned kLeads[] = {0, 0, 0xc0, 0xe0, 0xf0, 0xf8};
  if (lead < kLeads[length] || lead >= kLeads[length + 1]) return false;
  unsigned point = lead & (0xffu >> (length + 1));
  for (const char c : bytes.substr(1)) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) return false;
    point = point << 6 | (static_cast<unsigned char>(c) & 0x3f);
  }
  constexpr unsigned kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  return point >= kLeast[length] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

std::size_t sequence_at(std::string_view bytes) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(bytes.size(), 4); ++length) {
    if (is_sequence(bytes.substr(0, length))) return length;
  }
  return 0;
}

std::size_t simple_prefix(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t length = sequence_at(bytes.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

std::string simple_json_string(std::string_view bytes) {
  std::string out = "\"";
  while (!bytes.empty()) {
    const std::size_t length = sequence_at(bytes);
    const char c = bytes[0];
    constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (const std::size_t named = kNamed.find(c); named != kNamed.npos) {
      out += {'\\', "\"\\bfnrt"[named]};
    } else if (has_escape(c)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + '"';
}

// Texts of all sorts: mostly plain, full of escapes, of long sequences, of sequences that something is wrong with, of any bytes.
class SampleTexts {
 public:
  std::string next(std::size_t size) {
    const unsigned sort = number(6);
    std::string text;
    while (text.size() < size) text += piece(sort);
    text.resize(size);  // may cut a sequence off
    return text;
  }
  unsigned number(unsigned below) { return static_cast<unsigned>(random_() % below); }

 private:
  std::string piece(unsigned sort) {
    static const std::string kGood[] = {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
                                        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    static const std::string kBad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
                                       "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80",
                                       "\xff", "\xf0\x9f\x98", "\xe2\x28\xa1", "\xc2\x80\x80", "\xf0\x90\x80\x80\x80"};
    const unsigned rare = number(100);
    if (sort == 0) return std::string(1, static_cast<char>(0x20 + number(0x60)));
    if (sort == 1) return std::string(1, static_cast<char>(number(0x40)));
    if (sort == 2 || (sort == 3 && rare > 1)) return kGood[number(std::size(kGood))];
    if (sort == 3) return kBad[number(std::size(kBad))];
    if (sort == 4) return rare == 0 ? kBad[number(std::size(kBad))] : std::string(1, 'x');
    return std::string(1, static_cast<char>(number(0x100)));
  }

  std::mt19937 random_{20261202};
};

std::vector<std::size_t> interesting_sizes() {
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size <= 3 * kBytes + 1; ++size) sizes.push_back(size);
  for (const std::size_t part : {1u << 11, 1u << 12, 1u << 13}) {
    for (std::size_t size = part - 5; size <= part + 5; ++size) sizes.push_back(size);
  }
  return sizes;
}

}  // namespace

TEST_CASE("each scanner marks the bytes that have an escape, at every alignment") {
  SampleTexts texts;
  for (const Scanner& scanner : text::scanners()) {
    INFO(scanner.name);
    for (std::size_t shift = 0; shift < kBytes; ++shift) {
      for (const std::size_t blocks : {1u, 2u, 5u}) {
        const std::string bytes = texts.next(shift + blocks * kBytes);
        std::uint64_t marks[5];
        std::uint64_t expected[5] = {};
        for (std::size_t at = 0; at < blocks * kBytes; ++at) {
          expected[at / kBytes] |= std::uint64_t{has_escape(bytes[shift + at])} << at % kBytes;
        }
        const bool any = scanner.mark_escapes(bytes.data() + shift, blocks, marks);
        CHECK(std::equal(marks, marks + blocks, expected));
        CHECK(any == std::any_of(expected, expected + blocks, [](std::uint64_t of) { return of != 0; }));
      }
    }
  }
}

TEST_CASE("each scanner marks each of the 256 bytes, and no other beside it") {
  for (const Scanner& scanner : text::scanners()) {
    INFO(scanner.name);
    for (unsigned byte = 0; byte < 0x100; ++byte) {
      for (std::size_t at = 0; at < kBytes; ++at) {
        std::string bytes(kBytes, 'x');
        bytes[at] = static_cast<char>(byte);
        std::uint64_t marks = 0;
        const bool any = scanner.mark_escapes(bytes.data(), 1, &marks);
        if (marks != std::uint64_t{has_escape(bytes[at])} << at || any != (marks != 0)) FAIL(byte << " at " << at);
      }
    }
  }
}

TEST_CASE("no scanner takes bytes for UTF-8 that are not, nor ends within a sequence") {
  SampleTexts texts;
  for (const Scanner& scanner : text::scanners()) {
    INFO(scanner.name);
    for (unsigned round = 0; round < 20; ++round) {
      for (const std::size_t size : interesting_sizes()) {
        const std::size_t shift = texts.number(kBytes);
        const std::string bytes = texts.next(shift + size);
        const std::string_view text = std::string_view(bytes).substr(shift);
        const std::size_t good = simple_prefix(text);
        const std::size_t found = scanner.utf8_blocks(text);
        if (found > good || simple_prefix(text.substr(0, found)) != found) FAIL(found << " of " << good << " in " << size);
        if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
          CHECK(size - found < kBytes);  // ASCII is seen by all of them
        }
      }
    }
  }
}

TEST_CASE("every sequence of four bytes that begins one is judged as RFC 3629 does, across the border of two blocks") {
  // Of continuations the ends of the ranges that the RFC tells apart, and what is next to them.
  constexpr unsigned char kNext[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xf0, 0xff};
  for (unsigned lead = 0x80; lead < 0x100; ++lead) {
    for (const unsigned char second : kNext) {
      for (const unsigned char third : kNext) {
        for (const unsigned char fourth : kNext) {
          std::string bytes(2 * kBytes, 'x');
          const std::size_t at = 28 + lead % 8;
          bytes[at] = static_cast<char>(lead);
          bytes[at + 1] = static_cast<char>(second);
          bytes[at + 2] = static_cast<char>(third);
          bytes[at + 3] = static_cast<char>(fourth);
          const std::size_t good = text::utf8_prefix(bytes);
          if (good != simple_prefix(bytes)) FAIL(lead << ' ' << +second << ' ' << +third << ' ' << +fourth << ": " << good);
        }
      }
    }
  }
}

TEST_CASE("the fastest scanner sees whole blocks of UTF-8 in any language") {
  if (std::string_view(text::scanner().name) != "AVX2") return;
  std::string text;
  while (text.size() < 1000) text += "при\xe2\x82\xac\xf0\x9f\x98\x80";
  CHECK(text.size() - text::scanner().utf8_blocks(text) < kBytes);
}

TEST_CASE("a JSON string of any bytes, size and alignment is what a simple reading of them gives") {
  SampleTexts texts;
  for (unsigned round = 0; round < 10; ++round) {
    for (const std::size_t size : interesting_sizes()) {
      const std::size_t shift = texts.number(kBytes);
      const std::string bytes = texts.next(shift + size);
      const std::string_view text = std::string_view(bytes).substr(shift);
      std::string out = "before";
      text::append_json_string(out, text);
      if (out != "before" + simple_json_string(text)) FAIL("of " << size << " bytes");
      if (text::utf8_prefix(text) != simple_prefix(text)) FAIL("prefix of " << size << " bytes");
      if (text::is_utf8(text) != (simple_prefix(text) == size)) FAIL("of " << size << " bytes");
    }
  }
}

TEST_CASE("base64 of any bytes, size and alignment is what the kit makes of them, and each scanner's a part of it") {
  SampleTexts texts;
  for (std::size_t size = 0; size < 300; ++size) {
    const std::size_t shift = texts.number(kBytes);
    std::string bytes(shift + size, 'x');
    for (char& c : bytes) c = static_cast<char>(texts.number(0x100));
    const std::string_view taken = std::string_view(bytes).substr(shift);
    const std::string expected = kit::base64(taken);
    std::string out = "before";
    text::append_base64(out, taken);
    if (out != "before" + expected) FAIL("of " << size << " bytes");
    for (const Scanner& scanner : text::scanners()) {
      std::string written(expected.size(), '\0');
      const std::size_t count = scanner.write_base64(taken, written.data());
      if (count % 3 != 0 || written.substr(0, count / 3 * 4) != expected.substr(0, count / 3 * 4)) FAIL(scanner.name << ' ' << size);
    }
  }
}

TEST_CASE("a sequence that the border of two parts cuts is kept whole, and a broken one becomes U+FFFD byte by byte") {
  for (const std::string sequence : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    for (std::size_t before = (1u << 11) - 5; before < (1u << 11) + 2; ++before) {
      const std::string padding(before, 'x');
      CHECK(text::json_string(padding + sequence + "y") == '"' + padding + sequence + "y\"");
      const std::string cut = sequence.substr(0, sequence.size() - 1);
      std::string marks;
      for (std::size_t i = 0; i < cut.size(); ++i) marks += "\xef\xbf\xbd";
      CHECK(text::json_string(padding + cut + "y") == '"' + padding + marks + "y\"");
    }
  }
}

TEST_CASE("a large string leaves room for what follows it") {
  std::string out;
  text::append_json_string(out, std::string(100'000, 'x'));
  CHECK(out.capacity() >= out.size() + 8);
}
