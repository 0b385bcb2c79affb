// What stands between us and the person who agrees: mostly a browser.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "client/net/result.h"

namespace collet::client::auth {

class UserAgent {
 public:
  // Where an authorization server is to send people back to. `preferred` is one used before, or empty: it is taken
  // if it can be. A failure says what the user can do.
  virtual Result<std::string> redirect_uri(std::string_view preferred, std::uint16_t port) = 0;

  // Opens `url`, and calls `done` once with the query that arrived at `redirect_uri`, which redirect_uri() gave.
  virtual void authorize(const std::string& url, const std::string& redirect_uri,
                         std::function<void(Result<std::string>)> done) = 0;

  // What came of it, for the person to read. Also without authorize() before.
  virtual void conclude(const Result<void>&) {}
  // Whether what the authorization server answers is seen by a person, and by nobody else.
  virtual bool is_browser() const { return false; }

 protected:
  ~UserAgent() = default;
};

// For services that nobody watches.
class NoUserAgent final : public UserAgent {
 public:
  explicit NoUserAgent(std::string remote) : remote_(std::move(remote)) {}

  Result<std::string> redirect_uri(std::string_view preferred, std::uint16_t port) override;
  void authorize(const std::string& url, const std::string& redirect_uri,
                 std::function<void(Result<std::string>)> done) override;

 private:
  Error refusal() const;

  const std::string remote_;
};

}  // namespace collet::client::auth
