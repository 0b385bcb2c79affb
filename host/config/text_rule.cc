#include "config/text_rule.h"

#include <algorithm>

#include "base/text.h"
#include "config/header_name.h"

namespace collet::config {

bool all_of(std::string_view text, std::string_view more_than_alphanumeric) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more_than_alphanumeric.find(c) != std::string_view::npos;
  });
}

const TextRule kAnyText{"a string", [](std::string_view) { return true; }};

const TextRule kSomeText{"a string that is not empty", [](std::string_view text) { return !text.empty(); }};

const TextRule kPath{"a path that is not empty", [](std::string_view text) {
                       return !text.empty() && text.find('\0') == std::string_view::npos;
                     }};

const TextRule kNamePart{"of the characters A-Z a-z 0-9 _ . -",
                         [](std::string_view text) { return all_of(text, "_.-"); }};

const TextRule kName{"a name of the characters A-Z a-z 0-9 _ . -",
                     [](std::string_view text) { return !text.empty() && kNamePart.holds(text); }};

const TextRule kHttpUrl{"an http:// or https:// URL", [](std::string_view text) {
                          return text.starts_with("http://") || text.starts_with("https://") || text.starts_with("${");
                        }};

const TextRule kHeaderName{"the name of a header that Collet does not set itself", [](std::string_view text) {
                             return text::is_token(text) && !is_own_header(text);
                           }};

}  // namespace collet::config
