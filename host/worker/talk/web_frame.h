// A request to a route as a field of a frame.
#pragma once

#include <string>

#include "collet/ext/draft/http.h"
#include "registry/web.h"
#include "worker/talk/frame.h"

namespace collet::worker {

// Of the call, as the host table knows it; empty if it is not of a route.
std::string web_request_field(const collet_host& host, collet_call call);
// Null if the field is no request.
registry::WebRequestPtr read_web_request(std::string_view field);

}  // namespace collet::worker
