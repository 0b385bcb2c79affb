#include "protocol/server.h"

#include <atomic>

#include "base/json_members.h"
#include "base/log.h"
#include "base/text.h"
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

std::vector<std::unique_ptr<ServerLoop>> make_loops(Server& server, const std::vector<loop::Loop*>& loops) {
  std::vector<std::unique_ptr<ServerLoop>> all;
  for (unsigned index = 0; index < loops.size(); ++index) {
    all.push_back(std::make_unique<ServerLoop>(server, *loops[index], index));
  }
  return all;
}

}  // namespace

Server::Server(ServerOptions options, registry::Registry& registry, std::vector<loop::Loop*> loops)
    : options_(std::move(options)),
      registry_(registry),
      sessions_(*options_.event_logs, options_.sessions_max, options_.session_idle_timeout_ms,
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
      loops_(make_loops(*this, loops)),
      session_news_(*loops.front(), options_.list_changed_interval_ms, loops_.front()->catalog(), sessions_) {
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
    there.respond(serial, key, result);
  });
}

void Server::wake(rpc::Place place) {
  ServerLoop& there = *loops_[place.loop];
  there.loop().post([&there, serial = place.serial] { there.held_open().look(serial); });
}

void Server::resource_updated(std::string_view uri) {
  const std::string key = registry::watched_uri(uri);
  const registry::SnapshotPtr snapshot = registry_.current();
  session_news_.tell_updated(key, *snapshot);
  for (const auto& target : loops_) {
    target->loop().post([&target = *target, key] { target.news().tell_updated(key); });
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
      session_news_.note_lists(changed);
      if (adoption->done) adoption->done();
    });
  }
}

}  // namespace collet::protocol
