// What a plugin keeps with its host, in C++. It says each change of a note in the stream "changes", and follows that.
#include <collet/events.hpp>
#include <collet/store.hpp>

namespace {

struct Name {
  std::string name;
};
COLLET_FIELDS(Name, name);
struct Note {
  std::string name, text;
  std::optional<std::uint64_t> version;
};
COLLET_FIELDS(Note, name, text, version);

// What has been heard of changes.
struct Heard {
  void add(const std::string& more) {
    const std::lock_guard lock(mutex);
    text += more;
  }
  std::string all() {
    const std::lock_guard lock(mutex);
    return text;
  }
  std::mutex mutex;  // guards the text
  std::string text;
};

std::string text_of(const collet::EventPage& page) {
  std::string text = page.ok() ? "" : "status " + std::to_string(page.status) + ";";
  for (const collet::Event& event : page.events) text += std::to_string(event.sequence) + " " + event.bytes + ";";
  return text;
}

}  // namespace

COLLET_PLUGIN("org.example.notes", "1.0.0", plugin) {
  auto& store = plugin.keep<collet::Store>(plugin);
  auto& events = plugin.keep<collet::Events>(plugin);
  auto& heard = plugin.keep<Heard>();
  const collet_follow changes =
      events.follow({.stream = "changes"}, [&](const collet::EventPage& page) { heard.add(text_of(page)); });
  store.begin_get("kept", [&](const collet::Stored& stored) { heard.add("kept " + stored.value.value_or("nothing") + ";"); });
  if (plugin.config_json().find("fails") != std::string_view::npos) throw collet::Error("as it was told");

  plugin.tool<Note>("write", "Puts a note", [&](const Note& in) {
    const auto version = store.put(in.name, in.text, {.version = in.version});
    if (version) events.append("changes", in.name);
    return version ? std::to_string(*version) : "no";
  });
  plugin.tool<Name>("read", "Gets a note", [&](const Name& in) {
    const auto record = store.get(in.name);
    return record ? record->value + " " + std::to_string(record->version) : "none";
  });
  plugin.tool<Name>("later", "Gets a note without waiting", [&](const Name& in, collet::Call& call) {
    auto pending = std::make_shared<collet::PendingCall>(call.defer());
    store.begin_get(in.name, [pending](const collet::Stored& stored) { pending->finish(stored.value.value_or("none")); });
  });
  plugin.tool<Note>("erase", "Removes a note", [&](const Note& in) { return store.remove(in.name, in.version); });
  plugin.tool<Name>("names", "Lists notes", [&](const Name& in) {
    std::string names;
    collet::Keys page;
    do {  // one key a page
      page = store.list(in.name, page.keys.empty() ? "" : page.keys.back().key, 1);
      for (const auto& key : page.keys) names += key.key + " ";
    } while (page.more);
    return names;
  });
  plugin.tool("changes", "Reads the changes", [&] { return text_of(events.read({.stream = "changes"})); });
  plugin.tool("heard", "What was heard of changes", [&] { return heard.all(); });
  plugin.tool("stop", "Hears no more", [&, changes] { events.unfollow(changes); });
  plugin.tool("deaf", "Hears one change, and no more, from where it hears it", [&] {
    events.follow({.stream = "changes", .after = COLLET_EVENTS_NEWEST}, [&](const collet::EventPage& page) {
      if (page.ok()) heard.add("once " + text_of(page));
      events.unfollow(page.follow);
    });
  });
  plugin.tool("stale", "Follows from where the stream has not come to", [&] {
    events.follow({.stream = "changes", .after = 99}, [&](const collet::EventPage& page) { heard.add(text_of(page)); });
  });
  plugin.tool("stuck", "Waits where nobody would answer", [&](collet::Call& call) {
    auto pending = std::make_shared<collet::PendingCall>(call.defer());
    store.begin_get("any", [&store, pending](const collet::Stored&) {
      try {
        store.get("any");
      } catch (const collet::Error& error) {
        pending->finish(error.what());
      }
    });
  });
}
