// One compiled regular expression of a schema. The texts it meets are the hostile part, so it is matched in linear
// time (one pass, or RE2) wherever that can be; PCRE2 with a bound takes what needs backtracking.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "schema/budget.h"

namespace collet::schema {

class Regex {
 public:
  static Result<Regex> compile(std::string_view ecma_pattern);

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  // Whether it matches anywhere in `text`. False if the budget ends first; the budget tells.
  bool search(std::string_view text, Budget& budget) const;

  const std::string& source() const { return source_; }

 private:
  struct Engine;
  Regex(std::string source, std::unique_ptr<Engine> engine);

  std::string source_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace collet::schema
