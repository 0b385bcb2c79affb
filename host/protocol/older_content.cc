#include "protocol/older_content.h"

#include "base/json.h"
#include "base/text.h"

namespace collet::protocol {
namespace {

constexpr std::string_view kFirstWithLinks = "2025-06-18";
constexpr std::string_view kFirstWithAudio = "2025-03-26";

std::string_view member(const json::Value& object, std::string_view key) {
  return json::find_string(object, key).value_or("");
}

// "Title: description, uri"
void append_link(std::string& out, const json::Value& link) {
  std::string text(member(link, "title").empty() ? member(link, "name") : member(link, "title"));
  if (const auto description = member(link, "description"); !description.empty()) {
    text += ": ";
    text += description;
  }
  text += text.empty() ? "" : ", ";
  text += member(link, "uri");
  out += R"({"type":"text","text":)";
  text::append_json_string(out, text);
  out += '}';
}

void append_audio(std::string& out, const json::Value& audio) {
  out += R"({"type":"resource","resource":{"uri":"collet:embedded","mimeType":)";
  text::append_json_string(out, member(audio, "mimeType"));
  out += R"(,"blob":)";
  text::append_json_string(out, member(audio, "data"));
  out += "}}";
}

void append_block(std::string& out, std::string_view version, const json::Value& block) {
  const std::string_view type = member(block, "type");
  if (type == "resource_link") {
    append_link(out, block);
  } else if (type == "audio" && version < kFirstWithAudio) {
    append_audio(out, block);
  } else {
    json::append(out, block);
  }
}

void append_message(std::string& out, std::string_view version, const json::Value& message) {
  out += R"({"role":)";
  text::append_json_string(out, member(message, "role"));
  if (const json::Value* block = json::find(message, "content")) {
    out += R"(,"content":)";
    append_block(out, version, *block);
  }
  out += '}';
}

}  // namespace

std::string older_content(std::string_view version, registry::CallKind kind, std::string_view content) {
  if (version >= kFirstWithLinks) return {};
  const bool is_prompt = kind == registry::CallKind::prompt;
  if (!is_prompt && kind != registry::CallKind::tool) return {};
  const bool may_be_new = content.find(R"("resource_link")") != std::string_view::npos ||
                          (version < kFirstWithAudio && content.find(R"("audio")") != std::string_view::npos);
  json::Document all;
  if (!may_be_new || json::parse('[' + std::string(content) + ']', all)) return {};
  std::string out;
  for (const json::Value& each : all.GetArray()) {
    if (!out.empty()) out += ',';
    if (is_prompt) {
      append_message(out, version, each);
    } else {
      append_block(out, version, each);
    }
  }
  return out;
}

}  // namespace collet::protocol
