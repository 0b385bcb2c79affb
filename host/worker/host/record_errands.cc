#include "worker/host/record_errands.h"

#include "plugin/abi/structs.h"

namespace collet::worker {
namespace {

using plugin::to_str;
using plugin::view;

void read_expected(FieldReader& fields, collet_store_params& params) {
  if (fields.number<std::uint8_t>()) params.flags = COLLET_STORE_IF_VERSION;
  params.version = fields.number<std::uint64_t>();
}

}  // namespace

bool RecordErrands::find_tables(const collet_host& host) {
  store_ = find<collet_store>(host, COLLET_EXT_STORE);
  return store_ != nullptr;
}

std::string RecordErrands::make(std::uint32_t incarnation, const FrameHead& head, std::string_view body) {
  FieldReader fields(body);
  if (head.type == FrameType::record_list) return list(incarnation, head.id, fields);
  collet_store_params params{};
  params.struct_size = sizeof params;
  params.key = to_str(fields.text());
  auto function = store_->get;
  if (head.type == FrameType::record_put) {
    function = store_->put;
    params.value = to_str(fields.text());
    params.ttl_ms = fields.number<std::uint64_t>();
    read_expected(fields, params);
  } else if (head.type == FrameType::record_remove) {
    function = store_->remove;
    read_expected(fields, params);
  }
  if (!fields.complete()) return "it sent a frame that is no question to the store";
  params.answered = [](void* context, const collet_stored* stored) {
    answer(context, stored->status, [&](FrameWriter& frame) {
      frame.number(stored->version).text_or_nothing(plugin::optional_view(stored->value));
    });
  };
  return ask(incarnation, head.id, FrameType::stored, [&](void* context) {
    params.context = context;
    return function(host(), &params);
  });
}

std::string RecordErrands::list(std::uint32_t incarnation, std::uint64_t id, FieldReader fields) {
  collet_keys_params params{};
  params.struct_size = sizeof params;
  params.prefix = to_str(fields.text());
  params.after = plugin::to_optional_str(fields.text_or_nothing());
  params.max = fields.number<std::uint32_t>();
  if (!fields.complete()) return "it sent a frame that is no question to the store";
  params.listed = [](void* context, const collet_keys* keys) {
    answer(context, keys->status, [&](FrameWriter& frame) {
      frame.number(static_cast<std::uint8_t>(keys->more));
      for (std::size_t i = 0; i < keys->key_count; ++i) frame.text(view(keys->keys[i].key)).number(keys->keys[i].version);
    });
  };
  return ask(incarnation, id, FrameType::keys, [&](void* context) {
    params.context = context;
    return store_->list(host(), &params);
  });
}

}  // namespace collet::worker
