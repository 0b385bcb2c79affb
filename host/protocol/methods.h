// The methods that clients ask for, each with its handler, in one flat table.
#pragma once

#include <string_view>

#include "protocol/request.h"
#include "protocol/version.h"

namespace collet::protocol {

class ServerLoop;

struct Method {
  using Handler = void (*)(ServerLoop& loop, RequestPtr request);

  Handler handler;
  bool is_about_tasks = false;  // some of which may be in a store
};

// Null: the era has no such method.
const Method* find_method(std::string_view name, Era era);

}  // namespace collet::protocol
