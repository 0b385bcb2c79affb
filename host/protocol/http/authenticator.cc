#include "protocol/http/authenticator.h"

#include <fmt/core.h>

#include <new>

#include "base/assert.h"

namespace collet::protocol {

Refusal invalid_token() {
  return {401, "This token is not valid here\n", "Bearer realm=\"collet\", error=\"invalid_token\""};
}

namespace {

Refusal cannot_find_out(std::string_view what, std::string_view why) {
  constexpr unsigned kRetryAfterS = 2;
  return {503, fmt::format("It cannot be found out now {}: {}\n", what, why), {}, kRetryAfterS};
}

}  // namespace

Refusal cannot_authenticate(std::string_view why) { return cannot_find_out("whose token this is", why); }
Refusal cannot_fetch_needs(std::string_view why) { return cannot_find_out("what this request goes on with", why); }

LateVerdict::~LateVerdict() {
  if (!deliver_) return;
  try {
    say(cannot_authenticate("the question was dropped"));
  } catch (const std::bad_alloc&) {  // then the time limit refuses the request
  }
}

void LateVerdict::say(Verdict verdict) {
  COLLET_ASSERT(deliver_);  // else it has been said
  std::exchange(deliver_, nullptr)(std::move(verdict));
}

// Its verdict is dropped, which refuses the request.
void Authenticator::find_out(const Credentials&, LateVerdict) {}

}  // namespace collet::protocol
