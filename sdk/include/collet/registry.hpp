// Items, and what runs when they are called: tools, resources and prompts from functions of the author's.
#ifndef COLLET_REGISTRY_HPP
#define COLLET_REGISTRY_HPP

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <collet/call.hpp>
#include <collet/ext/instructions.h>
#include <collet/ext/status.h>
#include <collet/offered.hpp>

namespace collet::inline v1 {

enum class Task { never, optional, required };

// Completes an argument: its name, what is typed so far.
using Completion =
    std::function<std::vector<std::string>(std::string_view argument, std::string_view value, Call&)>;

// What may be said of a tool, resource or prompt beyond its name and description.
struct Options {
  std::string_view title = {};
  bool nonblocking = false;  // it takes microseconds: may run on the host's loop thread
  bool idempotent = false;
  Task task = Task::never;
  bool task_after_input = false;  // asks first: the task begins with the round that has the answers
  bool needs_elicitation = false;
  bool needs_sampling = false;
  bool needs_roots = false;
  std::uint32_t timeout_ms = 0;        // 0: the host's default
  std::optional<bool> read_only = {};  // annotations of a tool: hints to the client
  std::optional<bool> destructive = {};
  std::optional<bool> open_world = {};
  std::string_view mime_type = {};  // of a resource or template
  Completion complete = {};         // of a prompt or template
  std::string_view meta = {};       // JSON object: the item's _meta
};

struct NoArguments {};

namespace detail {

struct RouteMaker;  // collet/http.hpp

// An argument type that leaves the text unread, for tools that read Call::arguments() themselves.
struct Unread {};

// What runs when an item is called.
class Handler {
 public:
  virtual ~Handler() = default;

  // collet_plugin.call.
  std::int32_t call(Runtime& runtime, collet_call id, const collet_call_params& params) noexcept {
    Call call(runtime, id, params);
    try {
      serve(call);
    } catch (const StateNotUnderstood&) {
      if (!call.open()) return COLLET_OK;
      call.leave();
      return COLLET_E_STATE;
    } catch (const RpcError& error) {
      if (!call.open()) {
        call.log_late_failure(error.what());
      } else {
        call.finish_with_rpc_error(error.code, error.what(), error.data);
      }
    } catch (const Error& error) {
      fail(call, kInvalidParams, error.what());
    } catch (const std::exception& error) {
      fail(call, kInternalError, error.what());
    } catch (...) {
      fail(call, kInternalError, "the tool failed for a reason that is no std::exception");
    }
    return COLLET_OK;
  }

  // Ends the call, or leaves it to a PendingCall, or throws.
  virtual void serve(Call& call) = 0;

 protected:
  static constexpr std::int32_t kInvalidParams = -32602, kInternalError = -32603;

  template <class R>
  static void answer(Call& call, R&& result) {
    if (call.open()) call.finish_with(std::forward<R>(result));
  }
  static void answer(Call& call) {
    if (call.open()) call.finish(false);
  }

 private:
  // A tool's failure is a result for the model to read; anything else has only JSON-RPC errors.
  static void fail(Call& call, std::int32_t code, const char* message) noexcept {
    if (!call.open()) return call.log_late_failure(message);
    if (call.kind() == COLLET_TOOL) {
      call.finish_with_error(message);
    } else {
      call.finish_with_rpc_error(code, message, {});
    }
  }
};

// An item of the plugin's: called, or asked to complete one of its arguments.
class ItemHandler : public Handler {
 public:
  void serve(Call& call) override {
    if (call.kind() == COLLET_COMPLETE) {
      complete(call);
    } else {
      run(call);
    }
  }

  Completion completion;

 private:
  virtual void run(Call& call) = 0;

  void complete(Call& call) {
    if (!completion) return answer(call);  // without values
    std::string argument, value;
    JsonReader in(call.arguments());
    in.read_object([&](std::string_view key) {
      if (key != "argument") return void(in.read_raw());
      in.read_object(
          [&](std::string_view part) { Codec<std::string>::read(in, part == "name" ? argument : value); });
    });
    for (const std::string& found : completion(argument, value, call)) call.text(found);
    answer(call);
  }
};

// Calls `function` with as much of (arguments, call) as it takes.
template <class In, class F>
decltype(auto) invoke(F& function, In& in, Call& call) {
  if constexpr (std::is_invocable_v<F&, In&, Call&>) {
    return function(in, call);
  } else if constexpr (std::is_invocable_v<F&, In&>) {
    return function(in);
  } else if constexpr (std::is_invocable_v<F&, Call&>) {
    return function(call);
  } else {
    return function();
  }
}

template <class In, class F>
using ResultOf =
    std::remove_cvref_t<decltype(invoke<In>(std::declval<F&>(), std::declval<In&>(), std::declval<Call&>()))>;

// A function of the author's, its arguments read from the text that `Source` names.
template <class In, std::string_view (Call::*Source)() const, class F>
class FunctionHandler final : public ItemHandler {
 public:
  explicit FunctionHandler(F function) : function_(std::move(function)) {}

