#include "protocol/http/probes.h"

#include <utility>

#include "protocol/http/http_content.h"

namespace collet::protocol {
namespace {

constexpr const char* kMethods = "GET, HEAD";

void answer(transport::HttpReply& reply, int status, const std::string& text) {
  respond(reply, {}, status, {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}},
          text + "\n");
}

}  // namespace

Route health_probe() {
  return {"/healthz", Entry::open, kMethods,
          [](const auto&, transport::HttpReply& reply, const auto&) { answer(reply, 200, "ok"); }};
}

Route readiness_probe(std::function<std::string()> why_not) {
  return {"/readyz", Entry::open, kMethods,
          [why_not = std::move(why_not)](const auto&, transport::HttpReply& reply, const auto&) {
            const std::string reason = why_not();
            reason.empty() ? answer(reply, 200, "ok") : answer(reply, 503, reason);
          }};
}

}  // namespace collet::protocol
