// What is asked of a server, and what comes back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fetch/grants.h"

namespace collet::fetch {

struct Field {
  std::string name;
  std::string value;
};
using Fields = std::vector<Field>;

// The first of that name, in any case; its data() is null if there is none.
std::string_view find_field(const Fields& fields, std::string_view name);

struct Request {
  std::string method = "GET";
  std::string url;
  Fields fields = {};
  std::string body = {};
  std::uint64_t timeout_ms = 0;          // of the whole exchange, redirects included; 0: none
  std::uint64_t connect_timeout_ms = 0;  // of each connection, the lookup of its name included; 0: limits::kFetchConnectMs
  // A redirect is followed so often: 301, 302 and 303 by a GET, but for what is a HEAD, 307 and 308 by the same method and body;
  // never from https to http. Of another origin it gets no Authorization and no Cookie. 0: a redirect is an answer like any other.
  unsigned redirects_max = 0;
  std::uint64_t bytes_max = 0;  // of the answer's body, as it is told; 0: none
  GrantsPtr grants = {};        // where it may go, each redirect too; null: everywhere
};

// Any thread: does what takes some milliseconds before the first request, so that this does not keep a loop.
void prepare();
// Why it cannot be sent, whatever the server: method, URL or a field. Fields that say how a message is sent, and Host, are the
// engine's.
Result<void> check(const Request& request);

struct Head {
  int status = 0;  // 200 to 999
  Fields fields = {};
  std::string url = {};  // that has answered
};

// How an exchange has ended.
struct End {
  bool whole = false;       // the answer has come to its end; one that says no length, with its connection
  bool sent = true;         // bytes of a request may have reached a server, which may have acted on it
  std::string message = {};  // why it is not whole
  std::string denied = {};   // "api.example.com:443": it was to go there, which is not granted; or empty
  bool looking_up = false;   // a name is still being looked up, by a thread that ends when the system's resolver does
};

}  // namespace collet::fetch
