#include "cli/config_keys.h"
#include "cli/one_plugin.h"
#include "cli/verbs.h"
#include "service/host.h"

namespace collet::cli {

int print_config(const ConfigOptions& options, Output& out) {
  const auto configured = read_config(options.common);
  if (!configured) return complain(configured.message());
  log::configure(log::Level::off, log::Format::text);
  const auto only = only_plugin(*configured, options.plugin);
  if (!only) return complain(only.message());
  service::Host host(*only, 1);
  host.load();
  const plugin::LoadReport& report = host.reports().front();
  if (report.info.empty() && !report.ok()) return host.exit_code = complain(report.error);
  const std::vector<ConfigKey> keys = config_keys(report.info);
  if (keys.empty()) out.print("# {} states no keys of its config.\n", report.id);
  if (!keys.empty()) out.write(to_toml(report.id, keys));
  return host.exit_code = kOk;
}

}  // namespace collet::cli
