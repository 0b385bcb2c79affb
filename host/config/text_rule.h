// What a string of the configuration has to be like: "server.path must be " + must_be.
#pragma once

#include <string_view>

namespace collet::config {

struct TextRule {
  std::string_view must_be;
  bool (*holds)(std::string_view text);
  bool secret = false;  // what was given is not repeated in a message
};

extern const TextRule kAnyText;
extern const TextRule kSomeText;  // not empty
extern const TextRule kPath;
extern const TextRule kNamePart;  // of a tool or a prompt; may be empty
extern const TextRule kName;
extern const TextRule kHttpUrl;  // or a reference that is to become one
extern const TextRule kHeaderName;

// Whether it is of letters, digits and those characters.
bool all_of(std::string_view text, std::string_view more_than_alphanumeric);

}  // namespace collet::config
