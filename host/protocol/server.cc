#include "protocol/server.h"

#include <atomic>

#include "base/json_members.h"
#include "base/log.h"
#include "base/text.h"
#include "protocol/lists/notifications.h"
#include "protocol/server_loop.h"
#include "registry/uri_spelling.h"

namespace collet::protocol {
namespace {

std::string make_identity(const ServerOptions& options) {
  json::ObjectText out;
  out.add_text("name", options.name);
  if (!options.title.empty()) out.add_text("title", options.title);
  return out.add_text("version", options.version).take();
}

}  // namespace

Server::Server(ServerOptions options, registry::Registry& registry, std::vector<loop::Loop*> loops)
    : options_(std::move(options)),
      registry_(registry),
      watches_(options_.on_watch),
      sessions_(options_.sessions_max, options_.session_idle_timeout_ms,
                [this](Session& session) {
                  if (session_records_) session_records_->remove(session);
                }),
      sealer_(options_.state_keys),
      tasks_(limits::kTasksBytesMax,
             [this](const Task& task) {
               if (task_records_) task_records_->remove(task);
             }),
      identity_(make_identity(options_)),
      server_info_member_(fmt::format(R"("{}":{})", mcp::kServerInfo, identity_)),
      stamp_(R"("resultType":"complete","_meta":{)" + server_info_member_ + "}"),
      cacheable_stamp_(fmt::format(R"({},"ttlMs":{},"cacheScope":"{}")", stamp_, limits::kListTtlMs,
                                   options_.has_views ? "private" : "public")),
      session_news_(*loops.front(), options_.list_changed_interval_ms,
                    [this](unsigned changed) { tell_sessions(changed); }) {
  for (unsigned index = 0; index < loops.size(); ++index) {
    loops_.push_back(std::make_unique<ServerLoop>(*this, *loops[index], index));
  }
  if (options_.records) {
    session_records_.emplace(*options_.records, options_.session_idle_timeout_ms);
    task_records_.emplace(*options_.records);
  }
  registry_.publish_to([this](registry::SnapshotPtr snapshot, unsigned changed, Callback<void()> adopted) {
    publish(std::move(snapshot), changed, std::move(adopted));
  });
}

std::string Server::instructions_member(const Viewed* viewed) const {
  std::string instructions = options_.instructions;
  const auto is_shown = [&](std::string_view plugin) { return !viewed || viewed->shows_some_of(plugin); };
  const std::string more = options_.more_instructions ? options_.more_instructions(is_shown) : std::string();
  if (!instructions.empty() && !more.empty()) instructions += "\n\n";
  instructions += more;
  if (instructions.empty()) return {};
  std::string member = R"("instructions":)";
  text::append_json_string(member, instructions);
  return member + ",";
}

Server::~Server() { registry_.publish_to(nullptr); }

void Server::cancel(rpc::Place place) {
  ServerLoop& there = *loops_[place.loop];
  there.loop().post([&there, serial = place.serial] { there.cancel(serial); });
}

void Server::respond(rpc::Place place, std::string key, Result<std::string> result) {
  ServerLoop& there = *loops_[place.loop];
  there.loop().post([&there, serial = place.serial, key = std::move(key), result = std::move(result)] {
    if (ItemCall* call = there.calls().find(serial)) call->respond(key, result);
  });
}

void Server::wake(rpc::Place place) {
  ServerLoop& there = *loops_[place.loop];
  there.loop().post([&there, serial = place.serial] { there.wake(serial); });
}

// When all loops have adopted a snapshot, on the one that was last.
void Server::note_changed(unsigned changed) {
  loop::Loop& first = loops_.front()->loop();
  const auto note = [this, changed] {
    session_changes_.note(changed);
    session_news_.note(changed);
  };
  if (first.is_current()) return note();
  if (changed != 0) first.post(note);
}

void Server::tell_sessions(unsigned changed) {
  for (const mcp::ChangingList& list : mcp::kChangingLists) {
    if (!(changed & list.kinds)) continue;
    const bool several = session_changes_.take(list) > 1;
    sessions_.broadcast([&, message = list_changed_message(list)](Session& session) {
      return loops_.front()->list_is_news(session, list.kind, several) ? std::optional(message) : std::nullopt;
    });
  }
}

void Server::resource_updated(std::string_view uri) {
  const std::string key = registry::watched_uri(uri);
  const registry::SnapshotPtr snapshot = registry_.current();
  sessions_.broadcast([&](const Session& session) -> std::optional<std::string> {
    const auto known_as = session.subscribed(key);
    const registry::View* view = registry::view_of(session.principal());
    if (!known_as || (view && !snapshot->find_resource(*known_as, view).item)) return std::nullopt;
    return resource_updated_message(*known_as);
  });
  for (const auto& target : loops_) {
    target->loop().post([&target = *target, key] { target.tell_updated(key); });
  }
}

// Many clients read the first page of a list and no other: who runs the server should know, and once is enough.
void Server::tell_of_pages(const registry::Snapshot& snapshot) {
  for (const mcp::KindNames& names : mcp::kListedKindTable) {
    const std::size_t count = snapshot.items(names.kind).size();
    if (count <= options_.page_items || (outgrown_ & mcp::bit(names.kind))) continue;
    outgrown_ |= mcp::bit(names.kind);
    log::warning(
        "{} {} do not fit in a page of {}: clients that read only the first page miss the rest; "
        "server.limits.page_items sets how many do",
        count, names.words, options_.page_items);
  }
}

void Server::publish(registry::SnapshotPtr snapshot, unsigned changed, Callback<void()> adopted) {
  for (const registry::Rejected& item : snapshot->rejected()) {
    log::warning("{}: {} is left out: {}", item.source, item.name, item.reason);
  }
  tell_of_pages(*snapshot);
  std::erase_if(listings_, [](const auto& listings) { return listings.use_count() == 1; });
  auto listings = std::make_shared<const Listings>(*snapshot, options_.page_items);
  listings_.push_back(listings);
  // Shared by the loops' tasks; the last one to adopt runs the callback.
  struct Adoption {
    std::atomic<std::size_t> left;
    Callback<void()> done;
  };
  auto adoption = std::make_shared<Adoption>();
  adoption->left = loops_.size();
  adoption->done = std::move(adopted);
  changed &= mcp::kListedBits;
  for (const auto& target : loops_) {
    target->loop().post([this, &target = *target, snapshot, listings, changed, adoption] {
      target.adopt(snapshot, listings, changed);
      if (--adoption->left > 0) return;
      note_changed(changed);
      if (adoption->done) adoption->done();
    });
  }
}

}  // namespace collet::protocol
