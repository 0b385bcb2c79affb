#include "fetch/head_reader.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "collet/kit/text.hpp"

namespace collet::fetch {
namespace {

using text::equals_ignoring_case;

constexpr const char* kNoHttp = "its answer is not HTTP/1.1";

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view without_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Of the codings that are asked for one at most: a chain of them could unpack to anything.
bool is_known_packing(std::string_view coding) {
  for (const std::string_view known : {"gzip", "x-gzip", "deflate"}) {
    if (equals_ignoring_case(coding, known)) return true;
  }
  return false;
}

}  // namespace

void HeadReader::take(std::string_view line) {
  bytes_ += line.size();
  if (bytes_ > limits::kFetchHeadBytesMax) problem_ = "its head is too large";
  if (problem_ || whole_) return;
  line = without_end(line);
  if (!begun_) return begin(line);
  if (line.empty()) return finish();
  take_field(line);
}

// RFC 9112 section 4.
void HeadReader::begin(std::string_view line) {
  begun_ = true;
  head_.fields.clear();
  const bool good = line.size() >= 12 && (line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ")) && line[9] >= '1' &&
                    std::all_of(line.begin() + 9, line.begin() + 12, is_digit) && (line.size() == 12 || line[12] == ' ');
  if (!good) {
    problem_ = kNoHttp;
    return;
  }
  head_.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
}

void HeadReader::take_field(std::string_view line) {
  if (is_blank(line.front())) {  // it goes on with the one before
    if (head_.fields.empty()) problem_ = kNoHttp;
    else head_.fields.back().value.append(" ").append(kit::trimmed(line));
    return;
  }
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = colon == std::string_view::npos ? std::string_view() : kit::trimmed(line.substr(colon + 1));
  if (colon == std::string_view::npos || !text::is_token(name) || value.find('\0') != std::string_view::npos) {
    problem_ = "its head has a line that is no field";
  } else if (head_.fields.size() >= limits::kFetchAnswerFieldsMax) {
    problem_ = "its head has too many fields";
  } else {
    head_.fields.push_back({std::string(name), std::string(value)});
  }
}

void HeadReader::finish() {
  begun_ = false;
  if (head_.status < 200) {
    if (head_.status == 101) problem_ = "it has not answered in HTTP, but changes to another protocol";
    return;
  }
  whole_ = true;
  std::string_view length;
  for (const Field& field : head_.fields) {
    if (equals_ignoring_case(field.name, "transfer-encoding") && !equals_ignoring_case(field.value, "chunked")) {
      problem_ = "its answer has a length that cannot be known";
    } else if (equals_ignoring_case(field.name, "content-length")) {
      constexpr std::size_t kDigitsMax = 18;
      const std::string_view digits = field.value;
      if (digits.empty() || digits.size() > kDigitsMax || !std::all_of(digits.begin(), digits.end(), is_digit)) {
        problem_ = "its answer has a Content-Length that is no number";
      } else if (length.data() && length != digits) {
        problem_ = "its answer has two lengths";
      }
      length = field.value;
    } else if (unpacks_ && equals_ignoring_case(field.name, "content-encoding") && !field.value.empty() &&
               !equals_ignoring_case(field.value, "identity")) {
      if (is_unpacked_ || !is_known_packing(field.value)) problem_ = "its answer is packed in a way that was not asked for";
      is_unpacked_ = true;
    }
  }
}

}  // namespace collet::fetch
