// A host made of memory: runs a plugin through its C table, writes down what it says, and notes what it does wrong.
// Needs nothing but the C ABI, so that it can test any plugin in any language.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <collet/json.h>
#include <collet/plugin.h>

namespace fake {

struct Item {
  collet_item id = 0;
  std::uint32_t kind = 0, flags = 0, timeout_ms = 0;
  std::string name, definition;
  void* user = nullptr;
};

// A piece of a result: kind is "text", "json", or the type that add_blob was given.
struct Part {
  std::string kind, data, mime;
};

struct Ended {
  enum class How { running, completed, failed, suspended, refused };  // refused: call() returned `status`
  How how = How::running;
  std::int32_t status = 0;
  bool is_error = false;
  std::vector<Part> parts;
  std::string structured, meta;
  std::map<std::string, std::string> fields;
  std::int32_t rpc_code = 0;
  std::string message, data;
  std::map<std::string, std::string> questions;  // need_input()
  std::string state;
  std::uint32_t state_version = 0;
  std::uint32_t round = 0;

  // The result's only part, which is text; else a description of what is there instead.
  std::string text() const {
    if (how == How::failed) return "failed " + std::to_string(rpc_code) + ": " + message;
    if (how == How::refused) return "refused " + std::to_string(status);
    if (how == How::suspended) return "suspended";
    if (parts.size() != 1 || parts[0].kind != "text") return std::to_string(parts.size()) + " parts";
    return (is_error ? "error: " : "") + parts[0].data;
  }
};

struct Progress {
  double done = 0, total = 0;
  std::string message;
};

struct LogLine {
  collet_call call = 0;
  std::uint32_t level = 0;
  std::string logger, data;
};

// What comes with a call.
struct Request {
  std::uint32_t kind = COLLET_TOOL;
  std::string name;
  std::optional<std::string> arguments = {};
  std::optional<std::string> variables = {};
  std::uint64_t deadline_ms = 0;
  std::uint32_t round = 0;
  std::string input_responses = {}, state = {};
  std::uint32_t state_version = 0;
  std::string uri = {};  // of a resource: what is read, if that is not the name
};

// [any], but one thread loads and unloads.
class Host {
 public:
  // A table cut to `table_size` bytes is that of an older or a hostile host.
  explicit Host(std::size_t table_size = sizeof(collet_host))
      : table_(static_cast<collet_host*>(std::malloc(table_size))) {
    collet_host full = {};
    full.struct_size = static_cast<std::uint32_t>(table_size);
    full.host_data = this;
    fill(full);
    std::memcpy(static_cast<void*>(table_.get()), &full, std::min(table_size, sizeof full));
  }
  ~Host() { unload(); }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const collet_host* table() const { return table_.get(); }

  // Creates the plugin; what it staged is visible if it returns COLLET_OK.
  std::int32_t load(const collet_plugin* plugin, const std::string& config = "{}", std::uint32_t flags = 0) {
    collet_create_params params = {};
    params.struct_size = sizeof params;
    params.flags = flags;
    params.generation = 1;
    params.config = str(config);
    void* self = nullptr;
    const std::int32_t status = plugin->create(table(), &params, &self);
    if (status != COLLET_OK) return status;
    plugin_ = plugin;
    self_ = self;
    const std::lock_guard lock(mutex_);
    commit_locked();
    return status;
  }

  // Destroys it. Calls and blobs that are left over are misuse.
  void unload() {
    if (const collet_plugin* plugin = std::exchange(plugin_, nullptr)) plugin->destroy(self_);
    const std::lock_guard lock(mutex_);
    for (const auto& [id, call] : calls_) {
      if (call.how == Ended::How::running) misuse_locked("call left open at destroy: " + std::to_string(id));
    }
    if (!blobs_.empty()) misuse_locked("blobs left over at destroy: " + std::to_string(blobs_.size()));
    blobs_.clear();
  }

