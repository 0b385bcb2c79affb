#include "client/offer/definition_cache.h"

#include "client/limits.h"
#include "plugins/client/run_until.h"
#include "support/catch.h"

using namespace collet::client;

namespace {

// A host's store, which answers when it is told to, on the test's thread.
struct HeldStore {
  struct Table : collet_host {
    HeldStore* store;
  };
  struct Question {
    std::string what, key, value;
    std::uint64_t ttl_ms = 0;
    void* context = nullptr;
    void (*answered)(void*, const collet_stored*) = nullptr;
  };

  Table table{{}, this};
  std::vector<Question> asked;
  std::map<std::string, std::string> records;
  std::int32_t refuses = COLLET_OK;  // what each function returns instead
  std::int32_t fails = COLLET_OK;    // with what each put ends instead
  const collet_store functions{sizeof(collet_store), 0, ask<'g'>, ask<'p'>, ask<'r'>, nullptr};

  HeldStore() = default;
  HeldStore(const HeldStore&) = delete;
  HeldStore& operator=(const HeldStore&) = delete;

  // All that has been asked, in order.
  void answer() {
    for (const Question& question : std::exchange(asked, {})) {
      collet_stored stored{};
      stored.struct_size = sizeof stored;
      if (question.what == "p" && fails != COLLET_OK) stored.status = fails;
      if (question.what == "p" && question.value.size() > (1u << 20)) stored.status = COLLET_E_LIMIT;
      if (question.what == "p" && stored.status == COLLET_OK) records[question.key] = question.value;
      if (question.what == "r") records.erase(question.key);
      const auto found = records.find(question.key);
      if (question.what == "g" && found != records.end()) stored.value = {found->second.data(), found->second.size()};
      question.answered(question.context, &stored);
    }
  }

 private:
  template <char what>
  static std::int32_t ask(const collet_host* host, const collet_store_params* params) {
    HeldStore& store = *static_cast<const Table*>(host)->store;
    if (store.refuses != COLLET_OK) return store.refuses;
    const auto text = [](collet_str given) { return given.data ? std::string(given.data, given.size) : std::string(); };
    store.asked.push_back({std::string(1, what), text(params->key), text(params->value), params->ttl_ms, params->context, params->answered});
    return COLLET_OK;
  }
};

RemoteConfig remote_at(const std::string& url) {
  RemoteConfig config;
  config.name = "r";
  config.url = url;
  return config;
}

Known offering(const std::string& tool) {
  Known known;
  known.era = Era::legacy;
  known.instructions = "Be kind.";
  known.items[COLLET_TOOL] = {std::make_shared<const RemoteItem>(RemoteItem{COLLET_TOOL, tool, R"({"title":"T"})", false, {}})};
  return known;
}

struct Cache {
  HeldStore store;
  Loop loop;
  HostDefinitions definitions{loop, &store.table, &store.functions};

  void settle() {
    while (!store.asked.empty()) {
      store.answer();
      turn();
    }
  }
  void turn() {
    bool turned = false;
    loop.post([&] { turned = true; });
    run_until(loop, [&] { return turned; });
  }
  // The name of the first tool that is found, "no tool", or "nothing"; empty: nobody has called back.
  std::string find(const RemoteConfig& remote) {
    std::string out;
    definitions.find(remote, [&](std::optional<Known> known) {
      if (!known) out = "nothing";
      else out = known->items[COLLET_TOOL].empty() ? "no tool" : known->items[COLLET_TOOL][0]->name;
    });
    settle();
    turn();
    return out;
  }
  void keep(const RemoteConfig& remote, const Known& known) {
    definitions.keep(remote, known);
    settle();
  }
};

}  // namespace

