#include "foreign/json_edit.h"

#include <fmt/core.h>

#include <utility>

#include "base/text.h"
#include "foreign/json_lexer.h"

namespace collet::foreign {
namespace {

// Goes down the path as far as there are objects.
class Walk {
 public:
  Walk(Source& source, const MemberPlace& place) : source_(source), lexer_(source), place_(place) {}

  // False if there is a problem.
  bool run() {
    if (!lexer_.skip_blanks()) return false;
    if (source_.is_utf16()) return lexer_.fail_at(lexer_.position(), "it is in UTF-16; save it as UTF-8");
    return walk_object();
  }
  std::string problem() const {
    const config::Problem& wrong = *lexer_.problem();
    return fmt::format("{}:{}: {}", wrong.at.line, wrong.at.column, wrong.message);
  }

  // The innermost object on the way.
  std::size_t depth = 0;    // how many names of the path led to it
  std::uint64_t begin = 0;  // behind its brace
  bool is_empty = true;
  // Takes the member out, with the comma behind it, or if there is none with that in front of it. Comments stay.
  std::optional<Edit> found;
  // Its value.
  std::uint64_t value_at = 0, value_end = 0;

 private:
  bool walk_object() {
    if (lexer_.peek() != '{') return lexer_.fail("an object is expected");
    lexer_.take();
    begin = lexer_.offset();
    is_empty = true;
    std::optional<std::uint64_t> comma;  // in front of the member
    std::string before;                  // blanks and comments between that and the member
    while (skip_blanks(before)) {
      if (lexer_.peek() == '}') return true;
      is_empty = false;
      const std::uint64_t name_at = lexer_.offset();
      std::string name;
      if (!lexer_.read_name(name)) return false;
      if (depth < place_.path.size() && name == place_.path[depth]) return ++depth, walk_object();
      value_at = lexer_.offset();
      if (!lexer_.skip_value()) return false;
      value_end = lexer_.offset();
      std::string behind;
      if (!skip_blanks(behind)) return false;
      const bool has_next = lexer_.peek() == ',';
      if (depth == place_.path.size() && name == place_.key) {
        note(comma, name_at, before, behind, has_next);
        return true;
      }
      if (!has_next && lexer_.peek() != '}') return lexer_.fail("a comma, or }, is expected");
      if (has_next) {
        comma = lexer_.offset();
        lexer_.take();
      }
    }
    return false;
  }

  bool skip_blanks(std::string& passed) {
    passed.clear();
    source_.copy_to(&passed);
    const bool done = lexer_.skip_blanks();
    source_.copy_to(nullptr);
    return done;
  }

  static bool has_comment(const std::string& blanks) { return blanks.find('/') != std::string::npos; }

  void note(std::optional<std::uint64_t> comma, std::uint64_t name_at, const std::string& before,
            const std::string& behind, bool has_next) {
    const bool drops_comma = comma && !has_next;
    const std::uint64_t from = drops_comma ? *comma : has_comment(before) ? name_at : name_at - before.size();
    const bool is_alone = !comma && !has_next;
    std::uint64_t to = has_next ? lexer_.offset() + 1 : value_end;
    if (is_alone && !has_comment(before + behind)) to = lexer_.offset();
    found = Edit{from, to - from, drops_comma && has_comment(before) ? before : ""};
    if (has_next && has_comment(behind)) found->inserted += behind;
  }

  Source& source_;
  JsonLexer lexer_;
  const MemberPlace& place_;
};

std::string indent(std::size_t depth) { return "\n" + std::string(2 * depth, ' '); }

std::string indented(std::string_view value, std::size_t depth) {
  std::string out;
  for (const char c : value) out += c == '\n' ? indent(depth) : std::string(1, c);
  return out;
}

}  // namespace

Result<Edit> add_member(Source& source, const MemberPlace& place, std::string_view value) {
  Walk walk(source, place);
  if (!walk.run()) return error("{}", walk.problem());
  if (walk.found) return error("it has {} already", text::json_string(place.key));
  std::string added;
  for (std::size_t depth = walk.depth; depth < place.path.size(); ++depth)
    added += indent(depth + 1) + text::json_string(place.path[depth]) + ": {";
  const std::size_t depth = place.path.size() + 1;
  added += indent(depth) + text::json_string(place.key) + ": " + indented(value, depth);
  for (std::size_t each = place.path.size(); each > walk.depth; --each) added += indent(each) + "}";
  added += walk.is_empty ? indent(walk.depth) : ",";
  return Edit{walk.begin, 0, std::move(added)};
}

Result<Edit> replace_member(Source& source, const MemberPlace& place, std::string_view value) {
  Walk walk(source, place);
  if (!walk.run()) return error("{}", walk.problem());
  if (!walk.found) return error("it has no {}", text::json_string(place.key));
  return Edit{walk.value_at, walk.value_end - walk.value_at, indented(value, place.path.size() + 1)};
}

Result<std::optional<Edit>> remove_member(Source& source, const MemberPlace& place) {
  Walk walk(source, place);
  if (!walk.run()) return error("{}", walk.problem());
  return walk.found;
}

}  // namespace collet::foreign
