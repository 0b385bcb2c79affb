#include "plugin/abi/http_table.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/text.h"
#include "plugin/abi/noted.h"
#include "plugin/abi/structs.h"

namespace collet::plugin {
namespace {

// Runs `body` with the running call of a route. There may be no memory for what it does.
template <class Body>
std::int32_t with_route(const collet_host* host, collet_call id, Body&& body) noexcept {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    LockedCall call = side.calls.lock(id, side.owner);
    if (!call) return COLLET_E_STALE;
    if (!call->route) return COLLET_E_UNSUPPORTED;
    try {
      return body(side, call, *call->route);
    } catch (const std::bad_alloc&) {
      return COLLET_E_LIMIT;
    }
  });
}

// Cookies are those of the host's whole name, other servers on it included.
std::vector<collet_http_field> fields_of(const registry::WebRequest& asked, bool confined) {
  std::vector<collet_http_field> fields;
  for (const registry::WebField& field : asked.fields) {
    if (confined && text::equals_ignoring_case(field.name, "Cookie")) continue;
    fields.push_back({to_str(field.name), to_str(field.value)});
  }
  return fields;
}

std::int32_t request(const collet_host* host, collet_call id, collet_http_request* out) {
  return with_route(host, id, [&](HostSide& side, LockedCall&, RouteState& route) -> std::int32_t {
    if (!out || out->struct_size < sizeof(std::uint32_t)) return COLLET_E_INVALID;
    const registry::WebRequest& asked = *route.request;
    if (route.fields.empty()) route.fields = fields_of(asked, side.confined);
    collet_http_request known{};
    known.struct_size = std::min<std::uint32_t>(out->struct_size, sizeof known);
    known.method = to_str(asked.method);
    known.query = to_optional_str(optional_view(asked.query));
    known.fields = route.fields.data();
    known.field_count = route.fields.size();
    if (!asked.is_streamed) known.body = to_str(asked.body);
    std::memcpy(out, &known, known.struct_size);
    return COLLET_OK;
  });
}

// Fields that say how the answer is sent, or who else may read it: the host's.
constexpr std::string_view kOwnFields[] = {"Connection", "Content-Length", "Date",    "Keep-Alive",
                                           "Trailer",    "Transfer-Encoding", "Upgrade"};

// Fields that change what a browser does with all else of the host's name.
constexpr std::string_view kOriginFields[] = {"Alt-Svc",   "Clear-Site-Data",        "NEL",        "Report-To",       "Reporting-Endpoints",
                                              "Set-Cookie", "Service-Worker-Allowed", "Strict-Transport-Security", "WWW-Authenticate"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::any_of(names, [&](std::string_view each) { return text::equals_ignoring_case(each, name); });
}

bool may_say(std::string_view name, bool confined) {
  constexpr std::string_view kCors = "Access-Control-";
  return text::is_token(name) && !is_one_of(kOwnFields, name) &&
         !text::equals_ignoring_case(name.substr(0, kCors.size()), kCors) && !(confined && is_one_of(kOriginFields, name));
}

bool is_value(std::string_view value) {
  return std::ranges::all_of(value, [](unsigned char c) { return c == '\t' || (c >= ' ' && c != 0x7f); });
}

std::int32_t read_fields(const collet_http_field* fields, std::size_t count, bool confined,
                         std::vector<registry::WebField>& out) {
  if (!fields && count > 0) return COLLET_E_INVALID;
  if (count > limits::kRouteHeadersMax) return COLLET_E_LIMIT;
  std::size_t bytes = 0;
  for (const collet_http_field& field : std::span(fields, count)) {
    if (!is_sound(field.name) || !is_sound(field.value)) return COLLET_E_INVALID;
    bytes += field.name.size + field.value.size;
    if (bytes > limits::kRouteHeaderBytesMax) return COLLET_E_LIMIT;
    const std::string_view name = view(field.name);
    if (!may_say(name, confined) || !is_value(view(field.value))) return COLLET_E_INVALID;
    out.push_back({std::string(name), std::string(view(field.value))});
  }
  return COLLET_OK;
}

// A page of a process that is not trusted has the host's origin, and is to have none of its rights.
constexpr std::string_view kConfined = "sandbox allow-scripts allow-forms allow-popups allow-downloads";

std::int32_t respond(const collet_host* host, collet_call id, std::uint32_t status, const collet_http_field* fields,
                     std::size_t count) {
  return with_route(host, id, [&](HostSide& side, LockedCall& call, RouteState& route) -> std::int32_t {
    if (status < 200 || status > 599) return COLLET_E_INVALID;
    if (route.has_head) return COLLET_E_STATE;
    auto head = std::make_unique<registry::WebHead>();
    head->status = static_cast<int>(status);
    if (const std::int32_t bad = read_fields(fields, count, side.confined, head->fields); bad < 0) return bad;
    if (side.confined && !side.in_worker) head->fields.push_back({"Content-Security-Policy", std::string(kConfined)});
    call->notices.push_back({.kind = Notice::Kind::head, .head = std::move(head)});
    route.has_head = true;
    side.calls.announce(call);
    return COLLET_OK;
  });
}

