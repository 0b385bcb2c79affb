// A plugin in C++20 over the C ABI of collet/plugin.h. Header-only: all of it is compiled into the plugin.
//
//   #include <collet/plugin.hpp>
//   struct Add { std::int64_t a, b; };
//   COLLET_PLUGIN("org.example.math", "1.0.0", plugin) {
//     plugin.tool<Add>("add", "Add two integers", [](const Add& in, collet::Call&) { return in.a + in.b; });
//   }
//
// The body runs [control] while the plugin is created. What it throws is why the plugin does not load. Tools run
// [executor], or [inline] if nonblocking; what they throw becomes an error result. No exception leaves the plugin.
#ifndef COLLET_PLUGIN_HPP
#define COLLET_PLUGIN_HPP

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <collet/registry.hpp>

// COLLET_PLUGIN(id, version, name of the plugin in the body [, .member = value of collet::PluginInfo]…)
#define COLLET_PLUGIN(id, version, ...)                                                                     \
  static void collet_plugin_body(collet::Plugin& COLLET_FIRST_(__VA_ARGS__, ));                             \
  extern "C" COLLET_EXPORT const collet_plugin* collet_plugin_entry_v1(void) {                              \
    static const collet::detail::Entry<collet_plugin_body> entry(id, version, COLLET_REST_(__VA_ARGS__, )); \
    return entry.table();                                                                                   \
  }                                                                                                         \
  static void collet_plugin_body(collet::Plugin& COLLET_FIRST_(__VA_ARGS__, ))
#define COLLET_FIRST_(first, ...) first
#define COLLET_REST_(first, ...) \
  collet::PluginInfo { __VA_ARGS__ }

namespace collet::inline v1 {

// What the host may know of a plugin before it creates it.
struct PluginInfo {
  std::uint32_t flags = 0;            // COLLET_PLUGIN_*
  std::uint32_t max_concurrency = 0;  // with COLLET_PLUGIN_CONCURRENT; 0: the host's default
  std::string_view title = {};
  std::string_view description = {};
  std::string_view vendor = {};
  std::string_view license = {};
  std::string (*config_schema)() = nullptr;  // collet::schema_of<Config>
  const void* (*get_extension)(const char* id, std::size_t id_size) = nullptr;
};

class Plugin;

namespace detail {
template <void (*Body)(Plugin&)>
class Entry;
}

// The plugin while it is created: the body's argument, not to be kept.
class Plugin : public Registry {
 public:
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  // [plugin.<id>.config] as a struct. Throws Error that names the place: "config/path: expected string, got
  // number".
  template <class Config>
  Config config() const {
    return from_json<Config>(config_json(), "config");
  }
  std::string_view config_json() const { return params_.config.data ? detail::view(params_.config) : "{}"; }

  // A trial in a throw-away process: register items, touch nothing outside.
  bool probing() const { return params_.flags & COLLET_CREATE_PROBE; }
  // Whether this is a worker process.
  bool isolated() const { return params_.flags & COLLET_CREATE_ISOLATED; }
  std::uint64_t generation() const { return params_.generation; }
  // What the generation before handed over.
  std::optional<std::string_view> prior_state() const {
    if (!params_.prior_state.data) return std::nullopt;
    return detail::view(params_.prior_state);
  }
  std::uint32_t prior_state_version() const { return params_.prior_state_version; }

  // An object that lives until the plugin is destroyed, after its last call; the last made goes first. Its
  // destructor joins what threads it has.
  template <class T, class... Args>
  T& keep(Args&&... args) {
    auto kept = std::make_shared<T>(std::forward<Args>(args)...);
    core().kept.push_back(kept);
    return *kept;
  }

  Items items() const { return Items(core()); }

  // [control] No new calls will come: finish within deadline_ms what runs in the background.
  void on_quiesce(std::function<void(std::uint32_t deadline_ms)> callback) { core().quiesce = std::move(callback); }

  // What the plugin offers beyond items, each once. What these throw is logged, and refuses what was asked.
  // [control] Its state, for the next generation, which finds it in prior_state(); `version` says how it is written. See
  // collet/ext/save_state.h: calls go on meanwhile, unless the plugin is EXCLUSIVE.
  void on_save(std::uint32_t version, std::function<std::string()> callback) {
    core().offered.save_version = version;
    core().offered.save = std::move(callback);
  }
  // [control] Takes a new [plugin.<id>.config] while it runs. If it throws, nothing has changed, and the plugin is replaced by a
  // generation with the new one.
  void on_reconfigure(std::function<void(std::string_view config_json)> callback) {
    core().offered.reconfigure = std::move(callback);
  }
  template <class Config>
  void on_reconfigure(std::function<void(const Config& config)> callback) {
    on_reconfigure([callback = std::move(callback)](std::string_view config_json) {
      callback(from_json<Config>(config_json, "config"));
    });
  }
  // [any] Its health, a JSON object, for `collet list` and others who ask. Does not wait for anything outside.
  void on_status(std::function<Json()> callback) { core().offered.status = std::move(callback); }
  // [any] The first client begins to watch what is read at this URI, or the last one has stopped. Must not block.
  void on_watch(std::function<void(std::string_view uri, bool watched)> callback) {
    core().offered.watch = std::move(callback);
  }

