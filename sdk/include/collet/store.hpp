// Records that a plugin keeps with its host: collet.store.draft/1, whose header says for how long, and within which limits.
//
//   auto& store = plugin.keep<collet::Store>(plugin);
//   plugin.tool<Note>("note", "Keeps a note", [&store](const Note& in) { store.put(in.name, in.text); });
//
// A draft, as that is.
#ifndef COLLET_STORE_HPP
#define COLLET_STORE_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <collet/ext/draft/store.h>
#include <collet/plugin.hpp>
#include <collet/answering.hpp>

namespace collet::inline v1 {

struct Record {
  std::string value;
  std::uint64_t version = 0;
};

struct PutOptions {
  std::optional<std::uint64_t> version = {};  // that must be there; 0: nothing may be
  std::chrono::milliseconds ttl{0};           // after which it is not there any more; 0: it stays
};

// What has come of it; see collet_stored.
struct Stored {
  std::int32_t status = COLLET_E_INTERNAL;
  std::uint64_t version = 0;
  std::optional<std::string> value = {};

  bool ok() const { return status >= 0; }
  bool is_unexpected() const { return status == COLLET_E_STALE; }  // another version is there: `version`
};

// See collet_keys.
struct Keys {
  struct Key {
    std::string key;
    std::uint64_t version = 0;
  };

  std::int32_t status = COLLET_E_INTERNAL;
  std::vector<Key> keys = {};
  bool more = false;

  bool ok() const { return status >= 0; }
};

// [any] where nothing else is said. Made while the plugin is created, by plugin.keep<Store>(plugin), before whatever uses it.
// Functions throw Error for what the host refuses.
//
// get(), put(), remove() and list() wait, as Peers::call() does: they are for executors and threads of the plugin's own. Those that
// begin_…() do not: `told` runs [answer], exactly once, and they may be used while the plugin is created; if that fails it is not
// told. In a trial nothing is asked, and nobody told.
class Store {
 public:
  explicit Store(const Plugin& plugin)
      : host_(plugin.host()), store_(host_.extension<collet_store>(COLLET_EXT_STORE)), probing_(plugin.probing()),
        logger_(detail::view(collet_plugin_entry_v1()->id)) {}
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // What is there.
  std::optional<Record> get(std::string_view key) const {
    Stored stored = wait<Stored>([&](auto told) { begin_get(key, std::move(told)); }, "get");
    if (!stored.value) return std::nullopt;
    return Record{std::move(*stored.value), stored.version};
  }
  // The version of what is there now; nothing if what was there is not what was expected.
  std::optional<std::uint64_t> put(std::string_view key, std::string_view value, const PutOptions& options = {}) const {
    const Stored stored = wait<Stored>([&](auto told) { begin_put(key, value, options, std::move(told)); }, "put");
    return stored.ok() ? std::optional(stored.version) : std::nullopt;
  }
  // Whether it is gone now: false if what is there is not what was expected.
  bool remove(std::string_view key, std::optional<std::uint64_t> version = {}) const {
    return wait<Stored>([&](auto told) { begin_remove(key, version, std::move(told)); }, "remove").ok();
  }
  // A page of the keys that begin with `prefix`, behind `after`.
  Keys list(std::string_view prefix = {}, std::string_view after = {}, std::uint32_t max = 0) const {
    return wait<Keys>([&](auto told) { begin_list(prefix, after, max, std::move(told)); }, "list");
  }

