// From configuration to what host/protocol wants to know.
#pragma once

#include "config/config.h"
#include "protocol/http/access.h"
#include "protocol/server.h"

namespace collet::cli {

protocol::ServerOptions server_options(const config::Config& config);
protocol::AccessRules access_rules(const config::Config& config);
// Who calls from this process itself.
registry::PrincipalPtr local_principal(const config::Config& config);

}  // namespace collet::cli
