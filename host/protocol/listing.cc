#include "protocol/listing.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace collet::protocol {
namespace {

constexpr std::string_view kCursorMark = "after:";

std::string_view name_member(registry::Kind kind) {
  switch (kind) {
    case registry::Kind::resource:
      return "uri";
    case registry::Kind::resource_template:
      return "uriTemplate";
    case registry::Kind::tool:
    case registry::Kind::prompt:
      return "name";
  }
  return "name";
}

// Beside what it is called by.
bool has_name_of_its_own(registry::Kind kind) {
  return kind == registry::Kind::resource || kind == registry::Kind::resource_template;
}

bool has_member(std::string_view definition, std::string_view member) {
  json::Document document;
  return !json::parse(definition, document) && json::find(document, member);
}

// What a tool must have and its definition need not say.
void append_implied(std::string& out, const registry::ItemDef& def) {
  if (!has_member(def.definition, "inputSchema")) out += R"(,"inputSchema":{"type":"object"})";
  const registry::Traits& traits = def.traits;
  if ((traits.task_required || traits.task_optional) && !has_member(def.definition, "execution")) {
    out += fmt::format(R"(,"execution":{{"taskSupport":"{}"}})", traits.task_required ? "required" : "optional");
  }
}

// {"name":"…",<the definition's members>}, and what the protocol requires beyond them. Line breaks between tokens
// become blanks: a message is one line.
void append_item(std::string& out, const registry::Item& item) {
  out += "{\"";
  out += name_member(item.def->kind);
  out += "\":";
  text::append_json_string(out, item.name);
  std::string_view members = item.def->definition;
  members.remove_prefix(members.find('{') + 1);
  members = members.substr(0, members.rfind('}'));
  if (members.find_first_not_of(" \t\r\n") != std::string_view::npos) {
    out += ',';
    const std::size_t start = out.size();
    out += members;
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), [](char c) { return c == '\n' || c == '\r'; },
        ' ');
  }
  if (item.def->kind == registry::Kind::tool) append_implied(out, *item.def);
  if (has_name_of_its_own(item.def->kind) && !has_member(item.def->definition, "name")) {
    out += R"(,"name":)";
    text::append_json_string(out, item.name);
  }
  out += '}';
}

}  // namespace

Listing::Listing(const registry::Snapshot& snapshot, registry::Kind kind, unsigned page_items)
    : page_items_(page_items) {
  const auto& items = snapshot.items(kind);
  begins_.reserve(items.size() + 1);
  names_.reserve(items.size());
  for (const registry::Item& item : items) {
    begins_.push_back(text_.size());
    names_.push_back(item.name);
    append_item(text_, item);
    text_ += ',';
  }
  begins_.push_back(text_.size());
}

std::optional<Listing::Page> Listing::page(std::optional<std::string_view> cursor) const {
  std::size_t first = 0;
  if (cursor) {
    const auto decoded = text::from_base64(*cursor);
    if (!decoded || !decoded->starts_with(kCursorMark)) return std::nullopt;
    const std::string_view after = std::string_view(*decoded).substr(kCursorMark.size());
    first = static_cast<std::size_t>(std::upper_bound(names_.begin(), names_.end(), after) - names_.begin());
  }
  const std::size_t last = std::min(names_.size(), first + page_items_);
  Page page;
  if (first == last) return page;
  page.items = std::string_view(text_).substr(begins_[first], begins_[last] - begins_[first] - 1);
  if (last < names_.size()) {
    text::append_base64(page.next_cursor, std::string(kCursorMark) + names_[last - 1]);
  }
  return page;
}

Listings::Listings(const registry::Snapshot& snapshot, unsigned page_items) {
  using registry::Kind;
  for (const Kind kind : {Kind::tool, Kind::resource, Kind::resource_template, Kind::prompt}) {
    all_.emplace_back(snapshot, kind, page_items);
  }
}

}  // namespace collet::protocol
