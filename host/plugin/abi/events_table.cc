#include "plugin/abi/events_table.h"

#include "base/text.h"
#include "plugin/abi/entered.h"
#include "plugin/abi/structs.h"
#include "plugin/run/own_streams.h"

namespace collet::plugin {
namespace {

static_assert(COLLET_EVENTS_NEWEST == store::Streams::kNewest);

template <class Body>
std::int32_t with_streams(const collet_host* host, Body&& body) {
  return entered(host, [&](HostSide& side) { return side.streams ? body(side, *side.streams) : COLLET_E_UNSUPPORTED; });
}

// COLLET_OK, or what is wrong with the name of a stream or of its owner.
std::int32_t check_name(const collet_str& name, std::size_t bytes_max) {
  if (!is_sound(name)) return COLLET_E_INVALID;
  if (name.size > bytes_max) return COLLET_E_LIMIT;
  return name.size > 0 && text::is_utf8(view(name)) ? COLLET_OK : COLLET_E_INVALID;
}

void tell_page(const collet_events_params& params, collet_follow follow, const StreamAnswer& answer) {
  std::vector<collet_event> events;
  for (const store::Streams::Event& event : answer.page.events) {
    events.push_back({event.sequence, event.time_ms, to_str(*event.bytes)});
  }
  collet_events_page page{};
  page.struct_size = sizeof page;
  page.status = answer.status;
  page.follow = follow;
  page.after = answer.page.after;
  page.first = answer.page.first;
  page.last = answer.page.last;
  page.events = events.data();
  page.event_count = events.size();
  params.told(params.context, &page);
}

std::int32_t append(const collet_host* host, const collet_append_params* given) {
  return with_streams(host, [&](HostSide&, OwnStreams& streams) -> std::int32_t {
    if (!given || given->struct_size < sizeof(std::uint32_t)) return COLLET_E_INVALID;
    const collet_append_params params = copy_struct(*given);
    if (!params.appended || params.reserved || !is_sound(params.bytes)) return COLLET_E_INVALID;
    if (const std::int32_t bad = check_name(params.stream, limits::kStreamNameBytesMax); bad < 0) return bad;
    if (params.bytes.size > limits::kStreamEventBytesMax) return COLLET_E_LIMIT;
    return streams.ask(StreamAppend{std::string(view(params.stream)), std::string(view(params.bytes))},
                       [appended = params.appended, context = params.context](const StreamAnswer& answer) {
                         appended(context, answer.status, answer.sequence);
                       });
  });
}

// Runs `body` with what is to be read, if it is named well and may be.
template <class Body>
std::int32_t with_reading(const collet_host* host, const collet_events_params* given, Body&& body) {
  return with_streams(host, [&](HostSide& side, OwnStreams& streams) -> std::int32_t {
    if (!given || given->struct_size < sizeof(std::uint32_t)) return COLLET_E_INVALID;
    const collet_events_params params = copy_struct(*given);
    if (!params.told) return COLLET_E_INVALID;
    if (const std::int32_t bad = check_name(params.stream, limits::kStreamNameBytesMax); bad < 0) return bad;
    StreamRead read{.name = {side.owner.name, std::string(view(params.stream))}, .after = params.after, .events_max = params.max};
    if (params.owner.data) {
      if (const std::int32_t bad = check_name(params.owner, limits::kPluginIdBytesMax); bad < 0) return bad;
      read.name.owner = view(params.owner);
    }
    return streams.may_read(read.name) ? body(streams, std::move(read), params) : COLLET_E_UNSUPPORTED;
  });
}

std::int32_t read(const collet_host* host, const collet_events_params* given) {
  return with_reading(host, given, [](OwnStreams& streams, StreamRead read, const collet_events_params& params) {
    return streams.ask(std::move(read), [params](const StreamAnswer& answer) { tell_page(params, 0, answer); });
  });
}

std::int32_t follow(const collet_host* host, const collet_events_params* given, collet_follow* out) {
  return with_reading(host, given, [&](OwnStreams& streams, StreamRead read, const collet_events_params& params) {
    collet_follow nobody;
    return streams.follow(
        std::move(read), [params](std::uint64_t id, const StreamAnswer& answer) { tell_page(params, id, answer); }, out ? *out : nobody);
  });
}

std::int32_t unfollow(const collet_host* host, collet_follow follow) {
  return with_streams(host, [&](HostSide&, OwnStreams& streams) { return streams.unfollow(follow); });
}

}  // namespace

const collet_events kEventsTable = {
    .struct_size = sizeof(collet_events), .reserved = 0, .append = append, .read = read, .follow = follow, .unfollow = unfollow};

}  // namespace collet::plugin
