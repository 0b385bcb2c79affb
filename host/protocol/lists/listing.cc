#include "protocol/lists/listing.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "collet/kit/base64.hpp"
#include "protocol/legacy/older_content.h"
#include "protocol/lists/viewed.h"

namespace collet::protocol {
namespace {

constexpr std::string_view kNameCursorMark = "after:";

// What a tool must have and its definition, which has been parsed, need not say.
void append_implied(std::string& out, const registry::Traits& traits, const json::Value& parsed) {
  if (!json::find(parsed, mcp::kInputSchema)) out += R"(,"inputSchema":{"type":"object"})";
  const std::string_view support = mcp::task_support(traits);
  if (!support.empty() && !json::find(parsed, "execution")) {
    out += fmt::format(R"(,"execution":{{"taskSupport":"{}"}})", support);
  }
}

// {"name":"…",<the definition's members>}, and what the protocol requires beyond them. Line breaks between tokens
// become blanks: a message is one line.
void append_item(std::string& out, const registry::Item& item, std::string_view definition,
                 const json::Value& parsed) {
  out += "{\"";
  out += mcp::names_of(item.def->kind).name_member;
  out += "\":";
  text::append_json_string(out, item.name);
  std::string_view members = definition;
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
  if (item.def->kind == registry::Kind::tool) append_implied(out, item.def->traits, parsed);
  if (mcp::has_uri_name(item.def->kind) && !json::find(parsed, "name")) {
    out += R"(,"name":)";
    text::append_json_string(out, item.name);
  }
  out += '}';
}

}  // namespace

Listing::Listing(const registry::Snapshot& snapshot, registry::Kind kind, unsigned page_items)
    : page_items_(page_items) {
  const auto& items = snapshot.items(kind);
  names_.reserve(items.size());
  for (const registry::Item& item : items) {
    names_.push_back(item.name);
    const std::string_view definition = item.def->definition;
    json::Document parsed;
    COLLET_ASSERT(!json::parse(definition, parsed));
    const auto append = [&](Text& text, std::string_view members) {
      text.begins.push_back(text.items.size());
      append_item(text.items, item, members, parsed);
      text.items += ',';
    };
    std::optional<std::string> older;
    if (kind == registry::Kind::tool) older = older_definition(definition, parsed);
    if (older && !older_text_) older_text_ = text_;
    append(text_, definition);
    if (older_text_) append(*older_text_, older ? *older : definition);
  }
  text_.begins.push_back(text_.items.size());
  if (older_text_) older_text_->begins.push_back(older_text_->items.size());
}

Listing::Listing(const Listing& whole, const std::vector<registry::Sight>& sights) : page_items_(whole.page_items_) {
  if (whole.older_text_) older_text_.emplace();
  const auto append = [](Text& text, const Text& from, std::size_t index) {
    text.begins.push_back(text.items.size());
    text.items.append(from.items, from.begins[index], from.begins[index + 1] - from.begins[index]);
  };
  for (std::size_t index = 0; index < sights.size(); ++index) {
    if (sights[index] != registry::Sight::listed) continue;
    names_.push_back(whole.names_[index]);
    append(text_, whole.text_, index);
    if (older_text_) append(*older_text_, *whole.older_text_, index);
  }
  text_.begins.push_back(text_.items.size());
  if (older_text_) older_text_->begins.push_back(older_text_->items.size());
  fingerprint_ = std::hash<std::string_view>{}(text_.items);
}

std::optional<Listing::Page> Listing::page(std::optional<std::string_view> cursor, Era era) const {
  std::size_t first = 0;
  if (cursor) {
    const auto decoded = kit::from_base64(*cursor);
    if (!decoded || !decoded->starts_with(kNameCursorMark)) return std::nullopt;
    const std::string_view after = std::string_view(*decoded).substr(kNameCursorMark.size());
    first = static_cast<std::size_t>(std::upper_bound(names_.begin(), names_.end(), after) - names_.begin());
  }
  const std::size_t last = std::min(names_.size(), first + page_items_);
  Page page;
  if (first == last) return page;
  const Text& text = era == Era::legacy && older_text_ ? *older_text_ : text_;
  page.items = std::string_view(text.items).substr(text.begins[first], text.begins[last] - text.begins[first] - 1);
  if (last < names_.size()) {
    kit::append_base64(page.next_cursor, std::string(kNameCursorMark) + names_[last - 1]);
  }
  return page;
}

Listings::Listings(const registry::Snapshot& snapshot, unsigned page_items) {
  for (const mcp::KindNames& names : mcp::kListedKindTable) all_.emplace_back(snapshot, names.kind, page_items);
}

Listings::~Listings() = default;

const Viewed& Listings::under(const registry::ViewPtr& view, const registry::Snapshot& snapshot) const {
  Viewed* found;
  {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<Viewed>& viewed = viewed_[view.get()];
    if (!viewed) viewed = std::make_unique<Viewed>(view, *this);
    found = viewed.get();
  }
  found->look_at(snapshot);
  return *found;
}

}  // namespace collet::protocol
