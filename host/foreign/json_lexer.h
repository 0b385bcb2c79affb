// Passes over JSON as people write it, piece by piece: what its readers have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/document.h"
#include "foreign/source.h"

namespace collet::foreign {

// All but peek() and take() return false if there is a problem, of which the first is kept.
class JsonLexer {
 public:
  explicit JsonLexer(Source& source) : source_(source) {}

  int peek() { return source_.peek(); }
  int take() { return source_.take(); }
  config::Position position() const { return source_.position(); }
  std::uint64_t offset() const { return source_.offset(); }

  // And comments.
  bool skip_blanks();
  // The string that begins here, without its quotes and escapes.
  bool read_string(std::string& text);
  // The value that begins here. It is checked for its brackets and quotes only.
  bool skip_value();
  // A name, the colon behind it and the blanks around that.
  bool read_name(std::string& name);

  // "not JSON: …" here, unless reading failed.
  bool fail(std::string_view expected);
  bool fail_at(config::Position at, std::string message);
  const std::optional<config::Problem>& problem() const { return problem_; }

  // Whether it can stand in a number or a word.
  static bool is_word(int c);

 private:
  bool skip_string();
  bool skip_comment();

  Source& source_;
  std::optional<config::Problem> problem_;
};

}  // namespace collet::foreign
