// The authorization code grant with PKCE (RFC 6749 §4.1, RFC 7636): a person agrees in a browser.
#pragma once

#include "client/auth/grant.h"

namespace collet::client::auth {

class AuthorizationCode final : public Grant {
 public:
  explicit AuthorizationCode(const GrantContext& context) : context_(context) {}

  bool needs_person() const override { return true; }
  void obtain(GrantRequest request, std::function<void(TokenAnswer)> done) override;

 private:
  struct Asked {
    std::string state;
    std::string verifier;
    std::string url;
    GrantRequest request;
  };

  static void ask(const GrantContext& context, const Asked& asked, const std::function<void(TokenAnswer)>& done);

  const GrantContext context_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

// The query that came back to our redirect URI (RFC 6749 §4.1.2, RFC 9207 §2.4): its code, or why there is none.
Result<std::string> check_callback(std::string_view query, const ServerMetadata& server, std::string_view state);

}  // namespace collet::client::auth
