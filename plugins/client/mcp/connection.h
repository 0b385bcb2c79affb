// One connection to a remote: requests and their answers, whatever the transport. Any number may be under way.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "client/mcp/message.h"
#include "client/mcp/request_numbers.h"
#include "client/mcp/transport.h"
#include "client/net/loop.h"

namespace collet::client {

// How a request ended: one of the three. Texts are borrowed.
struct Answer {
  std::string_view result;  // a JSON object, if data() is not null
  std::optional<RpcError> error;
  std::optional<Lost> lost;

  bool ok() const { return result.data() != nullptr; }
  // Why it is not ok(), in words.
  std::string problem() const;
};

// Who waits for the answer to a request. It may cancel its request, or make another, whenever it is called.
class Asker {
 public:
  // Last.
  virtual void on_answer(const Answer& answer) = 0;
  // What the remote says about this request while it works on it: progress, log messages.
  virtual void on_notification(const Message&) {}
  // Legacy: the remote asks something while it works on this request. False: this asker cannot tell.
  virtual bool on_request(const Message&) { return false; }

 protected:
  ~Asker() = default;
};

// Who hears what belongs to no request.
class ConnectionListener {
 public:
  virtual void on_notification(const Message& message) = 0;
  // A request that came outside of any response stream. False: nobody can answer it.
  virtual bool on_request(const Message& message) = 0;
  // An answer came, outside of any response stream, to a request that was sent elsewhere.
  virtual void on_answer_elsewhere(RequestId, std::string_view) {}
  // Likewise one that is broken, or names no request. False: there are no requests elsewhere that it could be for.
  virtual bool on_unclear_answer(std::string_view) { return false; }
  // Something came that is no message; the connection goes on.
  virtual void on_garbage(const std::string& what) = 0;
  // Nothing new can be asked through this connection.
  virtual void on_unreachable(const std::string& reason) = 0;
  // The connection is gone. Last; who still waits for an answer is told next, so that it must not be destroyed yet.
  virtual void on_down(const std::string& reason) = 0;

 protected:
  ~ConnectionListener() = default;
};

// What is special about a request.
struct RequestOptions {
  std::string name;                 // for Mcp-Name
  std::vector<HttpHeader> headers;  // where there are headers
  std::string_view meta;            // members of params._meta, with commas between
  std::string_view capabilities;  // of who is behind the request: a JSON object; empty: what this client can relay
  std::uint64_t timeout_ms = 0;   // 0: none
  bool repeatable = false;        // it may be sent again though the remote may have acted on it
  bool standing = false;          // its answer is the end of a subscription
};

// The text of a request. `params` are the members of the params object, with commas between; `stamp` is that of the
// connection.
std::string request_text(RequestId id, std::string_view method, std::string_view params, std::string_view stamp,
                         const RequestOptions& options);

class Connection final : private TransportListener {
 public:
  // `client_info` is an Implementation object.
  Connection(Loop& loop, std::string client_info, ConnectionListener& listener)
      : loop_(loop), client_info_(std::move(client_info)), listener_(listener), deadline_(loop) {}

  TransportListener& transport_listener() { return *this; }
  // Before anything is sent.
  void use(std::unique_ptr<Transport> transport) { transport_ = std::move(transport); }
  void set_version(Era era, std::string_view version);
  Era era() const { return era_; }
  const std::string& version() const { return version_; }
  const std::string& client_info() const { return client_info_; }
  // What begins the _meta of each modern request, up to the caller's capabilities; empty in the legacy era.
  const std::string& stamp() const { return stamp_; }

  // `params` are the members of the params object, with commas between. The asker is borrowed until on_answer() or
  // cancel(), and called later.
  RequestId request(std::string_view method, std::string_view params, Asker& asker, RequestOptions options = {});
  // The number that the next request will have.
  RequestId next_id() const { return numbers_.peek(); }
  // The same for an answer alone; with nothing but a time, of a request that may be sent again.
  RequestId ask(std::string_view method, std::string_view params, std::uint64_t timeout_ms,
                std::function<void(const Answer&)> done);
  RequestId ask(std::string_view method, std::string_view params, RequestOptions options,
                std::function<void(const Answer&)> done);
  // A request that was sent elsewhere: what comes for it is the asker's from now on.
  void adopt(RequestId id, Asker& asker) { asked_[id].asker = &asker; }
  // What comes waits from now on, in its order, until go_on(), which hears it after `first`.
  void hold() { held_ = true; }
  void go_on(const Task& first);
  // Nobody waits any more; the remote is told, if `reason` is not null.
  void cancel(RequestId id, const char* reason);
  // Legacy: of a request that was sent elsewhere.
  void tell_cancelled(RequestId id, std::string_view reason);
  void notify(std::string_view method, std::string_view params);
  // Answers a request of the remote, whose id is JSON text.
  void respond(std::string_view id, std::string_view result);
  void refuse(std::string_view id, int code, std::string_view message);

  std::size_t in_flight() const { return asked_.size(); }

 private:
  struct Asked {
    Asker* asker = nullptr;
    std::unique_ptr<Asker, void (*)(Asker*)> owned{nullptr, [](Asker*) {}};
    std::optional<std::multimap<std::uint64_t, RequestId>::iterator> deadline;
    bool standing = false;
  };

  void on_text(std::string_view text, RequestId stream) override;
  void on_lost(RequestId id, Lost lost) override;
  void on_unreachable(const std::string& reason) override { listener_.on_unreachable(reason); }
  void on_down(const std::string& reason) override;

  void on_broken(std::string_view text, RequestId stream, const std::string& problem);
  void hear_later(std::string_view text, RequestId stream);
  void on_message(const Message& message, std::string_view text, RequestId stream);
  void on_response(const Message& message, std::string_view text, RequestId stream);
  bool is_about_request(const RpcError& error) const;
  void on_notification(const Message& message, RequestId stream);
  void on_request(const Message& message, RequestId stream);
  void end(RequestId id, const Answer& answer);
  void watch_deadlines();
  Asker* find(RequestId id) const;
  RequestId whose(std::optional<std::uint64_t> id, RequestId stream) const;

  Loop& loop_;
  const std::string client_info_;
  ConnectionListener& listener_;
  Timer deadline_;
  std::multimap<std::uint64_t, RequestId> deadlines_;
  std::unordered_map<RequestId, Asked> asked_;
  RequestNumbers numbers_{RequestNumbers::kOwn};
  bool has_notified_ = false;
  bool held_ = false;
  std::deque<Task> heard_;  // while it is held
  Era era_ = Era::modern;
  std::string version_;
  std::string stamp_;
  std::unique_ptr<Transport> transport_;
};

inline constexpr const char* kNobodyToAsk = "nobody is there whom this could be asked";

// What this client declares where nobody is behind a request: all that it can relay.
inline constexpr std::string_view kRelayedCapabilities =
    R"({"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}})";

}  // namespace collet::client
