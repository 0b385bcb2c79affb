#include "client/auth/user_agent.h"

namespace collet::client::auth {

Error NoUserAgent::refusal() const {
  return {"it needs a person's consent, and this process has nobody to ask; run: collet login " + remote_};
}

Result<std::string> NoUserAgent::redirect_uri(std::string_view, std::uint16_t) { return refusal(); }

void NoUserAgent::authorize(const std::string&, const std::string&, std::function<void(Result<std::string>)> done) {
  done(refusal());
}

}  // namespace collet::client::auth
