// Principals for tests, and who knows them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/http/authenticator.h"
#include "registry/principal.h"

namespace collet::test {

// Null, as nobody in particular is, if `id` is empty.
inline registry::PrincipalPtr named(std::string_view id, registry::ViewRules rules = {}) {
  if (id.empty()) return nullptr;
  registry::Principal principal{.id = std::string(id), .kind = registry::Principal::Kind::token};
  if (rules != registry::ViewRules()) principal.view = std::make_shared<registry::View>(rules);
  return std::make_shared<registry::Principal>(std::move(principal));
}

// The principal that a token stands for, or null.
using PrincipalOf = std::function<registry::PrincipalPtr(std::string_view token)>;

// One that knows all of them, at once or in the loop's next turn.
class KnownTokens final : public protocol::Authenticator {
 public:
  KnownTokens(PrincipalOf principal_of, bool at_once) : principal_of_(std::move(principal_of)), at_once_(at_once) {}
  std::optional<protocol::Verdict> known(const protocol::Credentials& credentials) override {
    if (!at_once_) return std::nullopt;
    return verdict_on(credentials);
  }
  void find_out(const protocol::Credentials& credentials, protocol::LateVerdict verdict) override {
    verdict.say(verdict_on(credentials));
  }

 private:
  protocol::Verdict verdict_on(const protocol::Credentials& credentials) const {
    if (auto principal = principal_of_(credentials.token)) return principal;
    return protocol::invalid_token();
  }

  const PrincipalOf principal_of_;
  const bool at_once_;
};

inline std::shared_ptr<protocol::Authenticator> known_by(PrincipalOf principal_of, bool at_once = true) {
  return std::make_shared<KnownTokens>(std::move(principal_of), at_once);
}

}  // namespace collet::test
