#include "cli/lone_call.h"

#include "cli/loaded.h"

namespace collet::cli {

int make_lone_call(const config::Config& config, const CommonOptions& common, TerminalCall call, Output& out) {
  auto store = service::open_store(config);
  if (!store) return complain(store.message());
  service::Host host(config, 1, {}, *std::move(store));
  if (const auto reached = load_and_await_remotes(host, common); !reached) return complain(reached.message(), kUnreachable);
  call.timeout_ms = config.plugins.timeout_ms;
  call.deadline_ms = common.timeout_ms;
  call.form.json = common.json;
  return make_call(host, call, out);
}

int make_lone_call(const CommonOptions& common, TerminalCall call, Output& out) {
  const auto config = load_config(common);
  return config ? make_lone_call(*config, common, std::move(call), out) : complain(config.message());
}

}  // namespace collet::cli
