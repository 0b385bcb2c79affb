// The browser of a person at this machine: it is shown a URL and sends the answer to a listener of ours on
// 127.0.0.1 (RFC 8252 §7.3).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "client/auth/user_agent.h"

struct uv_loop_s;

namespace collet::client::auth {

// On the loop's thread.
class LoopbackAgent final : public UserAgent {
 public:
  // `show` is given each URL that somebody is to open. The loop outlives the agent, and runs once more after it.
  LoopbackAgent(uv_loop_s* loop, std::function<void(const std::string& url)> show);
  // Whoever waits is told that nobody answered, and the browser that nobody waits.
  ~LoopbackAgent();
  LoopbackAgent(const LoopbackAgent&) = delete;
  LoopbackAgent& operator=(const LoopbackAgent&) = delete;

  // Listens from here until an answer has come or limits::kLoginTimeoutMs have passed.
  Result<std::string> redirect_uri(std::string_view preferred, std::uint16_t port) override;
  // One at a time. Only an answer with the state of `url` counts.
  void authorize(const std::string& url, const std::string& redirect_uri,
                 std::function<void(Result<std::string>)> done) override;

  // Shown in the browser, where it has answered and waits for this.
  void conclude(const Result<void>& outcome) override;
  bool is_browser() const override { return true; }

  // What limits::kLoginTimeoutMs is for people.
  void set_timeout_ms(std::uint64_t timeout_ms) { timeout_ms_ = timeout_ms; }

 private:
  class Listener;

  // The query of a request for the redirect URI. False if it is not the one waited for.
  bool arrived(std::string_view query);
  void finish(Result<std::string> result);

  uv_loop_s* const loop_;
  const std::function<void(const std::string&)> show_;
  Listener* listener_ = nullptr;  // deletes itself once libuv has let go of it
  Listener* asking_ = nullptr;    // one that has closed, but for a browser that waits for how it ended
  std::string uri_;
  std::string state_;
  std::function<void(Result<std::string>)> done_;
  std::uint64_t timeout_ms_;
};

}  // namespace collet::client::auth