  // Starts a call on this thread. It may have ended when this returns.
  collet_call start(const Request& request) { return start(request, item(request.name)); }
  collet_call start(const Request& request, const Item& found) {
    const collet_call id = open_call(request.round);
    collet_call_params params = {};
    params.struct_size = sizeof params;
    params.kind = request.kind;
    params.item = found.id;
    params.item_user = found.user;
    params.deadline_ms = request.deadline_ms;
    params.round = request.round;
    params.state_version = request.state_version;
    params.name = str(request.uri.empty() ? request.name : request.uri);
    if (request.arguments) params.arguments = str(*request.arguments);
    if (request.variables) params.variables = str(*request.variables);
    if (request.round > 0) params.input_responses = str(request.input_responses), params.state = str(request.state);
    const std::int32_t status = plugin_->call(self_, id, &params);
    if (status < 0) refuse(id, status);
    return id;
  }

  // Starts a tool call and waits for its end.
  Ended call(const std::string& name, std::optional<std::string> arguments = "{}") {
    return wait(start({.name = name, .arguments = std::move(arguments)}));
  }
  Ended send(const Request& request) { return wait(start(request)); }
  // Of an item that may be gone by now, as a host's older snapshot would.
  Ended call_item(const Item& item, std::string arguments) {
    return wait(start({.name = item.name, .arguments = std::move(arguments)}, item));
  }

  // What the host does once the client has answered the questions of `suspended`.
  Ended resume(Request request, const Ended& suspended, std::string input_responses) {
    request.round = suspended.round + 1;
    request.input_responses = std::move(input_responses);
    request.state = suspended.state;
    request.state_version = suspended.state_version;
    return send(request);
  }

  Ended wait(collet_call id) {
    std::unique_lock lock(mutex_);
    const auto over = [&] { return calls_.at(id).how != Ended::How::running; };
    if (!ended_.wait_for(lock, std::chrono::seconds(120), over)) throw std::runtime_error("the call does not end");
    return calls_.at(id);
  }

  void cancel(collet_call id, std::uint32_t reason = COLLET_CANCEL_CLIENT) {
    mark_cancelled(id);
    if (plugin_->cancel) plugin_->cancel(self_, id, reason);
  }
  std::int32_t quiesce(std::uint32_t deadline_ms) { return plugin_->quiesce(self_, deadline_ms); }
  // Only the flag, as a call sees it that is cancelled before it begins.
  void mark_cancelled(collet_call id) {
    const std::lock_guard lock(mutex_);
    cancelled_.insert(id);
  }
  // Every call from now on is cancelled from its start.
  void cancel_next() {
    const std::lock_guard lock(mutex_);
    cancel_next_ = true;
  }

