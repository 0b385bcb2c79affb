// What service::to_json() says, for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/json.h"
#include "mcp/kinds.h"

namespace collet::cli {

// False: it is none, such as a server of another version may send. Definitions may be nested as deeply as is allowed.
[[nodiscard]] bool read_listing(std::string_view json, json::Document& listing);

// Each item of a kind in such a listing.
void for_each_item(const json::Value& listing, mcp::Kind kind, Callback<void(const json::Value& item)> do_it);

// Lines for a person, of so many columns at most: each item and, under tools and prompts, what they are called with; then what is
// to know of plugins.
std::string listing_text(std::string_view json, std::size_t width);

// Of such a listing {"remotes":[…]}, or a line each for a person; empty if there are none.
std::string remotes_json(std::string_view listing);
std::string remotes_text(std::string_view listing);

// Of such a listing, or of service::Host::remotes_status(): what is wrong with remotes, in words. Those that are down or have not
// answered yet, and lists that could not be read.
std::vector<std::string> remote_problems(std::string_view json);

// Of such a listing: the ids of plugins that should serve and are not loaded.
std::vector<std::string> unloaded_plugins(std::string_view json);

// Says that there is no such item of a kind ("tool"), what was meant, and why remotes may be to blame. Returns the exit code.
int complain_of_unknown(std::string_view kind, std::string_view name, const std::vector<std::string>& known,
                        const std::vector<std::string>& remote_problems);

}  // namespace collet::cli
