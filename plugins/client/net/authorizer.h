// What the HTTP transports ask before a request and after a refusal, so that they need to know nothing of OAuth.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/net/fetch.h"

namespace collet::client {

// Headers that every request to one URL may have, as they are.
struct LastingHeaders {
  std::vector<HttpHeader> headers;
  std::int64_t good_until = 0;  // in seconds since 1970: then they are to be asked for again; 0: while none is refused
};

// On the client's one thread. Each `done` is called exactly once, now or later, unless the authorizer is destroyed
// before.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  // The headers that a request to the remote needs now, such as Authorization and DPoP.
  virtual void headers(std::string_view method, std::string_view url,
                       std::function<void(Result<std::vector<HttpHeader>>)> done) = 0;
  // What headers() would give each POST to the URL from now on; nothing: that differs, or is not known at once.
  virtual std::optional<LastingHeaders> lasting_headers(std::string_view url) const = 0;
  // The remote refused with 401 or 403 and these headers. `done`: whether to try again. Another status, which is
  // told on a login alone: whether there is a token now, for a remote that does not need one perhaps.
  virtual void challenged(int status, const std::vector<HttpHeader>& headers,
                          std::function<void(Result<bool>)> done) = 0;
  // Of what it tells the remote and its authorization server, what the remote's own words must not tell others.
  virtual std::vector<std::string> secrets() const = 0;
};

}  // namespace collet::client
