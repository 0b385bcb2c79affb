// One connection of a remote, from the attempt until the last answer has come through it.
#pragma once

#include <memory>

#include "client/mcp/streamable_transport.h"
#include "client/remote/remote.h"

namespace collet::client {

class Remote::Link final : public ConnectionListener, public Asker {
 public:
  explicit Link(Remote& remote)
      : remote_(remote),
        connection_(remote.around_.loop, remote.around_.client_info, *this),
        pause_(remote.around_.loop) {}

  // Makes its transport, through which the remote shakes hands, now or later; a failure says why there is none.
  Result<void> open();
  Connection& connection() { return connection_; }
  // Opens the channel on which the remote tells of changes. Again: with what is watched now.
  void listen();
  void watch(const std::string& uri, bool on);
  // Whether the remote tells of changes of its lists.
  bool hears() const { return hears_; }
  // For calls that are made without this connection; null: there are none.
  LaneRoutePtr lane_route() const;

 private:
  void on_notification(const Message& message) override;
  bool on_request(const Message& message) override;
  void on_garbage(const std::string& what) override;
  void on_unreachable(const std::string& reason) override { remote_.note_unreachable(connection_, reason); }
  void on_down(const std::string& reason) override;
  void on_answer(const Answer& answer) override;  // of subscriptions/listen

  Result<std::unique_ptr<Transport>> make_transport();
  Result<std::unique_ptr<Transport>> start_command();
  void on_started();
  void look_again();

  Remote& remote_;
  Connection connection_;
  const StreamableTransport* http_ = nullptr;  // the connection's, if that is its kind
  Timer pause_;                                // before it listens again
  RequestId listen_ = 0;
  unsigned listen_failures_ = 0;
  unsigned garbage_ = 0;
  bool hears_ = false;
};

}  // namespace collet::client
