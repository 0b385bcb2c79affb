#include <cstdio>

#include "cli/admin.h"
#include "cli/listing.h"
#include "cli/verbs.h"
#include "loop/standard_streams.h"

namespace collet::cli {

namespace {

// Of the running server, if there is one and it is to be asked, or of plugins that are loaded to see.
Result<std::string> listing_of(const ListOptions& options, const config::Config& config) {
  const CommonOptions& common = options.common;
  if (!options.fresh && !common.name_server()) {
    auto answer = ask_server(admin_socket_path(config.admin, common.config_file), R"({"do":"list"})");
    if (answer) return std::move(*answer);
  }
  Host host(config, 1);
  host.load();
  if (auto reached = host.await_remotes(common); !reached) return reached.failure();
  return listing_json(host, false);
}

}  // namespace

int list(const ListOptions& options) {
  const loop::StandardStreams streams = loop::take_standard_streams();
  const auto config = load_config(options.common);
  if (!config) return complain(config.message());
  const auto listing = listing_of(options, *config);
  if (!listing) return complain(listing.message(), kUnreachable);
  const bool json = options.common.json;
  std::string shown = json ? *listing : listing_text(*listing);
  if (options.remotes) {
    shown = json ? remotes_json(*listing) : remotes_text(*listing);
    if (shown.empty()) return complain("there are no remotes in the configuration");
  }
  dprintf(streams.out, json ? "%s\n" : "%s", shown.c_str());
  return kOk;
}

}  // namespace collet::cli
