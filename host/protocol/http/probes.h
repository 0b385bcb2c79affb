// What those ask who look after the process: whether it lives, and whether it may be sent to. Names and bodies are those
// that Kubernetes' components use.
#pragma once

#include <functional>
#include <string>

#include "protocol/http/route.h"

namespace collet::protocol {

// GET /healthz: 200 as long as the loop turns.
Route health_probe();
// GET /readyz: 200, or 503 with what `why_not` says; that is empty if nothing is amiss. It is called on the loop.
Route readiness_probe(std::function<std::string()> why_not);

}  // namespace collet::protocol
