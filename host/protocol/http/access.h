// Who may talk to us over HTTP: Host and Origin against DNS rebinding, bearer tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "protocol/http/authenticator.h"
#include "registry/principal.h"
#include "transport/http.h"

namespace collet::protocol {

struct AccessRules {
  std::vector<std::string> allowed_hosts;    // besides loopback names; with or without a port
  std::vector<std::string> allowed_origins;  // besides those of loopback: "https://app.example.com"
  // Whether a Host that is not allowed is refused. Off where others reach us under names that we cannot know, which
  // is safe if they need a token.
  bool check_host = true;
  // Knows whom bearer tokens stand for, or can find it out; shared with whoever has made it. Null: no token is needed.
  std::shared_ptr<Authenticator> authenticator;
  // Who comes where no token is needed.
  registry::PrincipalPtr anybody = {};
  // How long a request waits for who sends it, and then for the session that it names; and how many do so on one loop,
  // of each. One client has half of them.
  std::uint64_t authentication_timeout_ms = limits::kAuthenticationTimeoutMs;
  unsigned authentications_max = limits::kAuthenticationsMax;
};

// Whom what a request takes is counted to.
inline std::string counted_to(const registry::PrincipalPtr& principal, std::string_view client) {
  const std::string& id = registry::id_of(principal);
  return id.empty() ? std::string(client) : "principal " + id;
}

class Access {
 public:
  explicit Access(AccessRules rules) : rules_(std::move(rules)) {}

  // Who sends the request, or why it may not go on; nothing: find_out() tells later.
  std::optional<Verdict> check(const transport::HttpRequest& request) const;
  void find_out(const transport::HttpRequest& request, LateVerdict verdict) const;
  // Host and Origin alone.
  std::optional<Refusal> check_names(const transport::HttpRequest& request) const;
  // The Host alone.
  std::optional<Refusal> check_host(const transport::HttpRequest& request) const;
  // Whether the request comes from a page, and one of an origin that is allowed.
  bool is_from_page(const transport::HttpRequest& request) const;
  bool needs_token() const { return rules_.authenticator != nullptr; }
  const AccessRules& rules() const { return rules_; }

 private:
  std::optional<Refusal> check_origin(const transport::HttpRequest& request) const;

  const AccessRules rules_;
};

}  // namespace collet::protocol
