// What a call is of: how it is found, as whoever it is made for sees it, and whether it takes what it is to be called with.
#pragma once

#include <optional>
#include <string_view>

#include "registry/principal.h"
#include "registry/registry.h"

namespace collet::registry {

// For whom a call is made.
struct OnBehalf {
  PrincipalPtr principal = {};
  ViewPtr reach = {};  // nothing else may be called, whatever the principal sees; null: all that it sees
  unsigned depth = 0;  // how many calls this one is made inside of
};

// What is seen of an item with both views, of which either may be null.
Sight sight_of(const Item& item, const View* view, const View* reach);
// Whether `on_behalf` sees an item of the snapshot at all, and in lists.
Sight sight_of(const Item& item, const OnBehalf& on_behalf);

// Under what a call's item is found.
struct Callee {
  CallKind kind = CallKind::tool;
  Kind item = Kind::tool;      // of what is read any resource or template of that URI is meant
  std::string_view name = {};  // final name, URI, or the path that a route is asked for
};
// As who has both views sees it.
Snapshot::Found find_callee(const Snapshot& snapshot, const Callee& callee, const View* view, const View* reach);
// The route that serves the path: the one of that name, else of the longest with * that it is below.
const Item* find_route(const Snapshot& snapshot, std::string_view path, const View* view);

// Whether "GET, HEAD" has that method.
bool names_method(std::string_view methods, std::string_view method);
// How a call ends at once, if the item does not take the arguments, JSON text …
std::optional<Ending> check_arguments(CallKind kind, const Item& item, std::optional<std::string_view> arguments);
// … or, of a route, the request.
std::optional<Ending> check_request(const Item& route, const WebRequest& request);
// The request as a plugin is given it whose route takes it.
WebRequestPtr as_taken_by(const Item& route, WebRequestPtr request);

}  // namespace collet::registry
