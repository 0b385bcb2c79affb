#include "plugin/abi/content.h"

#include <algorithm>

#include "base/json.h"
#include "base/json_members.h"
#include "base/scan.h"
#include "base/text.h"
#include "mcp/content.h"
#include "mcp/names.h"

namespace collet::plugin::content {
namespace {

// Members of a result's _meta that say something of the connection between a client and this host.
constexpr std::string_view kOurMeta[] = {mcp::kServerInfo, mcp::kRelatedTask, mcp::kSubscriptionId};

void separate(std::string& out) {
  if (!out.empty()) out += ',';
}

void append_member(std::string& out, std::string_view prefix, std::string_view text) {
  out += prefix;
  text::append_json_string(out, text);
}

void append_blob_contents(std::string& out, std::string_view uri, std::string_view mime, std::string_view bytes) {
  append_member(out, R"({"uri":)", uri);
  if (!mime.empty()) append_member(out, R"(,"mimeType":)", mime);
  out += R"(,"blob":")";
  text::append_base64(out, bytes);
  out += R"("})";
}

}  // namespace

void append_text(std::string& out, CallKind kind, const Reading& reading, std::string_view text) {
  separate(out);
  switch (kind) {
    case CallKind::tool:
      mcp::append_text_block(out, text);
      return;
    case CallKind::resource:
      append_member(out, R"({"uri":)", reading.uri);
      if (!reading.mime.empty()) append_member(out, R"(,"mimeType":)", reading.mime);
      append_member(out, R"(,"text":)", text);
      out += '}';
      return;
    case CallKind::prompt:
      out += R"({"role":"user","content":)";
      mcp::append_text_block(out, text);
      out += '}';
      return;
    case CallKind::complete:
      text::append_json_string(out, text);
      return;
    case CallKind::route:
      return;
  }
}

void append_json(std::string& out, std::string_view json) {
  separate(out);
  const std::size_t start = out.size();
  out += json;
  // Inside a string a newline is escaped, so what is found here stands between tokens.
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), [](char c) { return c == '\n' || c == '\r'; },
      ' ');
}

bool append_blob(std::string& out, CallKind kind, const Reading& reading, std::string_view type,
                 std::string_view mime, std::string_view bytes) {
  if (kind == CallKind::resource) {
    separate(out);
    append_blob_contents(out, reading.uri, mime.empty() ? std::string_view(reading.mime) : mime, bytes);
    return true;
  }
  if (kind != CallKind::tool) return false;
  if (type == "image" || type == "audio") {
    separate(out);
    append_member(out, R"({"type":)", type);
    append_member(out, R"(,"mimeType":)", mime);
    out += R"(,"data":")";
    text::append_base64(out, bytes);
    out += R"("})";
    return true;
  }
  if (type == "resource") {
    separate(out);
    out += R"({"type":"resource","resource":)";
    append_blob_contents(out, mcp::kEmbeddedUri, mime, bytes);
    out += '}';
    return true;
  }
  return false;
}

bool is_blob_type(std::string_view type) { return type == "image" || type == "audio" || type == "resource"; }

void append_field(std::string& out, std::string_view key, std::string_view json) {
  separate(out);
  text::append_json_string(out, key);
  out += ':';
  out += on_one_line(json);
}

std::optional<std::string> meta_without_ours(std::string_view meta) {
  std::vector<json::TextMember> members;
  if (!json::is_object(meta, {limits::kPluginJsonDepthMax}) || !json::split_object(meta, members))
    return std::nullopt;
  const auto ours = [](const json::TextMember& member) {
    return std::find(std::begin(kOurMeta), std::end(kOurMeta), member.key) != std::end(kOurMeta);
  };
  std::string kept = on_one_line(meta);
  for (const json::TextMember& member : members) {
    if (ours(member)) kept = json::without_member(kept, member.key);
  }
  return kept;
}

registry::Shape shape_of(CallKind kind) {
  if (kind == CallKind::resource) return registry::Shape::resource_contents;
  return kind == CallKind::prompt ? registry::Shape::prompt_message : registry::Shape::content_block;
}

std::string on_one_line(std::string_view json) {
  std::string out;
  append_json(out, json);
  return out;
}

}  // namespace collet::plugin::content