 private:
  void run(Call& call) override {
    In in{};
    if constexpr (!std::is_same_v<In, Unread>) {
      JsonReader reader((call.*Source)());
      Codec<In>::read(reader, in);
      reader.read_end();
    }
    if constexpr (std::is_void_v<ResultOf<In, F>>) {
      invoke(function_, in, call);
      answer(call);
    } else {
      answer(call, invoke(function_, in, call));
    }
  }

  F function_;
};

// Items that come and go share this one, which outlives them: a call may still be on its way to an item that is
// gone.
class DynamicHandlers final : public Handler {
 public:
  void serve(Call& call) override { find(call.item())->serve(call); }

  // Runs `add`, which gives the item's id, so that no call can come in between.
  template <class Add>
  collet_item insert(std::shared_ptr<Handler> handler, Add&& add) {
    const std::lock_guard lock(mutex_);
    const collet_item item = add();
    handlers_[item] = std::move(handler);
    return item;
  }
  void remove_at_commit(collet_item item) {
    const std::lock_guard lock(mutex_);
    removed_.push_back(item);
  }
  void committed() {
    std::vector<std::shared_ptr<Handler>> gone;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    for (const collet_item item : removed_) {
      if (auto node = handlers_.extract(item)) gone.push_back(std::move(node.mapped()));
    }
    removed_.clear();
  }

 private:
  std::shared_ptr<Handler> find(collet_item item) {
    const std::lock_guard lock(mutex_);
    const auto at = handlers_.find(item);
    if (at == handlers_.end()) throw Error("this item has been removed");
    return at->second;
  }

  std::mutex mutex_;  // guards the two below
  std::unordered_map<collet_item, std::shared_ptr<Handler>> handlers_;
  std::vector<collet_item> removed_;
};

// One instance of the plugin: collet_plugin.create to destroy.
struct Core : Runtime {
  using Runtime::Runtime;
  ~Core() {
    while (!kept.empty()) kept.pop_back();
  }

  std::vector<std::unique_ptr<Handler>> handlers;
  DynamicHandlers dynamic;
  std::vector<std::shared_ptr<void>> kept;  // destroyed last to first, before the handlers
  std::function<void(std::uint32_t)> quiesce;
  Offered offered;
};

}  // namespace detail

// Where items are registered: the plugin itself, or Items.
class Registry {
 public:
  // [any] What clients are told about the use of these items as a whole, in place of what was said before; empty takes it back.
  void instructions(std::string_view text) {
    const auto* host = core().host.template extension<collet_instructions>(COLLET_EXT_INSTRUCTIONS);
    expect(host ? host->set_instructions(core().host.table(), text.data(), text.size()) : COLLET_E_UNSUPPORTED,
           "say how the plugin is used");
  }

  // A tool that takes In, a struct whose schema becomes the inputSchema. `function` takes (const In&, Call&), or
  // less. Result: a string or number is text; a struct or map is structured content with an outputSchema; Content
  // is what it says; nothing is what was said through the call, which may also be deferred.
  template <class In = NoArguments, class F>
  collet_item tool(std::string_view name, std::string_view description, F function, const Options& options = {}) {
    JsonMembers definition = begin(description, options);
    definition.add_raw("inputSchema", schema_of<In>());
    using R = detail::ResultOf<In, F>;
    if constexpr (detail::Structured<R>) definition.add_raw("outputSchema", schema_of<R>());
    add_annotations(definition, options);
    return add<In, &Call::arguments>(COLLET_TOOL, name, definition.text + '}', std::move(function), options);
  }

  // A tool whose MCP object is given whole; `function` takes (Call&) and reads Call::arguments().
  template <class F>
  collet_item raw_tool(std::string_view name, const Json& definition, F function, const Options& options = {}) {
    return add<detail::Unread, &Call::arguments>(COLLET_TOOL, name, definition.text, std::move(function), options);
  }

  // `function` takes (Call&) or nothing and returns the contents: a string, or Content of text() and blob().
  template <class F>
  collet_item resource(std::string_view uri, std::string_view name, std::string_view description, F function,
                       const Options& options = {}) {
    return add<detail::Unread, &Call::arguments>(
        COLLET_RESOURCE, uri, describe_resource(name, description, options), std::move(function), options);
  }

  // As above, for every URI that matches the RFC 6570 template. Variables is a struct of strings, one a variable.
  template <class Variables = NoArguments, class F>
  collet_item resource_template(std::string_view uri_template, std::string_view name, std::string_view description,
                                F function, const Options& options = {}) {
    return add<Variables, &Call::variables>(COLLET_RESOURCE_TEMPLATE, uri_template,
                                            describe_resource(name, description, options), std::move(function),
                                            options);
  }

  // In is a struct of std::string and std::optional<std::string>. A string is one message of the user; for others
  // return Content of message().
  template <class In = NoArguments, class F>
  collet_item prompt(std::string_view name, std::string_view description, F function, const Options& options = {}) {
    JsonMembers definition = begin(description, options);
    definition.key("arguments");
    definition.text += '[';
    detail::Described<In>::get().each([&](auto index, const auto& field, const auto&) {
      JsonMembers argument{index == 0 ? "{" : ",{"};
      argument.add("name", detail::kFieldNames<In>[index]);
      if (!field.description().empty()) argument.add("description", field.description());
      argument.add("required", field.required());
      definition.text += argument.text + '}';
    });
    definition.text += ']';
    return add<In, &Call::arguments>(COLLET_PROMPT, name, definition.text + '}', std::move(function), options);
  }

