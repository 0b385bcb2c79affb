// Where a remote's authorization server is, and what it can do: RFC 9728, RFC 8414, OpenID Connect Discovery 1.0,
// in the order that MCP prescribes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "client/auth/metadata.h"
#include "client/auth/url.h"
#include "client/fetch.h"

namespace collet::client::auth {

// `done` is called once, maybe before these return. The fetcher outlives the search.

// At `metadata_url` if the challenge named one; else at the path of `remote`, then at its root: nothing if neither
// has one. Whose `resource` does not cover `remote` is a failure.
void discover_resource(Fetcher& fetcher, const Url& remote, std::string_view metadata_url,
                       std::function<void(Result<std::optional<ResourceMetadata>>)> done);

// The metadata of exactly `issuer`, with every endpoint trusted as trusted_url() has it.
void discover_server(Fetcher& fetcher, const Url& remote, std::string_view issuer,
                     std::function<void(Result<ServerMetadata>)> done);

}  // namespace collet::client::auth
