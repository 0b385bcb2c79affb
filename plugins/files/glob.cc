#include "files/glob.h"

#include <string>
#include <utility>

#include "files/failure.h"
#include "files/utf8.h"

namespace files {
namespace {

constexpr std::size_t kGlobBytesMax = 1'024;
constexpr unsigned kBraceDepthMax = 8;
constexpr char32_t kStrayByte = 0x110000;  // added to a byte that is not UTF-8: equal to itself, to no character

char32_t take_character(std::string_view& text) {
  char32_t character;
  std::size_t length = decode_utf8(text, character);
  if (length == 0) {
    character = kStrayByte + static_cast<unsigned char>(text[0]);
    length = 1;
  }
  text.remove_prefix(length);
  return character;
}

}  // namespace

// Recursive descent over the pattern; each function appends the states of what it reads.
class GlobCompiler {
 public:
  GlobCompiler(std::string_view pattern, Glob& glob) : whole_(pattern), left_(pattern), glob_(glob) {}

  void run() {
    if (whole_.size() > kGlobBytesMax) throw Failure("the glob pattern is too long");
    sequence(0);
    if (!left_.empty()) throw malformed("'}' closes no '{'");
    add({Op::match});
  }

 private:
  using Op = Glob::Op;

  Failure malformed(const char* why) const {
    return Failure("bad glob pattern \"" + std::string(whole_) + "\": " + why);
  }

  std::uint32_t here() const { return static_cast<std::uint32_t>(glob_.steps_.size()); }
  std::uint32_t add(Glob::Step step) {
    glob_.steps_.push_back(step);
    return here() - 1;
  }

  bool take(std::string_view token) {
    if (!left_.starts_with(token)) return false;
    left_.remove_prefix(token.size());
    return true;
  }

  // Up to the end, or to the ',' or '}' of the braces around it.
  void sequence(unsigned depth) {
    while (!left_.empty()) {
      const char c = left_.front();
      if (c == '}' || (c == ',' && depth > 0)) return;
      if (c == '*') {
        stars();
      } else if (take("?")) {
        add({Op::component});
      } else if (take("[")) {
        set();
      } else if (take("{")) {
        alternatives(depth + 1);
      } else {
        if (take("\\") && left_.empty()) throw malformed("it ends in a backslash");
        add({Op::character, false, take_character(left_)});
      }
    }
  }

  void stars() {
    const auto offset = whole_.size() - left_.size();
    const bool starts_component =
        offset == 0 || std::string_view("/{,").find(whole_[offset - 1]) != std::string_view::npos;
    unsigned count = 0;
    while (take("*")) ++count;
    const bool ends_component = left_.empty() || left_[0] == '/' || left_[0] == ',' || left_[0] == '}';
    if (count < 2 || !starts_component || !ends_component) return repeat(Op::component);
    if (!take("/")) return repeat(Op::path);
    const auto skip = add({Op::split});
    glob_.steps_[skip].value = here();
    repeat(Op::path);
    add({Op::character, false, '/'});
    glob_.steps_[skip].end = here();
  }

  void repeat(Op op) {
    const auto loop = add({Op::split});
    glob_.steps_[loop].value = add({op});
    add({Op::jump, false, loop});
    glob_.steps_[loop].end = here();
  }

  void set() {
    Glob::Step step{Op::set};
    step.negated = take("!") || take("^");
    step.value = static_cast<char32_t>(glob_.ranges_.size());
    for (bool first = true; first || !take("]"); first = false) {
      if (left_.empty()) throw malformed("'[' is not closed by ']'");
      const char32_t low = take_character(left_);
      char32_t high = low;
      if (left_.size() >= 2 && left_[0] == '-' && left_[1] != ']') {
        left_.remove_prefix(1);
        high = take_character(left_);
      }
      if (high < low) throw malformed("a range in '[]' runs backwards");
      glob_.ranges_.push_back({low, high});
    }
    step.end = static_cast<std::uint32_t>(glob_.ranges_.size());
    add(step);
  }

  void alternatives(unsigned depth) {
    if (depth > kBraceDepthMax) throw malformed("its braces are nested too deeply");
    std::vector<std::uint32_t> exits;
    while (true) {
      const auto fork = add({Op::split});
      glob_.steps_[fork].value = here();
      sequence(depth);
      exits.push_back(add({Op::jump}));
      glob_.steps_[fork].end = here();
      if (take(",")) continue;
      if (!take("}")) throw malformed("'{' is not closed by '}'");
      glob_.steps_[fork] = {Op::jump, false, fork + 1};  // the last one is not a choice
      break;
    }
    for (const auto exit : exits) glob_.steps_[exit].value = here();
  }

  const std::string_view whole_;
  std::string_view left_;
  Glob& glob_;
};

Glob::Glob(std::string_view pattern) : leaf_only_(pattern.find('/') == pattern.npos) {
  GlobCompiler(pattern, *this).run();
}

bool Glob::accepts(const Step& step, char32_t character) const {
  switch (step.op) {
    case Op::character:
      return character == step.value;
    case Op::component:
      return character != '/';
    case Op::path:
      return true;
    case Op::set:
      if (character == '/') return false;
      for (auto i = step.value; i < step.end; ++i) {
        if (character >= ranges_[i].first && character <= ranges_[i].last) return !step.negated;
      }
      return step.negated;
    default:
      return false;
  }
}

// All states that the automaton may be in are advanced together, one character at a time.
bool Glob::matches(std::string_view path) const {
  if (leaf_only_) path.remove_prefix(path.rfind('/') + 1);
  std::vector<std::uint32_t> now, next, pending;
  std::vector<std::uint32_t> seen(steps_.size(), 0);  // the turn in which a state was last entered
  std::uint32_t turn = 0;
  const auto enter = [&](std::uint32_t first, std::vector<std::uint32_t>& states) {
    pending.push_back(first);
    while (!pending.empty()) {
      const auto state = pending.back();
      pending.pop_back();
      if (std::exchange(seen[state], turn) == turn) continue;
      const Step& step = steps_[state];
      if (step.op == Op::split) pending.push_back(step.end);
      if (step.op == Op::split || step.op == Op::jump) {
        pending.push_back(step.value);
      } else {
        states.push_back(state);
      }
    }
  };
  ++turn;
  enter(0, now);
  while (!path.empty() && !now.empty()) {
    const char32_t character = take_character(path);
    ++turn;
    next.clear();
    for (const auto state : now) {
      if (accepts(steps_[state], character)) enter(state + 1, next);
    }
    now.swap(next);
  }
  for (const auto state : now) {
    if (path.empty() && steps_[state].op == Op::match) return true;
  }
  return false;
}

}  // namespace files
