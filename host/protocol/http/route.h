// What is served over HTTP below one path: who may come, and who answers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/callback.h"
#include "registry/principal.h"
#include "transport/http.h"

namespace collet::protocol {

// What a request must have before the handler sees it.
enum class Entry : std::uint8_t {
  granted,    // a Host and an Origin that are allowed, and a token where tokens are needed
  published,  // a Host that is allowed: every page may read it
  open,       // nothing: for those who look after the process, and know neither its names nor its tokens
};

struct Route {
  // On the thread of its loop. `principal` is who has come, as far as that was asked.
  using Handler =
      std::function<void(const transport::HttpRequest& http, transport::HttpReply& reply, registry::PrincipalPtr principal)>;

  // Fetches what a request needs and is elsewhere, and calls back once, on any thread: with nothing, whether there was any or not, or with
  // the reason why that cannot be known now.
  using Fetched = Callback<void(std::string_view problem)>;
  using Fetch = Callback<void(Fetched done)>;
  // What is to be fetched before the handler sees a request of the principal; empty: nothing. The request is held meanwhile.
  using Needs = std::function<Fetch(const transport::HttpRequest& http, const registry::PrincipalPtr& principal)>;

  std::string path;  // a slash behind it names the same
  Entry entry = Entry::granted;
  std::string methods;  // "GET, HEAD": others are refused; empty: the handler refuses them
  Handler handler;
  bool is_folder = false;  // the path, which ends with a slash, stands for all below it
  Needs needs = {};        // of a route that is granted; empty: nothing, ever

  // How much of the body of that request the handler takes as it comes (HttpRequest::body_follows); 0: it takes it whole.
  using Streams = std::function<std::size_t(const transport::HttpRequest& header, const registry::PrincipalPtr& principal)>;
  Streams streams = {};  // likewise; empty: whole, ever
};

// To one of MCP's endpoints, which is borrowed.
template <class Endpoint>
Route route_to(std::string path, Endpoint& endpoint) {
  Route route{.path = std::move(path), .handler = [&endpoint](const auto& http, auto& reply, registry::PrincipalPtr principal) {
                endpoint.serve(http, reply, std::move(principal));
              }};
  if constexpr (requires { &Endpoint::needs; }) {
    route.needs = [&endpoint](const auto& http, const registry::PrincipalPtr& principal) { return endpoint.needs(http, principal); };
  }
  return route;
}

}  // namespace collet::protocol
