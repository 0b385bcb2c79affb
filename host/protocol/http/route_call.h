// One request to a route of a plugin's, until the plugin has ended the call.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "loop/loop.h"
#include "registry/principal.h"
#include "registry/registry.h"
#include "transport/http.h"

namespace collet::protocol {

class ServerLoop;

// Owned by its loop from begin() until on_end(), whatever becomes of the client in between. The deadline is for the answer's
// beginning. Loop thread, but for info().
class RouteCall final : public registry::Listener, public transport::HttpReplyObserver {
 public:
  // The page that asks has this origin; empty: it is none.
  RouteCall(ServerLoop& loop, std::uint64_t serial, transport::HttpReply& reply, registry::PrincipalPtr principal,
            std::string page);

  // Calls the route for `path`, which is below its plugin's. True: the call has ended.
  bool begin(const registry::Item& route, std::string_view path, registry::WebRequestPtr request, std::uint64_t timeout_ms);
  // What the plugin has said since the loop's last turn leaves now.
  void flush();
  void cancel(registry::CancelReason reason);
  // Whether its answer has begun to leave.
  bool streams() const { return begun_; }

  void on_progress(const registry::Progress&) override {}
  void on_log(const registry::LogMessage& message) override;
  void on_answer_head(registry::WebHead head) override;
  void on_answer_bytes(std::string& bytes) override;
  void on_end(registry::Ending& ending) override;
  std::optional<std::string_view> info(std::string_view key) const override;

  void on_gone() override;
  void on_sent() override;

 private:
  void flush_later();
  std::vector<transport::Header> headers() const;
  void expire();
  void write();
  void acknowledge();
  void answer(const registry::Ending& ending);
  void refuse(int status, std::string_view message);

  ServerLoop& loop_;
  const std::uint64_t serial_;
  transport::HttpReply* reply_;  // null once the answer is over, or its client gone
  const registry::PrincipalPtr principal_;
  const std::string page_;
  const std::map<std::string, std::string, std::less<>> info_;
  loop::Timer deadline_;
  const std::string* source_ = nullptr;  // the plugin's id
  registry::Provider* provider_ = nullptr;
  registry::CallId id_ = 0;
  bool starting_ = false;  // inside Provider::start()
  bool ended_ = false;
  bool flush_comes_ = false;
  bool begun_ = false;

  std::optional<registry::WebHead> head_;
  std::string pending_;     // of the body, to be written
  std::size_t unread_ = 0;  // bytes that are written, and that the client's connection has not taken
};

}  // namespace collet::protocol