  // An extension's table, such as extension<collet_kv>("collet.kv/1"), or null.
  template <class T>
  const T* extension(std::string_view id) const {
    return static_cast<const T*>(core().host(&collet_host::get_extension, id.data(), id.size()));
  }
  // The C ABI underneath.
  const collet_host* host() const { return core().host.table(); }

 private:
  template <void (*)(Plugin&)>
  friend class detail::Entry;
  Plugin(detail::Core& core, const collet_create_params& params) : Registry(core, true), params_(params) {}

  const collet_create_params& params_;
};

namespace detail {

// The table that COLLET_PLUGIN exports. Every function in it catches whatever is thrown.
template <void (*Body)(Plugin&)>
class Entry {
 public:
  Entry(std::string_view id, std::string_view version, const PluginInfo& info) : info_(to_json(info)) {
    table_.struct_size = sizeof table_;
    table_.abi_minor = COLLET_ABI_MINOR;
    table_.flags = info.flags;
    table_.max_concurrency = info.max_concurrency;
    table_.id = str(id);
    table_.version = str(version);
    table_.info = str(info_);
    table_.create = create;
    table_.destroy = destroy;
    table_.call = call;
    table_.cancel = cancel;
    table_.quiesce = quiesce;
    table_.get_extension = get_extension;
    own_extensions() = info.get_extension;
  }
  Entry(const Entry&) = delete;

  const collet_plugin* table() const { return &table_; }

 private:
  static std::string to_json(const PluginInfo& info) {
    JsonMembers out{"{"};
    if (!info.title.empty()) out.add("title", info.title);
    if (!info.description.empty()) out.add("description", info.description);
    if (!info.vendor.empty()) out.add("vendor", info.vendor);
    if (!info.license.empty()) out.add("license", info.license);
    if (info.config_schema) out.add_raw("configSchema", info.config_schema());
    return out.text + '}';
  }

  static std::int32_t create(const collet_host* host, const collet_create_params* params, void** self) noexcept {
    if (!params || !self) return COLLET_E_INVALID;
    if (!Host::suits(host)) return COLLET_E_UNSUPPORTED;
    const std::string_view id = view(collet_plugin_entry_v1()->id);
    try {
      auto core = std::make_unique<Core>(host, id);
      Plugin plugin(*core, *params);
      Body(plugin);
      OfferedTables<Core, Body>::created(core.get());
      *self = core.release();
      return COLLET_OK;
    } catch (const Error& error) {
      return refuse(host, id, error.what(), COLLET_E_INVALID);
    } catch (const std::exception& error) {
      return refuse(host, id, error.what(), COLLET_E_INTERNAL);
    } catch (...) {
      return refuse(host, id, "the plugin failed for a reason that is no std::exception", COLLET_E_INTERNAL);
    }
  }
  static std::int32_t refuse(const collet_host* host, std::string_view id, const char* why, std::int32_t status) {
    Host(host).log(0, Level::error, id, why);
    return status;
  }

  static void destroy(void* self) noexcept {
    OfferedTables<Core, Body>::destroyed(static_cast<Core*>(self));
    delete static_cast<Core*>(self);
  }

  // Of PluginInfo.
  static auto own_extensions() -> decltype(PluginInfo::get_extension)& {
    static decltype(PluginInfo::get_extension) own = nullptr;
    return own;
  }
  static const void* get_extension(const char* id, std::size_t size) noexcept {
    const void* own = own_extensions() ? own_extensions()(id, size) : nullptr;
    return own ? own : OfferedTables<Core, Body>::find(std::string_view(id, size));
  }

  static std::int32_t call(void* self, collet_call id, const collet_call_params* params) noexcept {
    return static_cast<Handler*>(params->item_user)->call(*static_cast<Core*>(self), id, *params);
  }

  static void cancel(void* self, collet_call id, std::uint32_t) noexcept { static_cast<Core*>(self)->cancel(id); }

  static std::int32_t quiesce(void* self, std::uint32_t deadline_ms) noexcept {
    try {
      if (const auto& callback = static_cast<Core*>(self)->quiesce) callback(deadline_ms);
      return COLLET_OK;
    } catch (...) {
      return COLLET_E_INTERNAL;
    }
  }

  std::string info_;
  collet_plugin table_{};
};

}  // namespace detail

}  // namespace collet::inline v1

#endif