  // A visible item. Throws if there is none of that name.
  Item item(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, item] : visible_) {
      if (item.name == name) return item;
    }
    throw std::runtime_error("no item " + name);
  }
  std::vector<std::string> names() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& [id, item] : visible_) out.push_back(item.name);
    return out;
  }
  std::vector<Progress> progress(collet_call id) const {
    const std::lock_guard lock(mutex_);
    const auto at = progress_.find(id);
    return at == progress_.end() ? std::vector<Progress>() : at->second;
  }
  std::vector<LogLine> logs() const {
    const std::lock_guard lock(mutex_);
    return logs_;
  }
  std::vector<std::string> updated() const {
    const std::lock_guard lock(mutex_);
    return updated_;
  }
  // What the plugin did against the contract: stale ids, a second end, JSON that is none.
  std::vector<std::string> misuse() const {
    const std::lock_guard lock(mutex_);
    return misuse_;
  }
  // What call_info() knows.
  void set_info(const std::string& key, const std::string& value) {
    const std::lock_guard lock(mutex_);
    info_[key] = value;
  }
  // Items under this name, and need_input() under this key, are answered with `status`.
  void refuse_name(const std::string& name, std::int32_t status) {
    const std::lock_guard lock(mutex_);
    refused_[name] = status;
  }

 private:
  struct Free {
    void operator()(collet_host* table) const { std::free(table); }
  };
  struct Buffer {
    std::unique_ptr<char[]> data;
    std::size_t size = 0;
  };

  static Host& of(const collet_host* table) { return *static_cast<Host*>(table->host_data); }
  static collet_str str(const std::string& text) { return {text.data(), text.size()}; }
  static std::string text(const char* data, std::size_t size) {
    return data ? std::string(data, size) : std::string();
  }

  static void fill(collet_host& t) {
    t.abi_minor = COLLET_ABI_MINOR;
    t.item_add = item_add;
    t.item_remove = item_remove;
    t.items_commit = items_commit;
    t.resource_updated = resource_updated;
    t.add_text = add_text;
    t.add_json = add_json;
    t.add_blob = add_blob;
    t.set_structured = set_structured;
    t.set_meta = set_meta;
    t.set_field = set_field;
    t.complete = complete;
    t.fail = fail;
    t.suspend = suspend;
    t.need_input = need_input;
    t.progress = on_progress;
    t.log = log;
    t.is_cancelled = is_cancelled;
    t.call_info = call_info;
    t.blob_new = blob_new;
    t.blob_drop = blob_drop;
    t.get_extension = [](const collet_host*, const char*, std::size_t) -> const void* { return nullptr; };
  }

  void misuse_locked(std::string what) { misuse_.push_back(std::move(what)); }
  std::int32_t misuse_locked(std::string what, std::int32_t status) {
    misuse_locked(std::move(what));
    return status;
  }

  collet_call open_call(std::uint32_t round) {
    const std::lock_guard lock(mutex_);
    const collet_call id = next_id_++;
    calls_[id].round = round;
    if (cancel_next_) cancelled_.insert(id);
    return id;
  }
  void refuse(collet_call id, std::int32_t status) {
    const std::lock_guard lock(mutex_);
    Ended& call = calls_.at(id);
    if (call.how != Ended::How::running) return misuse_locked("call() failed but has ended the call");
    call.status = status;
    call.how = Ended::How::refused;
    ended_.notify_all();
  }
  void commit_locked() {
    for (auto& item : staged_) visible_[item.id] = std::move(item);
    for (const collet_item id : removed_) visible_.erase(id);
    staged_.clear();
    removed_.clear();
  }

  // Runs `change` on a call that is running.
  template <class Change>
  static std::int32_t on_call(const collet_host* table, const char* function, collet_call id, Change&& change) {
    Host& self = of(table);
    const std::lock_guard lock(self.mutex_);
    const auto at = self.calls_.find(id);
    if (at == self.calls_.end() || at->second.how != Ended::How::running) {
      return self.misuse_locked(std::string(function) + " on a call that is not running: " + std::to_string(id),
                                COLLET_E_STALE);
    }
    change(self, at->second);
    if (at->second.how != Ended::How::running) self.ended_.notify_all();
    return COLLET_OK;
  }
  // As above, with a text that is to be JSON.
  template <class Change>
  static std::int32_t on_json(const collet_host* table, const char* function, collet_call id, const char* json,
                              std::size_t size, Change&& change) {
    collet_json_value value;
    if (collet_json_parse({json, size}, &value) != COLLET_OK) {
      Host& self = of(table);
      const std::lock_guard lock(self.mutex_);
      return self.misuse_locked(std::string(function) + " was given no JSON: " + text(json, size),
                                COLLET_E_INVALID);
    }
    return on_call(table, function, id, [&](Host& self, Ended& call) { change(self, call, text(json, size)); });
  }

  static std::int32_t item_add(const collet_host* table, const collet_item_def* def, collet_item* out) {
    Host& self = of(table);
    const std::lock_guard lock(self.mutex_);
    const std::string name = text(def->name.data, def->name.size);
    if (const auto at = self.refused_.find(name); at != self.refused_.end()) return at->second;
    collet_json_value value;
    if (def->definition.data &&
        (collet_json_parse(def->definition, &value) != COLLET_OK || value.type != COLLET_JSON_OBJECT)) {
      return self.misuse_locked("the definition of " + name + " is no JSON object", COLLET_E_INVALID);
    }
    self.staged_.push_back({self.next_id_, def->kind, def->flags, def->timeout_ms, name,
                            text(def->definition.data, def->definition.size), def->user});
    *out = self.next_id_++;
    return COLLET_OK;
  }
  static std::int32_t item_remove(const collet_host* table, collet_item item) {
    Host& self = of(table);
    const std::lock_guard lock(self.mutex_);
    if (!self.visible_.count(item)) return COLLET_E_STALE;
    self.removed_.push_back(item);
    return COLLET_OK;
  }
  static std::int32_t items_commit(const collet_host* table) {
    Host& self = of(table);
    const std::lock_guard lock(self.mutex_);
    self.commit_locked();
    return COLLET_OK;
  }
  static std::int32_t resource_updated(const collet_host* table, const char* uri, std::size_t size) {
    Host& self = of(table);
    const std::lock_guard lock(self.mutex_);
    self.updated_.push_back(text(uri, size));
    return COLLET_OK;
  }

  static std::int32_t add_text(const collet_host* table, collet_call id, const char* data, std::size_t size) {
    return on_call(table, "add_text", id, [&](Host&, Ended& call) {
      call.parts.push_back({"text", text(data, size), ""});
    });
  }
  static std::int32_t add_json(const collet_host* table, collet_call id, const char* json, std::size_t size) {
    return on_json(table, "add_json", id, json, size, [](Host&, Ended& call, std::string value) {
      call.parts.push_back({"json", std::move(value), ""});
    });
  }
  static std::int32_t add_blob(const collet_host* table, collet_call id, const char* type, std::size_t type_size,
                               const char* mime, std::size_t mime_size, collet_blob blob) {
    Buffer bytes;
    {
      Host& self = of(table);
      const std::lock_guard lock(self.mutex_);
      const auto at = self.blobs_.find(blob);
      if (at == self.blobs_.end()) return self.misuse_locked("add_blob of no blob", COLLET_E_STALE);
      bytes = std::move(at->second);
      self.blobs_.erase(at);
    }
    return on_call(table, "add_blob", id, [&](Host&, Ended& call) {
      call.parts.push_back(
          {text(type, type_size), std::string(bytes.data.get(), bytes.size), text(mime, mime_size)});
    });
  }
  static std::int32_t set_structured(const collet_host* table, collet_call id, const char* json, std::size_t size) {
    return on_json(table, "set_structured", id, json, size,
                   [](Host&, Ended& call, std::string value) { call.structured = std::move(value); });
  }
  static std::int32_t set_meta(const collet_host* table, collet_call id, const char* json, std::size_t size) {
    return on_json(table, "set_meta", id, json, size,
                   [](Host&, Ended& call, std::string value) { call.meta = std::move(value); });
  }
  static std::int32_t set_field(const collet_host* table, collet_call id, const char* key, std::size_t key_size,
                                const char* json, std::size_t size) {
    return on_json(table, "set_field", id, json, size, [&](Host&, Ended& call, std::string value) {
      call.fields[text(key, key_size)] = std::move(value);
    });
  }

  static std::int32_t complete(const collet_host* table, collet_call id, std::uint32_t is_error) {
    return on_call(table, "complete", id, [&](Host&, Ended& call) {
      call.is_error = is_error != 0;
      call.how = Ended::How::completed;
    });
  }
  static std::int32_t fail(const collet_host* table, collet_call id, std::int32_t rpc_code, const char* message,
                           std::size_t message_size, const char* data, std::size_t data_size) {
    return on_call(table, "fail", id, [&](Host&, Ended& call) {
      call.rpc_code = rpc_code;
      call.message = text(message, message_size);
      call.data = text(data, data_size);
      call.how = Ended::How::failed;
    });
  }
  static std::int32_t suspend(const collet_host* table, collet_call id, const char* state, std::size_t state_size,
                              std::uint32_t state_version) {
    return on_call(table, "suspend", id, [&](Host&, Ended& call) {
      call.state = text(state, state_size);
      call.state_version = state_version;
      call.how = Ended::How::suspended;
    });
  }
  static std::int32_t need_input(const collet_host* table, collet_call id, const char* key, std::size_t key_size,
                                 const char* json, std::size_t size) {
    const std::string name = text(key, key_size);
    {
      Host& self = of(table);
      const std::lock_guard lock(self.mutex_);
      if (const auto at = self.refused_.find(name); at != self.refused_.end()) return at->second;
    }
    return on_json(table, "need_input", id, json, size,
                   [&](Host&, Ended& call, std::string value) { call.questions[name] = std::move(value); });
  }

  static std::int32_t on_progress(const collet_host* table, collet_call id, double done, double total,
                                  const char* message, std::size_t size) {
    return on_call(table, "progress", id, [&](Host& self, Ended&) {
      self.progress_[id].push_back({done, total, text(message, size)});
    });
  }
  static std::int32_t log(const collet_host* table, collet_call id, std::uint32_t level, const char* logger,
                          std::size_t logger_size, const char* data, std::size_t data_size) {
    Host& self = of(table);
    const std::lock_guard lock(self.mutex_);
    self.logs_.push_back({id, level, text(logger, logger_size), text(data, data_size)});
    return COLLET_OK;
  }
  static std::int32_t is_cancelled(const collet_host* table, collet_call id) {
    Host& self = of(table);
    const std::lock_guard lock(self.mutex_);
    return self.cancelled_.count(id) ? 1 : 0;
  }
  static std::int32_t call_info(const collet_host* table, collet_call, const char* key, std::size_t size,
                                collet_str* out) {
    Host& self = of(table);
    const std::lock_guard lock(self.mutex_);
    const auto at = self.info_.find(text(key, size));
    *out = at == self.info_.end() ? collet_str{nullptr, 0} : str(at->second);
    return COLLET_OK;
  }

  static std::int32_t blob_new(const collet_host* table, std::size_t size, collet_blob* out, void** data) {
    Host& self = of(table);
    const std::lock_guard lock(self.mutex_);
    Buffer& buffer = self.blobs_[self.next_id_];
    buffer.data = std::make_unique<char[]>(size);
    buffer.size = size;
    *data = buffer.data.get();
    *out = self.next_id_++;
    return COLLET_OK;
  }
  static std::int32_t blob_drop(const collet_host* table, collet_blob blob) {
    Host& self = of(table);
    const std::lock_guard lock(self.mutex_);
    if (self.blobs_.erase(blob)) return COLLET_OK;
    return self.misuse_locked("blob_drop of no blob", COLLET_E_STALE);
  }

  std::unique_ptr<collet_host, Free> table_;
  const collet_plugin* plugin_ = nullptr;
  void* self_ = nullptr;

  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable ended_;
  std::uint64_t next_id_ = 1;
  std::vector<Item> staged_;
  std::vector<collet_item> removed_;
  std::map<collet_item, Item> visible_;
  std::map<collet_call, Ended> calls_;
  std::set<collet_call> cancelled_;
  bool cancel_next_ = false;
  std::map<collet_call, std::vector<Progress>> progress_;
  std::map<collet_blob, Buffer> blobs_;
  std::vector<LogLine> logs_;
  std::vector<std::string> updated_, misuse_;
  std::map<std::string, std::string> info_;
  std::map<std::string, std::int32_t> refused_;
};

}  // namespace fake
