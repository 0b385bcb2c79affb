// One request to a route of a plugin's, until the plugin has ended the call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/context.h"
#include "registry/principal.h"
#include "registry/registry.h"
#include "registry/rounds.h"
#include "transport/http.h"

namespace collet::protocol {

class RouteCalls;

// What a request to a route comes with besides what its plugin is told.
struct RouteVisit {
  registry::PrincipalPtr principal = {};
  std::string page = {};  // the origin of the page that asks; empty: it is none
  std::vector<std::pair<std::string, std::string>> headers = {};  // that plugins hand on
  bool wants_head_only = false;                                   // HEAD
};

// Owned by the RouteCalls of its loop from begin() until on_end(), whatever becomes of the client in between. The deadline is for the answer's
// beginning. A body that follows goes on to the plugin; if it cannot come any more the call is cancelled. Loop thread, but for info().
class RouteCall final : public registry::Listener, public transport::HttpReplyObserver {
 public:
  RouteCall(RouteCalls& calls, std::uint64_t serial, transport::HttpReply& reply, RouteVisit visit);

  // Calls the route for `path`, which is below its plugin's. True: the call has ended.
  bool begin(const registry::Item& route, std::string_view path, registry::WebRequestPtr request, std::uint64_t timeout_ms);
  // What the plugin has said since the loop's last turn leaves now.
  void flush();
  void cancel(registry::CancelReason reason);
  // Whether it is an event stream that has begun.
  bool is_stream() const { return begun_ && events_; }

  void on_progress(const registry::Progress&) override {}
  void on_log(const registry::LogMessage& message) override;
  void on_answer_head(registry::WebHead head) override;
  void on_answer_bytes(std::string& bytes) override;
  void on_body_taken(std::size_t bytes) override;
  void on_deadline() override;
  void on_end(registry::Ending& ending) override;
  std::optional<std::string_view> info(std::string_view key) const override;

  void on_gone() override;
  void on_sent() override;
  void on_body(std::string_view bytes, bool last) override;
  void on_body_failed(int status, std::string_view why) override;

 private:
  void flush_later();
  void say();
  void say_head_alone();
  void say_no_body();
  void begin_answer();
  void write();
  void acknowledge();
  void answer(const registry::Ending& ending);
  void refuse(int status, std::string_view message);
  void give_up();
  transport::HttpReply& end_reply();
  std::vector<transport::Header> headers() const;

  RouteCalls& calls_;
  const std::uint64_t serial_;
  transport::HttpReply* reply_;  // null once the answer is over, or its client gone
  const RouteVisit visit_;
  std::map<std::string, std::string, std::less<>> info_;  // what a plugin may know of the caller, by call_info()'s keys
  registry::Rounds round_;  // there is one
  bool ended_ = false;
  bool flush_comes_ = false;
  bool begun_ = false;   // a part of the answer has left
  bool events_ = false;  // the answer is an event stream
  bool lost_ = false;    // a part of the answer is missing, for want of memory
  bool body_follows_ = false;     // the request's, and has not come whole
  bool body_is_awaited_ = false;  // the plugin has asked for it
  std::size_t body_ahead_ = 0;    // bytes of it that the plugin has not taken

  std::optional<registry::WebHead> head_;
  std::string pending_;       // of the body, to be written
  std::size_t untaken_ = 0;  // bytes that are written, and that the client's connection has not taken
};

}  // namespace collet::protocol
