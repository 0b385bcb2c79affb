#include "plugin/abi/store_table.h"

#include "base/text.h"
#include "plugin/abi/entered.h"
#include "plugin/abi/structs.h"
#include "plugin/run/own_records.h"

namespace collet::plugin {
namespace {

using store::Records;

void tell_record(const collet_store_params& params, const RecordAnswer& answer) {
  collet_stored stored{};
  stored.struct_size = sizeof stored;
  stored.status = answer.status;
  stored.version = answer.version;
  if (answer.value) stored.value = to_str(*answer.value);
  params.answered(params.context, &stored);
}

void tell_keys(const collet_keys_params& params, const RecordAnswer& answer) {
  std::vector<collet_key> keys;
  for (const Records::Page::Key& key : answer.page.keys) keys.push_back({to_str(key.key), key.version});
  collet_keys out{};
  out.struct_size = sizeof out;
  out.status = answer.status;
  out.more = answer.page.more ? 1 : 0;
  out.keys = keys.data();
  out.key_count = keys.size();
  params.listed(params.context, &out);
}

// COLLET_OK, or what is wrong with a key.
std::int32_t check_key(const collet_str& key) {
  if (!is_sound(key)) return COLLET_E_INVALID;
  if (key.size > limits::kRecordKeyBytesMax) return COLLET_E_LIMIT;
  return text::is_utf8(view(key)) ? COLLET_OK : COLLET_E_INVALID;
}

Records::Expected expected_of(const collet_store_params& params) {
  return params.flags & COLLET_STORE_IF_VERSION ? Records::Expected(params.version) : std::nullopt;
}

// Asks for what `order_of` makes of the parameters, if they are good.
template <class OrderOf>
std::int32_t ask(const collet_host* host, const collet_store_params* given, std::uint32_t flags, OrderOf&& order_of) {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    if (!side.records) return COLLET_E_UNSUPPORTED;
    if (!given || given->struct_size < sizeof(std::uint32_t)) return COLLET_E_INVALID;
    const collet_store_params params = copy_struct(*given);
    if (!params.answered || params.key.size == 0 || (params.flags & ~flags)) return COLLET_E_INVALID;
    if (const std::int32_t bad = check_key(params.key); bad < 0) return bad;
    if (!is_sound(params.value)) return COLLET_E_INVALID;
    if (params.value.size > limits::kRecordValueBytesMax || params.ttl_ms > limits::kRecordTtlMsMax) return COLLET_E_LIMIT;
    return side.records->ask(order_of(params, std::string(view(params.key))),
                             [params](const RecordAnswer& answer) { tell_record(params, answer); });
  });
}

std::int32_t get(const collet_host* host, const collet_store_params* given) {
  return ask(host, given, 0, [](const collet_store_params&, std::string key) { return RecordGet{std::move(key)}; });
}

std::int32_t put(const collet_host* host, const collet_store_params* given) {
  return ask(host, given, COLLET_STORE_IF_VERSION, [](const collet_store_params& params, std::string key) {
    return Records::Put{std::move(key), std::string(view(params.value)), expected_of(params), params.ttl_ms};
  });
}

std::int32_t remove(const collet_host* host, const collet_store_params* given) {
  return ask(host, given, COLLET_STORE_IF_VERSION, [](const collet_store_params& params, std::string key) {
    return RecordRemove{std::move(key), expected_of(params)};
  });
}

std::int32_t list(const collet_host* host, const collet_keys_params* given) {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    if (!side.records) return COLLET_E_UNSUPPORTED;
    if (!given || given->struct_size < sizeof(std::uint32_t)) return COLLET_E_INVALID;
    const collet_keys_params params = copy_struct(*given);
    if (!params.listed) return COLLET_E_INVALID;
    for (const collet_str& text : {params.prefix, params.after}) {
      if (const std::int32_t bad = check_key(text); bad < 0) return bad;
    }
    Records::List wanted{.prefix = std::string(view(params.prefix)), .keys_max = params.max};
    if (params.after.data) wanted.after.emplace(view(params.after));
    return side.records->ask(std::move(wanted), [params](const RecordAnswer& answer) { tell_keys(params, answer); });
  });
}

}  // namespace

const collet_store kStoreTable = {
    .struct_size = sizeof(collet_store), .reserved = 0, .get = get, .put = put, .remove = remove, .list = list};

}  // namespace collet::plugin
