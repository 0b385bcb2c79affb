// A user agent for authorization servers that ask nobody, such as those of test suites: it follows their redirects
// until one leads back to us.
#pragma once

#include "client/auth/user_agent.h"
#include "client/net/fetch.h"

namespace collet::client::auth {

class FollowingAgent final : public UserAgent {
 public:
  // The fetcher outlives the agent.
  explicit FollowingAgent(Fetcher& fetcher) : fetcher_(fetcher) {}

  Result<std::string> redirect_uri(std::string_view preferred, std::uint16_t port) override;
  void authorize(const std::string& url, const std::string& redirect_uri,
                 std::function<void(Result<std::string>)> done) override;

 private:
  Fetcher& fetcher_;
};

}  // namespace collet::client::auth
