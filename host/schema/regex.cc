#include "schema/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <re2/re2.h>

#include <variant>

#include "schema/regex_syntax.h"

namespace collet::schema {
namespace {

// What a search costs, so that a step takes roughly as long here as everywhere else.
constexpr std::int64_t kRunsSteps = 1;
constexpr std::int64_t kLinearSteps = 12;
constexpr std::size_t kRunBytesPerStep = 64;
constexpr std::size_t kLinearBytesPerStep = 16;
constexpr std::uint32_t kBacktracksPerStep = 32;
// How much a pattern that is not hostile backtracks, generously.
constexpr std::uint32_t kBacktracksBase = 2'000;
constexpr std::uint32_t kBacktracksPerByte = 64;
constexpr std::uint32_t kBacktracksMax = 2'000'000;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
using Backtracking = std::unique_ptr<pcre2_code, FreeCode>;

// What a thread needs to run PCRE2; made on its first use.
struct MatchState {
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);

  MatchState() { COLLET_ASSERT(data && context); }
  ~MatchState() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }
};

bool search_runs(const CharRuns& runs, std::string_view text, Budget& budget) {
  return budget.spend(kRunsSteps + static_cast<std::int64_t>(text.size() / kRunBytesPerStep)) && runs.matches(text);
}

bool search_linear(const RE2& re2, std::string_view text, Budget& budget) {
  if (!budget.spend(kLinearSteps + static_cast<std::int64_t>(text.size() / kLinearBytesPerStep))) return false;
  return re2.Match({text.data(), text.size()}, 0, text.size(), RE2::UNANCHORED, nullptr, 0);
}

bool search_backtracking(const pcre2_code& code, std::string_view text, Budget& budget) {
  const auto bytes = static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), kBacktracksMax));
  const std::uint32_t backtracks = std::min(kBacktracksMax, kBacktracksBase + bytes * kBacktracksPerByte);
  if (!budget.spend(backtracks / kBacktracksPerStep)) return false;
  static thread_local MatchState state;
  pcre2_set_match_limit(state.context, backtracks);
  const int result =
      pcre2_match(&code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, state.data, state.context);
  if (result >= 0) return true;
  // Text that is no UTF-8 matches nothing.
  if (result == PCRE2_ERROR_NOMATCH || (result <= PCRE2_ERROR_UTF8_ERR1 && result >= PCRE2_ERROR_UTF8_ERR21))
    return false;
  return budget.stop(Limit::regex);
}

Result<Backtracking> compile_backtracking(const std::string& text) {
  int code = 0;
  PCRE2_SIZE offset = 0;
  Backtracking result(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                    PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_MATCH_UNSET_BACKREF, &code, &offset,
                                    nullptr));
  if (!result) {
    char message[256] = "";
    pcre2_get_error_message(code, reinterpret_cast<PCRE2_UCHAR*>(message), sizeof message);
    return error("{}", message);
  }
  // Where there is no JIT the interpreter does the same, slower.
  pcre2_jit_compile(result.get(), PCRE2_JIT_COMPLETE);
  return result;
}

}  // namespace

struct Regex::Engine {
  std::variant<CharRuns, std::unique_ptr<RE2>, Backtracking> kind;
};

Regex::Regex(std::string source, std::unique_ptr<Engine> engine)
    : source_(std::move(source)), engine_(std::move(engine)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern) {
  if (pattern.size() > limits::kSchemaPatternBytesMax) {
    return error("the regular expression is longer than {} bytes", limits::kSchemaPatternBytesMax);
  }
  const auto refused = [&](std::string_view why) {
    return error("\"{}\" is not a regular expression of ECMA-262 that can be used here: {}", pattern, why);
  };
  auto translation = translate_regex(pattern);
  if (!translation) return refused(translation.message());
  if (translation->runs) {
    return Regex(std::string(pattern), std::make_unique<Engine>(Engine{std::move(*translation->runs)}));
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(limits::kSchemaRegexMemoryBytesMax);
  auto re2 = std::make_unique<RE2>(translation->text, options);
  if (re2->ok()) return Regex(std::string(pattern), std::make_unique<Engine>(Engine{std::move(re2)}));
  auto backtracking = compile_backtracking(translation->text);
  if (!backtracking) return refused(backtracking.message());
  return Regex(std::string(pattern), std::make_unique<Engine>(Engine{std::move(*backtracking)}));
}

bool Regex::search(std::string_view text, Budget& budget) const {
  switch (engine_->kind.index()) {
    case 0:
      return search_runs(*std::get_if<0>(&engine_->kind), text, budget);
    case 1:
      return search_linear(**std::get_if<1>(&engine_->kind), text, budget);
    default:
      return search_backtracking(**std::get_if<2>(&engine_->kind), text, budget);
  }
}

}  // namespace collet::schema