std::int32_t append(HostSide& side, LockedCall& call, RouteState& route, std::string_view bytes) {
  if (!route.has_head) return COLLET_E_STATE;
  if (bytes.size() > limits::kRouteAheadBytesMax - std::min(route.ahead, limits::kRouteAheadBytesMax)) return COLLET_E_LIMIT;
  if (bytes.empty()) return COLLET_OK;
  auto& notices = call->notices;
  if (notices.empty() || notices.back().kind != Notice::Kind::bytes) notices.push_back({.kind = Notice::Kind::bytes});
  notices.back().text += bytes;
  route.ahead += bytes.size();
  side.calls.announce(call);
  return COLLET_OK;
}

std::int32_t write(const collet_host* host, collet_call id, const void* data, std::size_t size) {
  return with_route(host, id, [&](HostSide& side, LockedCall& call, RouteState& route) -> std::int32_t {
    const auto* bytes = static_cast<const char*>(data);
    return is_sound(bytes, size) ? append(side, call, route, view(bytes, size)) : COLLET_E_INVALID;
  });
}

bool is_one_line(const collet_str& text) {
  return is_sound(text) && view(text).find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// HTML, 9.2.5: "data:" before each line, an empty line behind all.
std::string event_text(const collet_http_event& event) {
  std::string text;
  if (event.id.data) text.append("id: ").append(view(event.id)).append("\n");
  if (event.type.data) text.append("event: ").append(view(event.type)).append("\n");
  std::string_view data = view(event.data);
  for (bool more = true; more;) {
    const std::size_t end = data.find_first_of("\r\n");
    text.append("data: ").append(data.substr(0, end)).append("\n");
    more = end != std::string_view::npos;
    if (more) data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return text += '\n';
}

std::int32_t event(const collet_host* host, collet_call id, const collet_http_event* given) {
  return with_route(host, id, [&](HostSide& side, LockedCall& call, RouteState& route) -> std::int32_t {
    if (!given || given->struct_size < sizeof(std::uint32_t)) return COLLET_E_INVALID;
    const collet_http_event event = copy_struct(*given);
    if (!is_one_line(event.id) || !is_one_line(event.type) || !is_sound(event.data)) return COLLET_E_INVALID;
    if (event.data.size > limits::kRouteAheadBytesMax) return COLLET_E_LIMIT;
    return append(side, call, route, event_text(event));
  });
}

// There it would keep others waiting, and perhaps whoever is to wake it.
bool is_on_loop() { return loop::Loop::current() != nullptr; }

std::int32_t wait_for_room(const collet_host* host, collet_call id, std::size_t size) {
  return with_route(host, id, [&](HostSide& side, LockedCall& call, RouteState&) -> std::int32_t {
    if (size > limits::kRouteAheadBytesMax) return COLLET_E_LIMIT;
    if (is_on_loop()) return COLLET_E_STATE;
    return side.calls.wait_for_room(call, id, size);
  });
}

std::int32_t read_body(const collet_host* host, collet_call id, void* data, std::size_t size, std::size_t* out) {
  return with_route(host, id, [&](HostSide& side, LockedCall& call, RouteState& route) -> std::int32_t {
    if (!data || size == 0 || !out) return COLLET_E_INVALID;
    if (!route.body) return COLLET_E_UNSUPPORTED;
    *out = side.calls.read_body(call, {static_cast<char*>(data), size});
    return *out > 0 || route.body->is_here() ? COLLET_OK : COLLET_E_STATE;
  });
}

std::int32_t wait_for_body(const collet_host* host, collet_call id) {
  return with_route(host, id, [&](HostSide& side, LockedCall& call, RouteState& route) -> std::int32_t {
    if (!route.body) return COLLET_E_UNSUPPORTED;
    if (is_on_loop()) return COLLET_E_STATE;
    return side.calls.wait_for_body(call, id);
  });
}

// What a debug host does not speak of: a client that is slow, and one that has left.
bool room_is_short(std::int32_t status) { return status == COLLET_E_LIMIT; }
bool body_is_not_here(std::int32_t status) { return status == COLLET_E_STATE || status == COLLET_E_STALE; }
bool wait_has_ended(std::int32_t status) { return status == COLLET_E_STALE || (status == COLLET_E_STATE && !is_on_loop()); }

constexpr collet_http make_table(bool noted) {
  collet_http table{};
  table.struct_size = sizeof table;
  table.request = slot<"request", request>(noted);
  table.respond = slot<"respond", respond>(noted);
  table.write = slot<"write", write, room_is_short>(noted);
  table.event = slot<"event", event, room_is_short>(noted);
  table.wait_for_room = slot<"wait_for_room", wait_for_room, wait_has_ended>(noted);
  table.read_body = slot<"read_body", read_body, body_is_not_here>(noted);
  table.wait_for_body = slot<"wait_for_body", wait_for_body, wait_has_ended>(noted);
  return table;
}

}  // namespace

const collet_http kHttpTable = make_table(false);
const collet_http kNotedHttpTable = make_table(true);

}  // namespace collet::plugin
