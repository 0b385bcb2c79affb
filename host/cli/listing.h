// What service::to_json() says, for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace collet::cli {

// Lines for a person.
std::string listing_text(std::string_view json);

// Of such a listing {"remotes":[…]}, or a line each for a person; empty if there are none.
std::string remotes_json(std::string_view listing);
std::string remotes_text(std::string_view listing);

// Of such a listing, or of service::Host::remotes_status(): what is wrong with remotes, in words. Those that are down or have not
// answered yet, and lists that could not be read.
std::vector<std::string> remote_problems(std::string_view json);

}  // namespace collet::cli
