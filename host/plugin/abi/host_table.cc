#include "plugin/abi/host_table.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "plugin/abi/content.h"
#include "plugin/abi/entered.h"
#include "plugin/abi/extensions.h"
#include "plugin/abi/noted.h"
#include "plugin/abi/notices.h"
#include "plugin/abi/structs.h"
#include "registry/shapes.h"

namespace collet::plugin {
namespace {

// A failed step of a result: the status for the plugin, the reason for the call's end.
struct Problem {
  std::int32_t status = COLLET_OK;
  std::string reason = {};
};

const Problem kNull{COLLET_E_INVALID, "a pointer is NULL and its size is not 0"};
const Problem kTooLarge{COLLET_E_LIMIT, "the result is larger than the host's limit"};
const Problem kNotJson{COLLET_E_INVALID, "the text is not valid JSON, or nested too deeply"};
const Problem kNotObject{COLLET_E_INVALID, "the text is not a JSON object, or nested too deeply"};
const Problem kWrongKind{COLLET_E_UNSUPPORTED, "this kind of call has no such result"};

// Runs `body`, which adds to the result; a problem sticks.
template <class Body>
std::int32_t add_to(const collet_host* host, collet_call id, const char* function, Body&& body) {
  return with_call(host, id, [&](HostSide& side, CallSlot& call) {
    const Problem problem = call.kind == CallKind::route ? kWrongKind : body(call);
    if (problem.status != COLLET_OK && call.failure.empty()) {
      call.failure = fmt::format("plugin {}: {}(): {}", side.owner.name, function, problem.reason);
    }
    return problem.status;
  });
}

// Of a text that goes into the result.
Problem check_room(const CallSlot& call, const char* data, std::size_t size) {
  if (!is_sound(data, size)) return kNull;
  if (size > limits::kResultBytesMax || call.result_bytes() + size > limits::kResultBytesMax) return kTooLarge;
  return {};
}

const content::Form& form_of(const CallSlot& call) { return *call.counted->form; }

// Escapes and base64 make text longer than what was given.
Problem check_grown(CallSlot& call, std::string& grown, std::size_t before) {
  if (call.result_bytes() <= limits::kResultBytesMax) return {};
  grown.resize(before);
  return kTooLarge;
}

// items

std::int32_t item_add(const collet_host* host, const collet_item_def* def, collet_item* out) {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    if (!def || !out) return COLLET_E_INVALID;
    return side.items.add(*def, out);
  });
}

std::int32_t item_remove(const collet_host* host, collet_item item) {
  return entered(host, [&](HostSide& side) { return side.items.remove(item); });
}

std::int32_t items_commit(const collet_host* host) {
  return entered(host, [&](HostSide& side) { return side.items.commit(); });
}

std::int32_t resource_updated(const collet_host* host, const char* uri, std::size_t size) {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    if (!is_sound(uri, size) || size == 0) return COLLET_E_INVALID;
    if (size > limits::kUriBytesMax) return COLLET_E_LIMIT;
    if (!text::is_utf8(view(uri, size))) return COLLET_E_INVALID;
    if (side.resource_updated) side.resource_updated(view(uri, size));
    return COLLET_OK;
  });
}

// the result

std::int32_t add_text(const collet_host* host, collet_call id, const char* data, std::size_t size) {
  return add_to(host, id, "add_text", [&](CallSlot& call) -> Problem {
    if (const Problem problem = check_room(call, data, size); problem.status) return problem;
    std::string& out = call.ending.content;
    const std::size_t before = out.size();
    form_of(call).text(out, call.kind, call.reading, view(data, size));
    return check_grown(call, out, before);
  });
}

