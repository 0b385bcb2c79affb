#include "plugin/abi/fetch_table.h"

#include <span>

#include "plugin/abi/entered.h"
#include "plugin/abi/structs.h"
#include "plugin/run/fetches.h"

namespace collet::plugin {
namespace {

template <class Body>
std::int32_t with_fetches(const collet_host* host, Body&& body) {
  return entered(host, [&](HostSide& side) -> std::int32_t { return side.fetches ? body(*side.fetches) : COLLET_E_UNSUPPORTED; });
}

std::int32_t read_fields(const collet_fetch_params& params, fetch::Fields& out) {
  if (!params.fields && params.field_count > 0) return COLLET_E_INVALID;
  if (params.field_count > limits::kFetchFieldsMax) return COLLET_E_LIMIT;
  std::size_t bytes = 0;
  for (const collet_http_field& field : std::span(params.fields, params.field_count)) {
    if (!is_sound(field.name) || !is_sound(field.value)) return COLLET_E_INVALID;
    if (field.name.size > limits::kFetchFieldBytesMax || field.value.size > limits::kFetchFieldBytesMax) return COLLET_E_LIMIT;
    bytes += field.name.size + field.value.size;
    if (bytes > limits::kFetchFieldBytesMax) return COLLET_E_LIMIT;
    out.push_back({std::string(view(field.name)), std::string(view(field.value))});
  }
  return COLLET_OK;
}

std::int32_t read_request(const collet_fetch_params& params, fetch::Request& out) {
  for (const collet_str& text : {params.method, params.url, params.content}) {
    if (!is_sound(text)) return COLLET_E_INVALID;
  }
  if (params.url.size > limits::kFetchUrlBytesMax || params.content.size > limits::kFetchBytesMax) return COLLET_E_LIMIT;
  if (params.method.size > limits::kFetchMethodBytesMax || params.redirects_max > limits::kFetchRedirectsMax) return COLLET_E_INVALID;
  if (const std::int32_t bad = read_fields(params, out.fields); bad < 0) return bad;
  if (params.method.data) out.method = view(params.method);
  out.url = view(params.url);
  out.body = view(params.content);
  out.timeout_ms = std::min<std::uint64_t>(params.timeout_ms, limits::kTimeoutMsMax);
  out.connect_timeout_ms = std::min<std::uint64_t>(params.connect_timeout_ms, limits::kTimeoutMsMax);
  out.redirects_max = params.redirects_max;
  out.bytes_max = params.bytes_max;
  return fetch::check(out) ? COLLET_OK : COLLET_E_INVALID;
}

void say_head(void (*head)(void*, const collet_fetch_head*), void* context, std::uint64_t id, const fetch::Head& told) {
  std::vector<collet_http_field> fields;
  for (const fetch::Field& field : told.fields) fields.push_back({to_str(field.name), to_str(field.value)});
  const collet_fetch_head out{.struct_size = sizeof out,
                              .status = static_cast<std::uint32_t>(told.status),
                              .exchange = id,
                              .url = to_str(told.url),
                              .fields = fields.data(),
                              .field_count = fields.size()};
  head(context, &out);
}

void say_end(void (*ended)(void*, const collet_fetch_end*), void* context, std::uint64_t id, CallId inside_of, const fetch::End& told) {
  collet_fetch_end out{};
  out.struct_size = sizeof out;
  out.how = told.whole ? COLLET_FETCH_COMPLETED : told.denied.empty() ? COLLET_FETCH_FAILED : COLLET_FETCH_DENIED;
  out.sent = told.sent ? 1 : 0;
  out.exchange = id;
  out.inside_of = inside_of;
  if (!told.whole) out.message = to_str(told.message);
  ended(context, &out);
}

Fetches::Heard callbacks_of(const collet_fetch_params& params) {
  Fetches::Heard heard;
  if (params.head) {
    heard.head = [head = params.head, context = params.context](std::uint64_t id, const fetch::Head& told) {
      say_head(head, context, id, told);
    };
  }
  if (params.body) {
    heard.body = [body = params.body, context = params.context](std::string_view bytes) { body(context, bytes.data(), bytes.size()); };
  }
  heard.ended = [ended = params.ended, context = params.context](std::uint64_t id, CallId inside_of, const fetch::End& told) {
    say_end(ended, context, id, inside_of, told);
  };
  return heard;
}

std::int32_t fetch_it(const collet_host* host, const collet_fetch_params* given, collet_exchange* out) {
  return with_fetches(host, [&](Fetches& fetches) -> std::int32_t {
    if (!given || given->struct_size < sizeof(std::uint32_t)) return COLLET_E_INVALID;
    const collet_fetch_params params = copy_struct(*given);
    const bool as_plugin = (params.flags & COLLET_FETCH_AS_PLUGIN) != 0;
    if ((params.flags & ~COLLET_FETCH_AS_PLUGIN) != 0 || (params.inside_of != 0) == as_plugin || !params.ended || params.reserved ||
        params.reserved_pointer) {
      return COLLET_E_INVALID;
    }
    fetch::Request request;
    if (const std::int32_t bad = read_request(params, request); bad < 0) return bad;
    collet_exchange nobody;
    return fetches.fetch(params.inside_of, std::move(request), callbacks_of(params), out ? *out : nobody);
  });
}

std::int32_t taken(const collet_host* host, collet_exchange exchange, std::size_t size) {
  return with_fetches(host, [&](Fetches& fetches) { return fetches.taken(exchange, size); });
}

std::int32_t cancel_fetch(const collet_host* host, collet_exchange exchange) {
  return with_fetches(host, [&](Fetches& fetches) { return fetches.cancel(exchange); });
}

}  // namespace

const collet_fetch kFetchTable = {
    .struct_size = sizeof(collet_fetch), .reserved = 0, .fetch = fetch_it, .taken = taken, .cancel = cancel_fetch};

}  // namespace collet::plugin
