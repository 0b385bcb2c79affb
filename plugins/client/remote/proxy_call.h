// One call of the host on its way through a remote, over all that is asked in between.
//
// A modern remote that wants something of the client ends its request with the questions: the host's call is
// suspended with the remote's own state, and comes back as another call. A legacy remote asks while its request
// stays open: the host's call is suspended with a token, this object waits, and is found again by the token. So it
// is with the questions of a task, which a remote may make of the call.
#pragma once

#include <collet/plugin.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/mcp/connection.h"
#include "client/mcp/handshake.h"
#include "client/offer/host.h"
#include "client/offer/imported_item.h"
#include "client/remote/incoming_call.h"
#include "client/remote/remote_task.h"

namespace collet::client {

// suspend(): what the state is.
inline constexpr std::uint32_t kStateIsToken = 1;         // of a waiting ProxyCall
inline constexpr std::uint32_t kStateIsRequestState = 2;  // the remote's, as JSON text; may be empty

class ProxyCall final : public Asker, public TaskWaiter {
 public:
  // The remote that is called.
  class Owner : public RemoteTask::Owner {
   public:
    virtual const Host& host() const = 0;
    virtual const RemoteConfig& config() const = 0;
    virtual const Peer& peer() const = 0;
    // Begins the call once more as soon as there is a connection; fails it if that cannot be had.
    virtual void begin_when_up(ProxyCall& call, const std::string& why) = 0;
    // Gives the call a token to be found by; false if there are too many.
    virtual bool keep_suspended(ProxyCall& call, std::string& token) = 0;
    // It has ended. It must not be destroyed in here.
    virtual void on_over(ProxyCall& call) = 0;
    // What is known of its tools is out of date.
    virtual void refresh_tools() = 0;
    // It has answered a request.
    virtual void note_answer() = 0;
    // A legacy remote sends log messages as severe as that.
    virtual void want_logs(std::string_view level) = 0;
    // What it has said, without what we have told it alone.
    virtual std::string without_secrets(std::string text) const = 0;

   protected:
    ~Owner() = default;
  };

  // The remote is borrowed.
  ProxyCall(Owner& remote, IncomingCall call, RemoteItemPtr item);
  ~ProxyCall();

  // Sends the request, at first or once more.
  void begin();
  // The request was made elsewhere, in this era. What has come of it: this text, or nothing, on a connection that may be gone.
  void settle(Era era, RequestId request, std::string_view text);
  void lose(Connection* connection, const Lost& lost);
  // It was made elsewhere under this number, and what comes for it comes to this connection.
  void adopt(Connection& connection, RequestId request);
  // The host has called again with the answers to what was asked.
  void resume(IncomingCall call);
  // The host does not want an answer any more.
  void cancel(const char* reason);
  // There will be no answer.
  void fail(std::string_view why);

  // Legacy: the remote asks something that can only belong to this call.
  bool on_request(const Message& message) override;
  // Progress, or a log message.
  void on_notification(const Message& message) override;

  collet_call host_call() const { return call_.id; }
  // That its requests have because of the caller.
  const std::vector<HttpHeader>& headers() const { return headers_; }
  const std::string& token() const { return token_; }
  bool in_flight() const { return request_ != 0 || task_; }
  // Whether what the remote says of this task or, by its number, of this request is about this call.
  bool has_task(std::string_view id) const { return task_ && task_->id() == id; }
  bool has_progress_token(std::uint64_t token) const { return task_ && progress_token_ == token; }
  bool wants_logs() const { return !caller_.log_level.empty(); }
  // Who has called; only while the host waits.
  std::string principal() const;
  // What tells its client's session from others; empty if nothing does, or while the host does not wait.
  std::string session() const;

 private:
  struct Question {
    std::string id;  // the remote's, JSON text
    std::string key;
    std::string request;  // {"method":…,"params":…}
  };

  void on_answer(const Answer& answer) override;

  RequestOptions task_options() override;
  void on_task_answer(const Answer& answer) override;
  void on_task_questions(std::string_view requests) override;
  void on_task_status(const std::string& message) override;
  bool on_task_request(const Message& message) override { return on_request(message); }

  bool may_be_task() const;
  void send_request();
  std::string params() const;
  std::string meta() const;
  void settle(const Answer& answer);
  void deliver(const Answer& answer);
  void refuse(const RpcError& error);
  void complete(std::string_view result);
  void begin_task(std::string_view task);
  void ask_input(std::string_view result);
  void lost(const Lost& lost);
  void begin_later(std::uint64_t pause_ms, const std::string& why);
  bool may_repeat(const Lost& lost);
  bool caller_can(std::string_view method, std::string_view params) const;
  void suspend();
  void wait_for_client();
  void go_on(IncomingCall call);
  void answer_questions(std::string_view responses);

  Owner& remote_;
  IncomingCall call_;  // id 0: the host waits for nothing, the call is suspended
  const RemoteItemPtr item_;
  Connection* connection_ = nullptr;  // of the request under way; the remote keeps it as long
  Era era_ = Era::modern;             // the remote's
  RequestId request_ = 0;
  std::uint64_t progress_token_ = 0;
  double progress_ = 0;       // as far as the host was told
  bool wants_task_ = false;   // the remote insists on it
  bool offers_task_ = false;  // the request under way may be answered with one
  std::string capabilities_;  // of the caller, as that request declares them
  std::unique_ptr<RemoteTask> task_;
  const Caller caller_;
  std::vector<HttpHeader> headers_;  // of the caller, to hand on
  std::string request_state_;        // of a modern remote that wants nothing but another try
  std::string token_;
  std::vector<Question> questions_;
  unsigned asked_ = 0;
  unsigned rounds_ = 0;
  bool retried_ = false;  // though the remote may have acted on it
  bool session_lost_ = false;
  unsigned repeats_ = 0;  // when it had not
  std::optional<std::uint64_t> unreachable_since_ms_;  // when nobody was there, first
  std::uint64_t busy_ms_ = 0;  // for which it wanted to be left alone
  std::unique_ptr<Timer> expiry_;
  std::unique_ptr<Timer> pause_;
  struct Stored {
    std::string result;
    std::optional<RpcError> error;
    std::optional<Lost> lost;
  };
  std::optional<Stored> stored_;  // an answer that came while the call was suspended
};

}  // namespace collet::client
