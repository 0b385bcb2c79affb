// From configuration to what host/protocol wants to know.
#pragma once

#include "config/config.h"
#include "protocol/http/access.h"
#include "protocol/server.h"
#include "service/activity_log.h"
#include "service/host.h"

namespace collet::service {

// All that a server and the host's plugins tell each other, but for protocol::Server::resource_updated(). Host and log are borrowed.
protocol::ServerOptions server_options(const config::Config& config, Host& host, ActivityLog& activity,
                                       const std::vector<registry::StateSealer::Key>& state_keys);
protocol::AccessRules access_rules(const config::Config& config);
// Who calls from this process itself.
registry::PrincipalPtr local_principal(const config::Config& config);

}  // namespace collet::service
