// Where a remote's authorization server is, and what it can do: RFC 9728, RFC 8414, OpenID Connect Discovery 1.0,
// in the order that MCP prescribes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/auth/metadata.h"
#include "client/net/fetch.h"
#include "client/net/url.h"

namespace collet::client::auth {

// What was found of a resource's description.
struct Description {
  std::optional<ResourceMetadata> metadata;  // nothing: none of the places has any
  std::string trouble;                       // then: what kept one of them from answering; mostly empty
};

// `done` is called once, maybe before these return. The fetcher outlives the search.

// At the first of `named` that has it, which is what challenges named; if that is nothing, or no more than the
// well-known places, at these: at the path of `remote`, then at its root. Whose `resource` does not cover `remote`,
// and is not `allowed` either, is a failure.
void discover_resource(Fetcher& fetcher, const Url& remote, std::string_view allowed,
                       std::vector<std::string> named, std::function<void(Result<Description>)> done);

// The metadata of exactly `issuer`, with every endpoint trusted as trusted_url() has it.
void discover_server(Fetcher& fetcher, const Url& remote, std::string_view issuer,
                     std::function<void(Result<ServerMetadata>)> done);

}  // namespace collet::client::auth
