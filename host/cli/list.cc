#include <fmt/format.h>

#include "cli/current_listing.h"
#include "cli/listing.h"
#include "cli/verbs.h"

namespace collet::cli {

namespace {

int show_listing(const std::string& listing, const ListOptions& options, Output& out) {
  const bool json = options.common.json;
  std::string shown = json ? listing : listing_text(listing, out.width());
  if (options.remotes) {
    shown = json ? remotes_json(listing) : remotes_text(listing);
    if (shown.empty()) return complain("there are no remotes in the configuration");
  }
  out.write(json ? shown + '\n' : shown);
  int exit_code = kOk;
  for (const std::string& problem : remote_problems(listing)) exit_code = complain(problem, kUnreachable);
  const std::vector<std::string> unloaded = options.remotes ? std::vector<std::string>() : unloaded_plugins(listing);
  if (unloaded.empty()) return exit_code;
  return complain(fmt::format("these plugins are not loaded: {}", fmt::join(unloaded, ", ")), kPartly);
}

}  // namespace

int list(const ListOptions& options, Output& out) {
  return with_listing(options.common, options.fresh,
                      [&](const std::string& listing) { return show_listing(listing, options, out); });
}

}  // namespace collet::cli
