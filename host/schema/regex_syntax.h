// ECMA-262 regular expressions, read with Unicode semantics and rewritten in a syntax that RE2 and PCRE2 both take.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "schema/char_runs.h"

namespace collet::schema {

struct Translation {
  std::string text;              // what RE2 cannot do (lookaround, backreferences) it refuses in this form too
  std::optional<CharRuns> runs;  // the whole pattern, if it is that simple
};

// Escapes of punctuation that need none are let through, as are braces that repeat nothing; all else that ECMA-262
// refuses is refused.
Result<Translation> translate_regex(std::string_view pattern);

}  // namespace collet::schema