TEST_CASE("what a remote has offered is found by one that is configured like it, and by no other") {
  Cache cache;
  const RemoteConfig remote = remote_at("http://127.0.0.1:1/mcp");
  CHECK(cache.find(remote) == "nothing");
  cache.keep(remote, offering("t"));
  CHECK(cache.find(remote) == "t");
  CHECK(cache.find(remote_at("http://127.0.0.1:2/mcp")) == "nothing");
  RemoteConfig another_caller = remote;
  another_caller.headers["Authorization"] = "Bearer ${env:ANOTHER}";
  CHECK(cache.find(another_caller) == "nothing");
  RemoteConfig another_name = remote;
  another_name.name = "s";
  CHECK(cache.find(another_name) == "nothing");
}

TEST_CASE("a record does not have what a configuration keeps secret") {
  Cache cache;
  RemoteConfig remote = remote_at("http://127.0.0.1:1/mcp?key=sesame");
  remote.headers["Authorization"] = "Bearer open-sesame";
  cache.keep(remote, offering("t"));
  REQUIRE(cache.store.records.size() == 1);
  CHECK(cache.store.records.begin()->second.find("sesame") == std::string::npos);
}

TEST_CASE("what is remembered already is not written again") {
  Cache cache;
  const RemoteConfig remote = remote_at("http://127.0.0.1:1/mcp");
  cache.keep(remote, offering("t"));
  cache.definitions.keep(remote, offering("t"));
  CHECK(cache.store.asked.empty());
  cache.definitions.keep(remote, offering("u"));
  REQUIRE(cache.store.asked.size() == 1);
  CHECK(cache.store.asked[0].ttl_ms == limits::kRememberedMs);
  cache.settle();
  CHECK(cache.find(remote) == "u");
}

TEST_CASE("what could not be written is written the next time") {
  Cache cache;
  const RemoteConfig remote = remote_at("http://127.0.0.1:1/mcp");
  cache.store.fails = COLLET_E_INTERNAL;
  cache.keep(remote, offering("t"));
  cache.store.fails = COLLET_OK;
  CHECK(cache.find(remote) == "nothing");
  cache.keep(remote, offering("t"));
  CHECK(cache.find(remote) == "t");
}

TEST_CASE("a put that fails late leaves what was put after it") {
  Cache cache;
  const RemoteConfig remote = remote_at("http://127.0.0.1:1/mcp");
  cache.definitions.keep(remote, offering(std::string(1u << 20, 'x')));
  cache.definitions.keep(remote, offering("t"));
  cache.settle();
  CHECK(cache.find(remote) == "t");
}

TEST_CASE("what does not fit in a record takes the place of nothing that is out of date") {
  Cache cache;
  const RemoteConfig remote = remote_at("http://127.0.0.1:1/mcp");
  cache.keep(remote, offering("t"));
  cache.keep(remote, offering(std::string(1u << 20, 'x')));
  CHECK(cache.store.records.empty());
  CHECK(cache.find(remote) == "nothing");
}

TEST_CASE("a record that is broken, or of another version, is none") {
  Cache cache;
  const RemoteConfig remote = remote_at("http://127.0.0.1:1/mcp");
  cache.keep(remote, offering("t"));
  std::string& record = cache.store.records.begin()->second;
  const std::string whole = record;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    record = whole.substr(0, size);
    INFO(size);
    CHECK(cache.find(remote) == "nothing");
  }
  record = "2" + whole.substr(1);
  CHECK(cache.find(remote) == "nothing");
}

TEST_CASE("a host that refuses is heard of like one that knows nothing") {
  Cache cache;
  cache.store.refuses = COLLET_E_STATE;
  CHECK(cache.find(remote_at("http://127.0.0.1:1/mcp")) == "nothing");
}

TEST_CASE("of many remotes only so many are asked for at a time, and all are answered") {
  Cache cache;
  std::size_t answered = 0;
  for (unsigned i = 0; i < 3 * limits::kStoreErrandsMax; ++i) {
    RemoteConfig remote = remote_at("http://127.0.0.1:1/mcp");
    remote.name += std::to_string(i);
    cache.definitions.find(remote, [&](std::optional<Known>) { ++answered; });
  }
  CHECK(cache.store.asked.size() == limits::kStoreErrandsMax);
  cache.settle();
  CHECK(answered == 3 * limits::kStoreErrandsMax);
}