std::int32_t add_json(const collet_host* host, collet_call id, const char* data, std::size_t size) {
  return add_to(host, id, "add_json", [&](CallSlot& call) -> Problem {
    if (call.kind == CallKind::complete) return kWrongKind;
    if (const Problem problem = check_room(call, data, size); problem.status) return problem;
    const text::Utf8 text(view(data, size));
    const auto block = registry::fit(content::shape_of(call.kind), text.view());
    if (!block) return {COLLET_E_INVALID, "the piece " + block.message()};
    for (const std::string& left_out : block->left_out) {
      log::warning("plugin {}: of a content block is left out: {}", call.counted->name, left_out);
    }
    std::string& out = call.ending.content;
    const std::size_t before = out.size();
    form_of(call).json(out, block->text());
    return check_grown(call, out, before);
  });
}

std::int32_t add_blob(const collet_host* host, collet_call id, const char* type, std::size_t type_size,
                      const char* mime, std::size_t mime_size, collet_blob blob_id) {
  std::optional<Blob> blob;  // taken in any case, and freed outside the call's lock
  entered(host, [&](HostSide& side) -> std::int32_t {
    blob = side.blobs.take(blob_id);
    return COLLET_OK;
  });
  return add_to(host, id, "add_blob", [&](CallSlot& call) -> Problem {
    if (!blob) return {COLLET_E_STALE, "the id names no blob"};
    if (call.kind != CallKind::tool && call.kind != CallKind::resource) return kWrongKind;
    if (!is_sound(type, type_size) || !is_sound(mime, mime_size)) return kNull;
    if (const Problem problem = check_room(call, mime, mime_size); problem.status) return problem;
    if (const Problem problem = check_room(call, "", blob->size); problem.status) return problem;
    const text::Utf8 mime_type(view(mime, mime_size));
    const std::string_view wanted = view(type, type_size);
    if (mime_size == 0 && (wanted == "image" || wanted == "audio") && call.kind == CallKind::tool) {
      return {COLLET_E_INVALID, "an image or audio block needs a MIME type"};
    }
    if (call.kind == CallKind::tool && !content::is_blob_type(wanted)) {
      return {COLLET_E_INVALID, "the type is none of \"image\", \"audio\" and \"resource\""};
    }
    std::string& out = call.ending.content;
    const std::size_t before = out.size();
    form_of(call).blob(out, call.kind, call.reading, wanted, mime_type.view(), std::move(*blob));
    return check_grown(call, out, before);
  });
}

std::int32_t set_structured(const collet_host* host, collet_call id, const char* data, std::size_t size) {
  return add_to(host, id, "set_structured", [&](CallSlot& call) -> Problem {
    if (call.kind != CallKind::tool) return kWrongKind;
    if (const Problem problem = check_room(call, data, size); problem.status) return problem;
    const text::Utf8 text(view(data, size));
    if (!json::is_valid(text.view(), {limits::kPluginJsonDepthMax})) return kNotJson;
    call.ending.structured = content::on_one_line(text.view());
    return {};
  });
}

std::int32_t set_meta(const collet_host* host, collet_call id, const char* data, std::size_t size) {
  return add_to(host, id, "set_meta", [&](CallSlot& call) -> Problem {
    if (const Problem problem = check_room(call, data, size); problem.status) return problem;
    const text::Utf8 text(view(data, size));
    auto meta = content::meta_without_ours(text.view());
    if (!meta) return kNotObject;
    call.ending.meta = std::move(*meta);
    return {};
  });
}

std::int32_t set_field(const collet_host* host, collet_call id, const char* key, std::size_t key_size,
                       const char* data, std::size_t size) {
  return add_to(host, id, "set_field", [&](CallSlot& call) -> Problem {
    if (const Problem problem = check_room(call, key, key_size); problem.status) return problem;
    if (const Problem problem = check_room(call, data, size); problem.status) return problem;
    const std::string_view name = view(key, key_size);
    const text::Utf8 text(view(data, size));
    if (name.empty() || !text::is_utf8(name)) return {COLLET_E_INVALID, "the key is empty or not UTF-8"};
    if (mcp::is_result_member(name)) return {COLLET_E_INVALID, "the host sets that member itself"};
    if (!json::is_valid(text.view(), {limits::kPluginJsonDepthMax})) return kNotJson;
    auto& names = call.field_names;
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return {COLLET_E_DUPLICATE, "the member was set before"};
    }
    if (names.size() >= limits::kResultFieldsMax) return {COLLET_E_LIMIT, "too many members"};
    names.emplace_back(name);
    std::string& out = call.ending.fields;
    const std::size_t before = out.size();
    form_of(call).field(out, name, text.view());
    return check_grown(call, out, before);
  });
}

