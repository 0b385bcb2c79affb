// Which headers a person may add to the requests that go to a remote.
#pragma once

#include <string_view>

namespace collet::config {

// Each request has that header anyway, or none may have it, and would break if it said something else.
bool is_own_header(std::string_view name);

}  // namespace collet::config