  // told(Stored)
  template <class Told>
  void begin_get(std::string_view key, Told told) const {
    ask("get", &collet_store::get, params_of(key), std::move(told));
  }
  template <class Told>
  void begin_put(std::string_view key, std::string_view value, const PutOptions& options, Told told) const {
    collet_store_params params = params_of(key, options.version);
    params.value = detail::str(value);
    const auto ms = options.ttl.count();
    params.ttl_ms = ms < 0 ? 1u : static_cast<std::uint64_t>(ms);  // what is over is over at once
    ask("put", &collet_store::put, params, std::move(told));
  }
  template <class Told>
  void begin_remove(std::string_view key, std::optional<std::uint64_t> version, Told told) const {
    ask("remove", &collet_store::remove, params_of(key, version), std::move(told));
  }
  // told(Keys)
  template <class Told>
  void begin_list(std::string_view prefix, std::string_view after, std::uint32_t max, Told told) const {
    collet_keys_params params{};
    params.struct_size = sizeof params;
    params.max = max;
    params.prefix = detail::str(prefix);
    if (!after.empty()) params.after = detail::str(after);
    params.listed = [](void* context, const collet_keys* keys) noexcept { tell<Told>(context, *keys); };
    begin("list", &collet_store::list, params, std::move(told));
  }

 private:
  // What a callback is given. Of a plugin that could not be created nothing is left that it could speak to.
  template <class Told>
  struct Waiting {
    std::weak_ptr<const bool> alive;
    detail::Host host;
    std::string_view logger;
    Told told;
  };

  static collet_store_params params_of(std::string_view key, std::optional<std::uint64_t> version = {}) {
    collet_store_params params{};
    params.struct_size = sizeof params;
    params.key = detail::str(key);
    if (version) params.flags = COLLET_STORE_IF_VERSION;
    params.version = version.value_or(0);
    return params;
  }

  template <class Function, class Told>
  void ask(const char* what, Function function, collet_store_params params, Told told) const {
    params.answered = [](void* context, const collet_stored* stored) noexcept { tell<Told>(context, *stored); };
    begin(what, function, params, std::move(told));
  }

  template <class Function, class Params, class Told>
  void begin(const char* what, Function function, Params params, Told told) const {
    if (probing_) return;
    auto waiting = std::make_unique<Waiting<Told>>(Waiting<Told>{alive_, host_, logger_, std::move(told)});
    params.context = waiting.get();
    const std::int32_t status = store_ ? (store_->*function)(host_.table(), &params) : COLLET_E_UNSUPPORTED;
    if (status < 0) refuse(what, status);
    static_cast<void>(waiting.release());  // the callback's, which may have freed it
  }

  template <class Told, class Given>
  static void tell(void* context, const Given& given) noexcept {
    const std::unique_ptr<Waiting<Told>> its(static_cast<Waiting<Told>*>(context));
    if (its->alive.expired()) return;
    const detail::Answering answering;
    its->host.guard(its->logger, [&] { return its->told(copy_or_fail(given)), COLLET_OK; });
  }

  // There is always something to be told.
  template <class Given>
  static auto copy_or_fail(const Given& given) noexcept {
    try {
      return copy(given);
    } catch (...) {
      decltype(copy(given)) out;
      out.status = COLLET_E_LIMIT;
      return out;
    }
  }
  static Stored copy(const collet_stored& given) {
    Stored out{given.status, given.version, {}};
    if (given.value.data) out.value.emplace(detail::view(given.value));
    return out;
  }
  static Keys copy(const collet_keys& given) {
    Keys out{given.status, {}, given.more != 0};
    for (std::size_t i = 0; i < given.key_count; ++i) {
      out.keys.push_back({std::string(detail::view(given.keys[i].key)), given.keys[i].version});
    }
    return out;
  }

  template <class Answer, class Begin>
  Answer wait(Begin&& begin, const char* what) const {
    detail::Answering::refuse();
    if (probing_) refuse(what, COLLET_E_UNSUPPORTED);
    const auto slot = std::make_shared<detail::Slot<Answer>>();
    begin([slot](Answer answer) { slot->put(std::move(answer)); });
    Answer answer = slot->take();
    if (answer.status < 0 && answer.status != COLLET_E_STALE) refuse(what, answer.status);
    return answer;
  }
  [[noreturn]] static void refuse(const char* what, std::int32_t status) {
    throw Error(std::string("cannot ") + what + " records: " + detail::status_text(status));
  }

  const detail::Host host_;
  const collet_store* store_;  // null in a trial, and where the host has no such draft
  const bool probing_;
  const std::string_view logger_;
  const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace collet::inline v1

#endif