// the end

std::int32_t complete(const collet_host* host, collet_call id, std::uint32_t is_error) {
  return end_call(host, id, [&](HostSide& side, CallSlot& call) -> std::int32_t {
    call.ending.is_error = is_error != 0;
    if (!is_error || call.kind == CallKind::tool) return COLLET_OK;
    set_failed(side, call, "complete", "only a tool's call completes with an error");
    return COLLET_E_UNSUPPORTED;
  });
}

std::int32_t fail(const collet_host* host, collet_call id, std::int32_t rpc_code, const char* message,
                  std::size_t message_size, const char* data, std::size_t data_size) {
  return end_call(host, id, [&](HostSide& side, CallSlot& call) -> std::int32_t {
    const auto bad = [&](const Problem& problem) {
      set_failed(side, call, "fail", problem.reason);
      return problem.status;
    };
    if (!is_sound(message, message_size) || !is_sound(data, data_size)) return bad(kNull);
    if (message_size > limits::kResultBytesMax || data_size > limits::kResultBytesMax) return bad(kTooLarge);
    const text::Utf8 words(view(message, message_size));
    const text::Utf8 more(view(data, data_size));
    if (data && !json::is_valid(more.view(), {limits::kPluginJsonDepthMax})) return bad(kNotJson);
    call.ending.how = registry::Ending::How::failed;
    call.ending.rpc_code = rpc_code;
    call.ending.message.assign(words.view());
    if (data) content::append_json(call.ending.data, more.view());
    return COLLET_OK;
  });
}

std::int32_t suspend(const collet_host* host, collet_call id, const char* state, std::size_t state_size,
                     std::uint32_t state_version) {
  return end_call(host, id, [&](HostSide& side, CallSlot& call) -> std::int32_t {
    const auto bad = [&](const Problem& problem) {
      set_failed(side, call, "suspend", problem.reason);
      return problem.status;
    };
    if (call.kind == CallKind::route) return bad(kWrongKind);
    if (!is_sound(state, state_size)) return bad(kNull);
    if (state_size > limits::kSuspendStateBytesMax) return bad({COLLET_E_LIMIT, "the state is too large"});
    call.ending.how = registry::Ending::How::suspended;
    call.ending.state.assign(view(state, state_size));
    call.ending.state_version = state_version;
    return COLLET_OK;
  });
}

Problem check_input_request(std::string_view request) {
  json::Document document;
  if (json::parse(request, document, {limits::kPluginJsonDepthMax}) || !document.IsObject()) return kNotObject;
  const auto method = json::find_string(document, "method");
  if (!method || !mcp::input_by(*method)) {
    return {COLLET_E_INVALID, "its method is none of elicitation/create, sampling/createMessage and roots/list"};
  }
  const json::Value* params = json::find(document, "params");
  if (params && !params->IsObject()) return {COLLET_E_INVALID, "its params are no object"};
  return {};
}

