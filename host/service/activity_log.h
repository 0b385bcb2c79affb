// Lines of the log about what clients ask, and which calls come of it: log.requests and log.calls.
#pragma once

#include "config/config.h"
#include "protocol/request_observer.h"
#include "protocol/server.h"
#include "registry/call_observer.h"
#include "registry/registry.h"

namespace collet::service {

class ActivityLog final : public registry::CallObserver, public protocol::RequestObserver {
 public:
  // Has itself told of what the configuration wants logged. Before the server is made and plugins are loaded; outlives both.
  void join(const config::Log& wanted, registry::Registry& registry, protocol::ServerOptions& options);

 private:
  void on_call_begun(const registry::CallFacts&) override {}
  void on_call_ended(const registry::CallFacts& facts, const registry::CallEnd& end) override;
  void on_request_begun(const protocol::RequestFacts&) override {}
  void on_request_ended(const protocol::RequestFacts& facts, const protocol::RequestEnd& end) override;
  void on_request_denied(const protocol::DeniedRequest& request) override;
};

}  // namespace collet::service
