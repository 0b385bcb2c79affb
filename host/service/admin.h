// The admin socket: how `collet reload` and `collet list` speak to a running server.
//
// A request is one line, {"do":"list"}, {"do":"reload"} or {"do":"reload","plugin":"echo"}; the answer is one line,
// {"ok":true,…} or {"ok":false,"error":"…"}. With "accept":true a plugin may take away what it offered before. The socket's mode is
// 0600: who may open it may do everything.
#pragma once

#include <optional>
#include <string>

#include "service/host.h"
#include "service/reloader.h"
#include "transport/line_server.h"

namespace collet::service {

// [admin] socket; else a name made from the path of `config_file` (empty: none is used), in $XDG_RUNTIME_DIR/collet
// or beside that file. Empty if there is no place for one.
std::string admin_socket_path(const config::Admin& admin, const std::string& config_file);

class AdminServer {
 public:
  // On the host's main loop; host and reloader are borrowed. Null if `path` is empty or the socket cannot be had,
  // such as when another server of the same configuration has it: then the log says so.
  static std::unique_ptr<AdminServer> open(const std::string& path, Host& host, Reloader& reloader);

 private:
  AdminServer(Host& host, Reloader& reloader, std::unique_ptr<transport::ListenSocket> socket);
  void answer(std::string_view line, transport::LineServer::Answer answer);
  void reload(std::optional<std::string> plugin, plugin::ItemsMay items_may, transport::LineServer::Answer answer);

  Host& host_;
  Reloader& reloader_;
  std::unique_ptr<transport::ListenSocket> socket_;
  transport::LineServer server_;
};

}  // namespace collet::service
