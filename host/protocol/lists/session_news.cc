#include "protocol/lists/session_news.h"

#include "protocol/lists/known_lists.h"
#include "protocol/lists/notifications.h"

namespace collet::protocol {

SessionNews::SessionNews(loop::Loop& loop, std::uint64_t interval_ms, LoopCatalog& catalog, SessionTable& sessions)
    : loop_(loop),
      catalog_(catalog),
      sessions_(sessions),
      news_(loop, interval_ms, [this](unsigned changed) { tell_lists(changed); }) {}

void SessionNews::note_lists(unsigned changed) {
  const auto note = [this, changed] {
    changes_.note(changed);
    news_.note(changed);
  };
  if (loop_.is_current()) return note();
  if (changed != 0) loop_.post(note);
}

void SessionNews::tell_lists(unsigned changed) {
  for (const mcp::ChangingList& list : mcp::kChangingLists) {
    if (!(changed & list.kinds)) continue;
    const bool several = changes_.take(list) > 1;
    sessions_.broadcast([&, message = list_changed_message(list)](Session& session) {
      return list_is_news(catalog_, session, list.kind, several) ? std::optional(message) : std::nullopt;
    });
  }
}

void SessionNews::tell_updated(std::string_view key, const registry::Snapshot& snapshot) {
  sessions_.broadcast([&](const Session& session) -> std::optional<std::string> {
    const auto known_as = session.subscribed(key);
    const registry::View* view = registry::view_of(session.principal());
    if (!known_as || (view && !snapshot.find_resource(*known_as, view).item)) return std::nullopt;
    return resource_updated_message(*known_as);
  });
}

}  // namespace collet::protocol
