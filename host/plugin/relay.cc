#include "plugin/relay.h"

#include <algorithm>

#include "base/json.h"
#include "plugin/content.h"
#include "plugin/entered.h"
#include "plugin/structs.h"

namespace collet::plugin::relay {
namespace {

// Members of _meta that say something of the connection between a client and this host.
constexpr std::string_view kServerInfo = "io.modelcontextprotocol/serverInfo";
constexpr std::string_view kRelatedTask = "io.modelcontextprotocol/related-task";

std::string_view content_key(CallKind kind) {
  switch (kind) {
    case CallKind::tool:
      return "content";
    case CallKind::resource:
      return "contents";
    case CallKind::prompt:
      return "messages";
    case CallKind::complete:
      return "completion";
  }
  return {};
}

// The elements of an array's text, or false if it is none.
bool take_elements(std::string_view array, std::string& out) {
  if (!array.starts_with('[')) return false;
  const std::string_view elements = array.substr(1, array.size() - 2);
  if (elements.find_first_not_of(" \t\r\n") != std::string_view::npos) content::append_json(out, elements);
  return true;
}

// What of _meta is not the host's to say.
bool take_meta(std::string_view meta, std::string& out) {
  std::vector<json::TextMember> members;
  if (!json::split_object(meta, members)) return false;
  std::string kept;
  for (const json::TextMember& member : members) {
    if (member.key != kServerInfo && member.key != kRelatedTask)
      content::append_field(kept, member.key, member.value);
  }
  if (!kept.empty()) out = "{" + kept + "}";
  return true;
}

bool take_completion(std::string_view completion, registry::Ending& out) {
  std::vector<json::TextMember> members;
  if (!json::split_object(completion, members)) return false;
  for (const json::TextMember& member : members) {
    if (member.key != "values") {
      content::append_field(out.fields, member.key, member.value);
    } else if (!take_elements(member.value, out.content)) {
      return false;
    }
  }
  return true;
}

bool take_content(std::string_view value, CallKind kind, registry::Ending& out) {
  return kind == CallKind::complete ? take_completion(value, out) : take_elements(value, out.content);
}

// Why the text is no result of that kind, or null.
const char* take_result(std::string_view text, CallKind kind, registry::Ending& out) {
  std::vector<json::TextMember> members;
  if (!json::split_object(text, members)) return "the result is not a JSON object";
  for (std::string* piece : {&out.content, &out.structured, &out.meta, &out.fields}) piece->clear();
  bool has_content = kind == CallKind::tool;  // a tool may answer with structured content alone
  for (const auto& [key, value] : members) {
    if (key == content_key(kind)) {
      if (!take_content(value, kind, out)) return "the result's content is not what this kind of call has";
      has_content = true;
    } else if (key == "_meta") {
      if (!take_meta(value, out.meta)) return "the result's _meta is not a JSON object";
    } else if (key == "structuredContent" && kind == CallKind::tool) {
      content::append_json(out.structured, value);
    } else if (key == "isError" && kind == CallKind::tool) {
      out.is_error = value == "true";
    } else if (!content::is_reserved_field(key) && kind != CallKind::complete) {
      content::append_field(out.fields, key, value);
    }
  }
  return has_content ? nullptr : "the result has no content";
}

std::int32_t end(HostSide& side, LockedCall call, const char* data, std::size_t size) {
  const auto bad = [&](std::int32_t status, const char* reason) {
    side.calls.end_failed(std::move(call), kInternalError,
                          fmt::format("plugin {}: complete_with(): {}", side.owner.name, reason));
    return status;
  };
  if (!is_sound(data, size)) return bad(COLLET_E_INVALID, "a pointer is NULL and its size is not 0");
  if (size > limits::kResultBytesMax) return bad(COLLET_E_LIMIT, "the result is larger than the host's limit");
  if (const char* reason = take_result(view(data, size), call->kind, call->ending))
    return bad(COLLET_E_INVALID, reason);
  call->counted->form->whole(call->ending, view(data, size));
  call->failure.clear();
  side.calls.end(std::move(call));
  return COLLET_OK;
}

}  // namespace

std::int32_t complete_with(const collet_host* host, collet_call id, const char* data, std::size_t size) {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    LockedCall call = side.calls.lock(id, side.owner);
    return call ? end(side, std::move(call), data, size) : COLLET_E_STALE;
  });
}

}  // namespace collet::plugin::relay
