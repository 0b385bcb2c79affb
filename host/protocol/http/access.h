// Who may talk to us over HTTP: Host and Origin against DNS rebinding, bearer tokens.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/principal.h"
#include "transport/http.h"

namespace collet::protocol {

struct AccessRules {
  std::vector<std::string> allowed_hosts;    // besides loopback names; with or without a port
  std::vector<std::string> allowed_origins;  // besides those of loopback: "https://app.example.com"
  // Whether a Host that is not allowed is refused. Off where others reach us under names that we cannot know, which
  // is safe if they need a token.
  bool check_host = true;
  // Any thread. The principal that the bearer token stands for, or null. Empty function: no token is needed.
  std::function<registry::PrincipalPtr(std::string_view token)> authenticate;
  // Who comes where no token is needed.
  registry::PrincipalPtr anybody = {};
};

struct Refusal {
  int status;
  std::string_view message;
  std::string_view challenge = {};  // the WWW-Authenticate header, or empty
};

// Whom what a request takes is counted to.
inline std::string counted_to(const registry::PrincipalPtr& principal, std::string_view client) {
  const std::string& id = registry::id_of(principal);
  return id.empty() ? std::string(client) : "principal " + id;
}

class Access {
 public:
  explicit Access(AccessRules rules) : rules_(std::move(rules)) {}

  // Sets `principal` if the request may go on.
  std::optional<Refusal> check(const transport::HttpRequest& request, registry::PrincipalPtr& principal) const;
  // Host and Origin alone.
  std::optional<Refusal> check_names(const transport::HttpRequest& request) const;
  // The Host alone.
  std::optional<Refusal> check_host(const transport::HttpRequest& request) const;
  // Whether the request comes from a page, and one of an origin that is allowed.
  bool is_from_page(const transport::HttpRequest& request) const;
  bool needs_token() const { return static_cast<bool>(rules_.authenticate); }

 private:
  std::optional<Refusal> check_origin(const transport::HttpRequest& request) const;

  const AccessRules rules_;
};

}  // namespace collet::protocol
