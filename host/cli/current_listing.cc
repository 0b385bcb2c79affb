#include "cli/current_listing.h"

#include "cli/admin_client.h"
#include "cli/loaded.h"
#include "cli/output.h"
#include "service/admin.h"
#include "service/listing.h"

namespace collet::cli {
namespace {

// Of the running server; nothing if there is none, or if it is not to be asked.
std::optional<Result<std::string>> listing_of_server(const CommonOptions& common, bool fresh, const config::Config& config) {
  if (fresh || common.name_server()) return std::nullopt;
  return ask_server(service::admin_socket_path(config.admin, common.config_file), R"({"do":"list"})",
                    common.timeout_ms.value_or(limits::kAdminSilenceMs));
}

}  // namespace

int with_listing(const CommonOptions& common, bool fresh, Callback<int(const std::string& listing)> show) {
  const auto config = load_config(common);
  if (!config) return complain(config.message());
  if (const auto listing = listing_of_server(common, fresh, *config)) {
    return *listing ? show(**listing) : complain(listing->message(), kUnreachable);
  }
  service::Host host(*config, 1);
  if (auto reached = load_and_await_remotes(host, common); !reached) {
    return host.exit_code = complain(reached.message(), kUnreachable);
  }
  // While the host lives: a plugin that does not end has the process end with it.
  return host.exit_code = show(service::to_json(service::list(host, false)));
}

}  // namespace collet::cli
