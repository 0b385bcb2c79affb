#include "cli/admin_client.h"
#include "cli/listing.h"
#include "cli/loaded.h"
#include "cli/verbs.h"
#include "service/admin.h"
#include "service/listing.h"

namespace collet::cli {

namespace {

// Of the running server; nothing if there is none, or if it is not to be asked.
std::optional<Result<std::string>> listing_of_server(const ListOptions& options, const config::Config& config) {
  const CommonOptions& common = options.common;
  if (options.fresh || common.name_server()) return std::nullopt;
  return ask_server(service::admin_socket_path(config.admin, common.config_file), R"({"do":"list"})",
                    common.timeout_ms.value_or(limits::kAdminSilenceMs));
}

int show_listing(const std::string& listing, const ListOptions& options, Output& out) {
  const bool json = options.common.json;
  std::string shown = json ? listing : listing_text(listing);
  if (options.remotes) {
    shown = json ? remotes_json(listing) : remotes_text(listing);
    if (shown.empty()) return complain("there are no remotes in the configuration");
  }
  out.write(json ? shown + '\n' : shown);
  int exit_code = kOk;
  for (const std::string& problem : remote_problems(listing)) exit_code = complain(problem, kUnreachable);
  return exit_code;
}

}  // namespace

int list(const ListOptions& options, Output& out) {
  const auto config = load_config(options.common);
  if (!config) return complain(config.message());
  if (const auto listing = listing_of_server(options, *config)) {
    return *listing ? show_listing(**listing, options, out) : complain(listing->message(), kUnreachable);
  }
  service::Host host(*config, 1);
  if (auto reached = load_and_await_remotes(host, options.common); !reached) {
    return host.exit_code = complain(reached.message(), kUnreachable);
  }
  // While the host lives: a plugin that does not end has the process end with it.
  return host.exit_code = show_listing(service::to_json(service::list(host, false)), options, out);
}

}  // namespace collet::cli
