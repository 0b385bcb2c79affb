#include "plugin/abi/relay.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "plugin/abi/content.h"
#include "plugin/abi/entered.h"
#include "plugin/abi/structs.h"

namespace collet::plugin::relay {
namespace {

constexpr const char* kNoContent = "the result's content is not what this kind of call has";

bool is_string(std::string_view json) { return json.starts_with('"'); }

// Takes the elements of an array's text; says why it cannot.
std::string take_elements(std::string_view array, CallKind kind, std::string& out) {
  const auto elements = json::split_array(array);
  if (!elements) return kNoContent;
  bool as_they_are = true;
  std::vector<registry::Fitted> fitted;
  fitted.reserve(elements->size());
  for (const std::string_view element : *elements) {
    if (kind == CallKind::complete) {
      if (!is_string(element)) return "the result has a value that is no string";
      continue;
    }
    auto fit = registry::fit(content::shape_of(kind), element);
    if (!fit) return "a piece of the result " + fit.message();
    as_they_are = as_they_are && fit->left_out.empty();
    fitted.push_back(std::move(*fit));
  }
  if (elements->empty()) return {};
  if (as_they_are) {
    content::append_json(out, array.substr(1, array.size() - 2));
  } else {
    for (const registry::Fitted& fit : fitted) content::append_json(out, fit.text());
  }
  return {};
}

std::string take_completion(std::string_view completion, registry::Ending& out) {
  std::vector<json::TextMember> members;
  if (!json::split_object(completion, members)) return kNoContent;
  for (const json::TextMember& member : members) {
    if (member.key != mcp::names_of(CallKind::complete).array) {
      content::append_field(out.fields, member.key, member.value);
    } else if (std::string bad = take_elements(member.value, CallKind::complete, out.content); !bad.empty()) {
      return bad;
    }
  }
  return {};
}

std::string take_content(std::string_view value, CallKind kind, registry::Ending& out) {
  return kind == CallKind::complete ? take_completion(value, out) : take_elements(value, kind, out.content);
}

// Why the text is no result of that kind, or nothing.
std::string take_result(std::string_view text, CallKind kind, registry::Ending& out) {
  std::vector<json::TextMember> members;
  if (!json::is_object(text, {limits::kPluginJsonDepthMax}) || !json::split_object(text, members)) {
    return "the result is not a JSON object, or nested too deeply";
  }
  for (std::string* piece : {&out.content, &out.structured, &out.meta, &out.fields}) piece->clear();
  bool has_content = kind == CallKind::tool;  // a tool may answer with structured content alone
  for (const auto& [key, value] : members) {
    if (key == mcp::names_of(kind).result_member) {
      if (std::string bad = take_content(value, kind, out); !bad.empty()) return bad;
      has_content = true;
    } else if (key == mcp::kMeta) {
      auto meta = content::meta_without_ours(value);
      if (!meta) return "the result's _meta is not a JSON object";
      out.meta = std::move(*meta);
    } else if (key == mcp::kStructuredContent && kind == CallKind::tool) {
      content::append_json(out.structured, value);
    } else if (key == mcp::kIsError && kind == CallKind::tool) {
      out.is_error = value == "true";
    } else if (!mcp::is_result_member(key) && kind != CallKind::complete) {
      content::append_field(out.fields, key, value);
    }
  }
  return has_content ? "" : "the result has no content";
}

}  // namespace

std::int32_t complete_with(const collet_host* host, collet_call id, const char* data, std::size_t size) {
  return end_call(host, id, [&](HostSide& side, CallSlot& call) -> std::int32_t {
    const auto bad = [&](std::int32_t status, std::string_view reason) {
      set_failed(side, call, "complete_with", reason);
      return status;
    };
    if (call.kind == CallKind::route) return bad(COLLET_E_UNSUPPORTED, "a route has no such result");
    if (!is_sound(data, size)) return bad(COLLET_E_INVALID, "a pointer is NULL and its size is not 0");
    if (size > limits::kResultBytesMax) return bad(COLLET_E_LIMIT, "the result is larger than the host's limit");
    const text::Utf8 result(view(data, size));
    if (const std::string reason = take_result(result.view(), call.kind, call.ending); !reason.empty()) {
      return bad(COLLET_E_INVALID, reason);
    }
    call.counted->form->whole(call.ending, result.view());
    call.failure.clear();
    return COLLET_OK;
  });
}

}  // namespace collet::plugin::relay
