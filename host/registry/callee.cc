#include "registry/callee.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "base/json.h"
#include "base/limits.h"
#include "registry/ending.h"

namespace collet::registry {
namespace {

bool takes_streams(const Item& route) { return route.compiled->streamed_bytes_max > 0; }

}  // namespace

Sight sight_of(const Item& item, const View* view, const View* reach) {
  if (reach && reach->sight_of(item) == Sight::hidden) return Sight::hidden;
  return view ? view->sight_of(item) : Sight::listed;
}

Sight sight_of(const Item& item, const OnBehalf& on_behalf) {
  return sight_of(item, view_of(on_behalf.principal), on_behalf.reach.get());
}

Snapshot::Found find_callee(const Snapshot& snapshot, const Callee& callee, const View* view, const View* reach) {
  if (callee.kind == CallKind::resource) return snapshot.find_resource(callee.name, view, reach);
  Snapshot::Found found;
  found.item = callee.kind == CallKind::route ? find_route(snapshot, callee.name, view) : snapshot.find(callee.item, callee.name);
  if (found.item && sight_of(*found.item, view, reach) == Sight::hidden) return {};
  return found;
}

const Item* find_route(const Snapshot& snapshot, std::string_view path, const View* view) {
  if (view && view->denies(path, Kind::route)) return nullptr;
  const Item* route = snapshot.find(Kind::route, path);
  if (std::ranges::count(path, '/') > limits::kRouteSegmentsMax) return nullptr;
  for (std::size_t slash = path.rfind('/'); !route && slash != 0; slash = path.rfind('/', slash - 1)) {
    route = snapshot.find(Kind::route, std::string(path.substr(0, slash + 1)) + "*");
  }
  return route && view && view->sight_of(*route) == Sight::hidden ? nullptr : route;
}

bool names_method(std::string_view methods, std::string_view method) {
  while (!methods.empty()) {
    const std::size_t end = std::min(methods.find(", "), methods.size());
    if (methods.substr(0, end) == method) return true;
    methods.remove_prefix(std::min(end + 2, methods.size()));
  }
  return false;
}

std::optional<Ending> check_arguments(CallKind kind, const Item& item, std::optional<std::string_view> arguments) {
  if (kind == CallKind::complete || kind == CallKind::route) return std::nullopt;  // an item has no say in theirs
  if (kind == CallKind::resource) {
    return arguments ? std::optional(bad_params("a resource takes no arguments")) : std::nullopt;
  }
  json::Document given;
  if (arguments && (json::parse(*arguments, given) || !given.IsObject())) return bad_params("arguments must be an object");
  const json::Value* values = arguments ? &given : nullptr;
  if (kind == CallKind::prompt) {
    const auto wrong = check_prompt_arguments(*item.def, values);
    return wrong ? std::optional(bad_params(*wrong)) : std::nullopt;
  }
  const auto wrong = check_arguments(*item.compiled, *item.def, item.name, values);
  return wrong ? std::optional(tool_error(*wrong)) : std::nullopt;
}

std::optional<Ending> check_request(const Item& route, const WebRequest& request) {
  const std::string& methods = route.compiled->methods;
  if (!names_method(methods, request.method)) return failed(mcp::kInvalidParams, fmt::format("Here only {} is served", methods));
  if (request.is_whole || takes_streams(route)) return std::nullopt;
  return failed(mcp::kInternalError, "It was replaced meanwhile, and takes bodies whole now");
}

WebRequestPtr as_taken_by(const Item& route, WebRequestPtr request) {
  if (request->is_streamed == takes_streams(route)) return request;
  auto changed = std::make_shared<WebRequest>(*request);
  changed->is_streamed = takes_streams(route);
  return changed;
}

}  // namespace collet::registry
