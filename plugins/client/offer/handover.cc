#include "client/offer/handover.h"

#include <charconv>

#include <collet/json.hpp>

#include "client/mcp/message.h"

namespace collet::client {

std::string write_handover(std::string_view remote, const Known& known) {
  JsonMembers out;
  out.text = "{";
  out.add("name", remote);
  if (known.era) out.add("era", *known.era == Era::modern ? "modern" : "legacy");
  out.add("instructions", known.instructions);
  JsonMembers lists;
  lists.text = "{";
  for (const auto& [kind, items] : known.items) {
    lists.key(std::to_string(kind));
    lists.text += '[';
    for (const RemoteItemPtr& item : items) {
      if (lists.text.back() != '[') lists.text += ',';
      lists.text += list_element(*item);
    }
    lists.text += ']';
  }
  out.add_raw("items", lists.text + "}");
  return out.text + "}";
}

std::map<std::string, Known> read_handover(std::string_view parts) {
  std::map<std::string, Known> all;
  for_each_element("[" + std::string(parts) + "]", [&](std::string_view part) {
    Known known;
    const auto era = find_string(part, "era");
    if (era) known.era = *era == "legacy" ? Era::legacy : Era::modern;
    known.instructions = find_string(part, "instructions").value_or("");
    for_each_member(find_member(part, "items"), [&](std::string_view key, std::string_view list) {
      std::uint32_t kind = 0;
      std::from_chars(key.data(), key.data() + key.size(), kind);
      for_each_element(list, [&](std::string_view element) {
        auto item = read_item(kind, element);
        if (item) known.items[kind].push_back(std::make_shared<const RemoteItem>(std::move(*item)));
      });
    });
    all.insert_or_assign(find_string(part, "name").value_or(""), std::move(known));
  });
  return all;
}

}  // namespace collet::client
