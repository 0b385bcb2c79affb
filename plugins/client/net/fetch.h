// One HTTP exchange whose answer is small: what OAuth and discovery need of HTTP.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "client/net/http_header.h"
#include "client/net/result.h"
#include "client/net/tls.h"

namespace collet::client {

struct FetchRequest {
  std::string method = "GET";
  std::string url;
  std::vector<HttpHeader> headers;
  std::string body;
  TlsPtr tls = {};
};

struct FetchResponse {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;

  // The value of the first header of that name (any case); data() is null if there is none.
  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

// Everything happens on the client's one thread. Redirects are answers like any other and are not followed.
class Fetcher {
 public:
  // `done` is called exactly once: later, or at once while the fetcher is being destroyed. A failure means that no whole answer
  // came: refused, timed out, too large.
  virtual void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) = 0;

 protected:
  ~Fetcher() = default;
};

}  // namespace collet::client
