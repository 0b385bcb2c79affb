#include "protocol/lists/loop_news.h"

#include "protocol/lists/known_lists.h"
#include "protocol/lists/notifications.h"

namespace collet::protocol {

LoopNews::LoopNews(loop::Loop& loop, std::uint64_t interval_ms, LoopCatalog& catalog, HeldOpenTable& held_open,
                   const LoopClients& clients)
    : catalog_(catalog),
      held_open_(held_open),
      clients_(clients),
      news_(loop, interval_ms, [this](unsigned changed) { tell_lists(changed); }) {}

void LoopNews::note_lists(unsigned changed) {
  changes_.note(changed);
  news_.note(changed);
}

void LoopNews::tell_lists(unsigned changed) {
  for (const mcp::ChangingList& list : mcp::kChangingLists) {
    if (!(changed & list.kinds)) continue;
    const bool several = changes_.take(list) > 1;
    held_open_.list_changed(list, several);
    StdioClient* const stdio = clients_.stdio();
    if (stdio && stdio->session().initialized() && list_is_news(catalog_, stdio->session(), list.kind, several)) {
      stdio->send(list_changed_message(list));
    }
  }
}

void LoopNews::tell_updated(std::string_view key) {
  held_open_.resource_updated(key);
  StdioClient* const stdio = clients_.stdio();
  if (!stdio) return;
  const Session& session = stdio->session();
  const auto uri = session.subscribed(key);
  if (uri && catalog_.sees(session.principal(), *uri)) stdio->send(resource_updated_message(*uri));
}

}  // namespace collet::protocol