std::int32_t need_input(const collet_host* host, collet_call id, const char* key, std::size_t key_size,
                        const char* request, std::size_t request_size) {
  return add_to(host, id, "need_input", [&](CallSlot& call) -> Problem {
    if (!is_sound(key, key_size) || !is_sound(request, request_size)) return kNull;
    if (key_size > limits::kInputRequestBytesMax || request_size > limits::kInputRequestBytesMax) {
      return {COLLET_E_LIMIT, "the request is too large"};
    }
    const std::string_view name = view(key, key_size);
    const text::Utf8 text(view(request, request_size));
    if (name.empty() || !text::is_utf8(name)) return {COLLET_E_INVALID, "the key is empty or not UTF-8"};
    if (const Problem problem = check_input_request(text.view()); problem.status) return problem;
    auto& requests = call.ending.input_requests;
    std::size_t bytes = name.size() + text.view().size();
    for (const auto& earlier : requests) {
      if (earlier.key == name) return {COLLET_E_DUPLICATE, "the key was used before"};
      bytes += earlier.key.size() + earlier.request.size();
    }
    if (requests.size() >= limits::kInputRequestsMax) return {COLLET_E_LIMIT, "too many requests"};
    if (bytes > limits::kInputRequestsBytesMax) return {COLLET_E_LIMIT, "the requests together are too large"};
    requests.push_back({std::string(name), content::on_one_line(text.view())});
    return {};
  });
}

// while it runs, besides notices.h

std::int32_t is_cancelled(const collet_host* host, collet_call id) {
  const HostSide* side = side_of(host);
  if (!side) return COLLET_E_INVALID;
  const auto cancelled = side->calls.is_cancelled(id, side->owner);
  return cancelled ? (*cancelled ? 1 : 0) : COLLET_E_STALE;
}

// context, memory and more

std::int32_t call_info(const collet_host* host, collet_call id, const char* key, std::size_t size,
                       collet_str* out) {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    if (!out || !is_sound(key, size)) return COLLET_E_INVALID;
    *out = {};
    // Under the lock: the listener lives until on_end(), which cannot come before we let go.
    LockedCall call = side.calls.lock(id, side.owner);
    if (!call) return COLLET_E_STALE;
    if (const auto known = call->listener->info(view(key, size))) *out = {known->data(), known->size()};
    return COLLET_OK;
  });
}

std::int32_t blob_new(const collet_host* host, std::size_t size, collet_blob* out, void** data) {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    if (!out || !data) return COLLET_E_INVALID;
    *out = side.blobs.create(size, data);
    return *out ? COLLET_OK : COLLET_E_LIMIT;
  });
}

std::int32_t blob_drop(const collet_host* host, collet_blob blob) {
  return entered(host, [&](HostSide& side) { return side.blobs.take(blob) ? COLLET_OK : COLLET_E_STALE; });
}

const void* get_extension(const collet_host* host, const char* id, std::size_t size) {
  const HostSide* side = side_of(host);
  return side && is_sound(id, size) ? find_extension(view(id, size), *side) : nullptr;
}

}  // namespace

collet_host make_host_table(HostSide& side) {
  const bool noted = side.refusals != nullptr;
  collet_host table{};
  table.struct_size = sizeof table;
  table.abi_minor = COLLET_ABI_MINOR;
  table.host_data = &side;
  table.item_add = slot<"item_add", item_add>(noted);
  table.item_remove = slot<"item_remove", item_remove>(noted);
  table.items_commit = slot<"items_commit", items_commit>(noted);
  table.resource_updated = slot<"resource_updated", resource_updated>(noted);
  table.add_text = slot<"add_text", add_text>(noted);
  table.add_json = slot<"add_json", add_json>(noted);
  table.add_blob = slot<"add_blob", add_blob>(noted);
  table.set_structured = slot<"set_structured", set_structured>(noted);
  table.set_meta = slot<"set_meta", set_meta>(noted);
  table.set_field = slot<"set_field", set_field>(noted);
  table.complete = slot<"complete", complete>(noted);
  table.fail = slot<"fail", fail>(noted);
  table.suspend = slot<"suspend", suspend>(noted);
  table.need_input = slot<"need_input", need_input>(noted);
  table.progress = slot<"progress", notices::progress>(noted);
  table.log = slot<"log", notices::log>(noted);
  table.is_cancelled = is_cancelled;
  table.call_info = slot<"call_info", call_info>(noted);
  table.blob_new = slot<"blob_new", blob_new>(noted);
  table.blob_drop = slot<"blob_drop", blob_drop>(noted);
  table.get_extension = get_extension;
  return table;
}

}  // namespace collet::plugin