  // Logs as the plugin, outside any call.
  void log(Level level, std::string_view text) const { core_->host.log(0, level, core_->logger, text); }

 protected:
  Registry(detail::Core& core, bool permanent) : core_(&core), permanent_(permanent) {}

  detail::Core& core() const { return *core_; }
  static void expect(std::int32_t status, const std::string& action) {
    if (status < 0) throw Error("cannot " + action + ": " + detail::status_text(status));
  }

 private:
  friend struct detail::RouteMaker;
  static JsonMembers begin(std::string_view description, const Options& options) {
    JsonMembers out{"{"};
    if (!options.title.empty()) out.add("title", options.title);
    if (!description.empty()) out.add("description", description);
    if (!options.meta.empty()) out.add_raw("_meta", options.meta);
    return out;
  }
  static std::string describe_resource(std::string_view name, std::string_view description,
                                       const Options& options) {
    JsonMembers out = begin(description, options);
    out.add("name", name);
    if (!options.mime_type.empty()) out.add("mimeType", options.mime_type);
    return out.text + '}';
  }
  static void add_annotations(JsonMembers& definition, const Options& options) {
    JsonMembers hints{"{"};
    if (options.read_only) hints.add("readOnlyHint", *options.read_only);
    if (options.destructive) hints.add("destructiveHint", *options.destructive);
    if (options.idempotent) hints.add("idempotentHint", true);
    if (options.open_world) hints.add("openWorldHint", *options.open_world);
    if (hints.text.size() > 1) definition.add_raw("annotations", hints.text + '}');
  }
  static std::uint32_t flags(const Options& options) {
    return (options.nonblocking ? COLLET_ITEM_NONBLOCKING : 0) | (options.idempotent ? COLLET_ITEM_IDEMPOTENT : 0) |
           (options.task == Task::optional ? COLLET_ITEM_TASK_OPTIONAL : 0) |
           (options.task == Task::required ? COLLET_ITEM_TASK_REQUIRED : 0) |
           (options.task_after_input ? COLLET_ITEM_TASK_AFTER_INPUT : 0) |
           (options.needs_elicitation ? COLLET_ITEM_NEEDS_ELICITATION : 0) |
           (options.needs_sampling ? COLLET_ITEM_NEEDS_SAMPLING : 0) |
           (options.needs_roots ? COLLET_ITEM_NEEDS_ROOTS : 0);
  }

  template <class In, std::string_view (Call::*Source)() const, class F>
  collet_item add(std::uint32_t kind, std::string_view name, const std::string& definition, F function,
                  const Options& options) {
    auto handler = std::make_unique<detail::FunctionHandler<In, Source, F>>(std::move(function));
    handler->completion = options.complete;
    collet_item_def def{};
    def.struct_size = sizeof def;
    def.kind = kind;
    def.flags = flags(options);
    def.timeout_ms = options.timeout_ms;
    def.name = detail::str(name);
    def.definition = detail::str(definition);
    return add(def, std::move(handler));
  }

  collet_item add(collet_item_def& def, std::unique_ptr<detail::Handler> handler) {
    const auto add_with = [&](detail::Handler& user) {
      def.user = &user;
      collet_item item = 0;
      expect(core_->host(&collet_host::item_add, &def, &item), "register " + std::string(detail::view(def.name)));
      return item;
    };
    if (!permanent_) return core_->dynamic.insert(std::move(handler), [&] { return add_with(core_->dynamic); });
    const collet_item item = add_with(*handler);
    core_->handlers.push_back(std::move(handler));
    return item;
  }

  detail::Core* core_;
  bool permanent_;
};

// Items that come and go while the plugin runs. [any] Copies are as good; valid until the plugin is destroyed. What
// is added or removed becomes visible with commit(), all at once; for what the body itself adds that happens by
// itself.
class Items : public Registry {
 public:
  void remove(collet_item item) {
    expect(core().host(&collet_host::item_remove, item), "remove an item");
    core().dynamic.remove_at_commit(item);
  }
  void commit() {
    expect(core().host(&collet_host::items_commit), "commit items");
    core().dynamic.committed();
  }
  // What Plugin::on_status() says is not what it was: who waits for that asks again.
  void status_changed() {
    const auto* host = core().host.template extension<collet_status_watch>(COLLET_EXT_STATUS);
    expect(host ? host->changed(core().host.table()) : COLLET_E_UNSUPPORTED, "say that its status has changed");
  }
  // Tells whoever subscribed to it.
  void resource_updated(std::string_view uri) {
    expect(core().host(&collet_host::resource_updated, uri.data(), uri.size()), "announce an update");
  }

 private:
  friend class Plugin;
  explicit Items(detail::Core& core) : Registry(core, false) {}
};

}  // namespace collet::inline v1

#endif
