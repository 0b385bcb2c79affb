// Who sends a request: the port behind which it is known whom credentials stand for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/callback.h"
#include "registry/principal.h"

namespace collet::protocol {

// Why a request may not go on.
struct Refusal {
  int status;
  std::string message;         // for people, with a line break
  std::string challenge = {};  // the WWW-Authenticate header, or empty
  unsigned retry_after_s = 0;  // the Retry-After header, or 0: none
};

// Of a token that stands for nobody (RFC 6750 §3.1).
Refusal invalid_token();
// Of credentials that nobody could judge: they may be good.
Refusal cannot_authenticate(std::string_view why);
// Of a request whose route needs what could not be fetched.
Refusal cannot_fetch_needs(std::string_view why);

// Whom credentials stand for, or why the request may not go on.
using Verdict = std::variant<registry::PrincipalPtr, Refusal>;

// What a request shows of who sends it. Borrowed until the function returns that is given it.
struct Credentials {
  std::string_view token;  // of a bearer; not empty
};

// The way back for a verdict that was not there at once. Used once, on any thread, also when the request, its site or its loop
// has long gone. Dropped unused, it says that nobody could judge.
class LateVerdict {
 public:
  explicit LateVerdict(Callback<void(Verdict)> deliver) : deliver_(std::move(deliver)) {}
  ~LateVerdict();
  LateVerdict(LateVerdict&&) = default;
  LateVerdict& operator=(LateVerdict&&) = delete;

  void say(Verdict verdict);

 private:
  Callback<void(Verdict)> deliver_;
};

// Asked on the threads of all loops, once for each request that needs a token; outlives the loops' sites. A principal that it
// names is not null. It keeps the loop waiting for nothing.
class Authenticator {
 public:
  virtual ~Authenticator() = default;

  // The verdict, if it is there; nothing: find_out() is called next.
  virtual std::optional<Verdict> known(const Credentials& credentials) = 0;
  // Begins to find the verdict out, and says it now or later. The request waits for it, but for no longer than
  // AccessRules::authentication_timeout_ms. Who knows every verdict needs none of this.
  virtual void find_out(const Credentials& credentials, LateVerdict verdict);
};

}  // namespace collet::protocol
