// A request over HTTP to a route that a plugin serves, and how its answer begins.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace collet::registry {

struct WebField {
  std::string name;
  std::string value;
};

struct WebRequest {
  std::string method;
  std::optional<std::string> query = {};  // without '?', as sent
  std::vector<WebField> fields = {};      // but for those of the connection, and of the host's authentication
  std::string body = {};
  // The plugin takes the body as it comes. What follows `body` is told by Provider::body().
  bool is_streamed = false;
  bool is_whole = true;  // nothing follows
};
using WebRequestPtr = std::shared_ptr<const WebRequest>;  // shared by the call's caller and its provider

struct WebHead {
  int status = 200;
  std::vector<WebField> fields = {};
};

// "/plugins/<plugin>", below which that plugin's routes are served.
inline constexpr std::string_view kRoutesPath = "/plugins/";

}  // namespace collet::registry
