// What plugins offer and how they are, as JSON and for people.
#pragma once

#include <string>
#include <string_view>

#include "cli/host.h"

namespace collet::cli {

// Any thread. {"items":[…],"leftOut":[…],"plugins":[…]}, where there are remotes "remotes", and of a `running` server
// also "ok", "server", "draining" and "leftBehind". One line.
std::string listing_json(Host& host, bool running);

// Lines for a person, made from that.
std::string listing_text(std::string_view json);

// Of such a listing {"remotes":[…]}, or a line each for a person; empty if there are none.
std::string remotes_json(std::string_view listing);
std::string remotes_text(std::string_view listing);

// Of such a listing, or of Host::remotes_status(): what is wrong with remotes, in words. Those that are down or have not
// answered yet, and lists that could not be read.
std::vector<std::string> remote_problems(std::string_view json);

// "replaced"
std::string_view done_name(plugin::LoadReport::Done done);

}  // namespace collet::cli
