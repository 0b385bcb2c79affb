#include "registry/kept_call.h"

#include <array>

namespace collet::registry {
namespace {

constexpr std::array kTexts = {&Call::name, &Call::state};
constexpr std::array kOptionalTexts = {&Call::arguments, &Call::variables, &Call::input_responses};

}  // namespace

KeptCall::KeptCall(const Call& call, Clock::time_point now) : call_(call), made_at_(now) {
  std::size_t size = 0;
  for (const auto text : kTexts) size += (call.*text).size();
  for (const auto text : kOptionalTexts) size += (call.*text).value_or("").size();
  texts_.reserve(size);
  for (const auto text : kTexts) call_.*text = keep(call.*text);
  for (const auto text : kOptionalTexts) {
    if (call.*text) call_.*text = keep(*(call.*text));
  }
}

// There is room for it: what has been kept does not move.
std::string_view KeptCall::keep(std::string_view text) {
  const std::size_t at = texts_.size();
  texts_.append(text);
  return std::string_view(texts_).substr(at);
}

Call KeptCall::borrowed(Clock::time_point now) const {
  Call call = call_;
  if (call.timeout_ms == 0) return call;
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(now - made_at_);
  const auto spent = static_cast<std::uint64_t>(waited.count());
  call.timeout_ms = spent < call.timeout_ms ? call.timeout_ms - spent : 1;
  return call;
}

}  // namespace collet::registry
