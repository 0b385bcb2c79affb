// The host's other items, which a plugin lists and calls: collet.tools.draft/1 and collet.registry.draft/1, whose headers say
// as whom, and within which limits.
//
//   auto& peers = plugin.keep<collet::Peers>(plugin);
//   plugin.tool<Topic>("brief", "Looks a topic up", [&peers](const Topic& in, collet::Call& call) {
//     return peers.relay(call, {.name = "search", .arguments = collet::to_json(in)});
//   });
//
// A draft, as these are.
#ifndef COLLET_PEERS_HPP
#define COLLET_PEERS_HPP

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <collet/answering.hpp>
#include <collet/ext/draft/registry.h>
#include <collet/ext/draft/tools.h>
#include <collet/plugin.hpp>

namespace collet::inline v1 {

// What is to be called.
struct Invocation {
  std::string name;    // the final name; of a resource its URI
  Json arguments = {};  // an object; empty: none
  std::uint32_t kind = COLLET_TOOL;  // or COLLET_RESOURCE, COLLET_PROMPT
  std::chrono::milliseconds timeout{0};  // 0: the item's own
  // In a round that answers questions of the one before.
  std::string state = {};
  Json input_responses = {};
  std::function<void(double done, double total, std::string_view message)> progress = {};  // [answer]
};

// How it has ended; see collet_outcome.
struct Outcome {
  struct Question {
    std::string key;
    Json request;
  };

  std::uint32_t how = COLLET_OUTCOME_FAILED;
  bool is_error = false;
  std::int32_t rpc_code = 0;
  Json result = {};
  std::string message = {};
  Json data = {};
  std::string state = {};
  std::vector<Question> questions = {};

  bool ok() const { return completed() && !is_error; }
  bool completed() const { return how == COLLET_OUTCOME_COMPLETED; }  // perhaps with an error of the tool
  bool suspended() const { return how == COLLET_OUTCOME_SUSPENDED; }
};

// Inside of what a call is made: of one that runs here and has not ended, or of none.
class Inside {
 public:
  Inside(const CallBase& call) : id_(call.id()) {}  // NOLINT: so that a call can be given
  static constexpr Inside plugin() { return Inside(); }  // of the plugin's own accord
  // Of a call that has been deferred or has ended there is no inside.
  bool is_gone() const { return !of_plugin_ && id_ == 0; }
  collet_call id() const { return id_; }
  std::uint32_t flags() const { return of_plugin_ ? COLLET_INVOKE_AS_PLUGIN : 0u; }

 private:
  constexpr Inside() : of_plugin_(true) {}
  collet_call id_ = 0;
  bool of_plugin_ = false;
};
inline constexpr Inside as_plugin = Inside::plugin();

// [any] where nothing else is said. Made while the plugin is created, by plugin.keep<Peers>(plugin), before whatever uses it:
// what was kept last goes first. Functions throw Error for what the host refuses, such as a call while there is only a trial.
//
// call(), relay() and list() wait. They are for executors and threads of the plugin's own; not for tools that are nonblocking
// (the host's loop would wait for itself), nor for callbacks (nobody would answer). A plugin to which its own calls may come
// back, directly or through others, waits in vain once all its executors wait: let it begin() and defer() instead. Threads of
// its own hold an Inside, not a Call, and get an Error once that call has ended.
class Peers {
 public:
  explicit Peers(const Plugin& plugin)
      : host_(plugin.host()), tools_(host_.extension<collet_tools>(COLLET_EXT_TOOLS)),
        registry_(host_.extension<collet_registry>(COLLET_EXT_REGISTRY)), logger_(detail::view(collet_plugin_entry_v1()->id)) {}
  ~Peers() {
    if (registry_ && changed_) registry_->watch(host_.table(), nullptr);
  }
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  // Begins a call. `ended(Outcome)` runs [answer], exactly once, perhaps before this returns.
  template <class Ended>
  requires std::is_invocable_v<Ended&, Outcome>
  collet_invocation begin(const Inside& inside, Invocation invocation, Ended ended) const {
    struct Waiting {
      const Peers* peers;
      Invocation invocation;
      Ended ended;
    };
    refuse_if_gone(inside, invocation.name);
    auto waiting = std::make_unique<Waiting>(Waiting{this, std::move(invocation), std::move(ended)});
    const Invocation& wanted = waiting->invocation;
    collet_invoke_params params{};
    params.struct_size = sizeof params;
    params.kind = wanted.kind;
    params.flags = inside.flags();
    params.inside_of = inside.id();
    const auto ms = wanted.timeout.count();
    params.timeout_ms = ms < 0 ? 1u : static_cast<std::uint64_t>(ms);  // what is over is over at once
    params.name = detail::str(wanted.name);
    if (!wanted.arguments.text.empty()) params.arguments = detail::str(wanted.arguments.text);
    if (!wanted.state.empty()) params.state = detail::str(wanted.state);
    if (!wanted.input_responses.text.empty()) params.input_responses = detail::str(wanted.input_responses.text);
    params.context = waiting.get();
    params.ended = [](void* context, const collet_outcome* outcome) noexcept {
      const std::unique_ptr<Waiting> its(static_cast<Waiting*>(context));
      const detail::Answering answering;
      Outcome out = copy_or_fail(*outcome);
      its->peers->guard([&] { its->ended(std::move(out)); });
    };
    if (wanted.progress) {
      params.progress = [](void* context, double done, double total, const char* message, std::size_t size) noexcept {
        const Waiting& its = *static_cast<Waiting*>(context);
        const detail::Answering answering;
        its.peers->guard([&] { its.invocation.progress(done, total, std::string_view(message, size)); });
      };
    }
    collet_invocation out = 0;
    const std::int32_t status = tools_ ? tools_->invoke(host_.table(), &params, &out) : COLLET_E_UNSUPPORTED;
    if (status < 0) throw Error("cannot call " + wanted.name + ": " + detail::status_text(status));
    static_cast<void>(waiting.release());  // the callback's, which may have freed it
    return out;
  }
  // Asks that it end soon.
  void cancel(collet_invocation invocation) const {
    if (tools_) tools_->cancel(host_.table(), invocation);
  }

  // Calls, and waits for the end.
  Outcome call(const Inside& inside, Invocation invocation) const {
    auto slot = std::make_shared<detail::Slot<Outcome>>();
    detail::Answering::refuse();
    begin(inside, std::move(invocation), [slot](Outcome outcome) { slot->put(std::move(outcome)); });
    return slot->take();
  }

  // Answers the call with what another tool says: its result, its error, or the questions that it has for the client, whose
  // answers are for it. To be returned from the tool, which is of the kind that is called. In later rounds the tool runs again
  // from its beginning, and must come to the same item and arguments; it asks nothing itself, and relays once.
  Whole relay(Call& call, Invocation invocation) const {
    constexpr std::uint32_t kRelayed = 0x52454c59;  // whose state it is
    if (invocation.kind != call.kind()) throw Error("relay() is for an item of the kind that was called");
    if (call.round() > 0) {
      if (call.state_version() != kRelayed) throw StateNotUnderstood();
      invocation.state = call.state();
      invocation.input_responses = {std::string(call.input_responses())};
    }
    Outcome outcome = this->call(call, std::move(invocation));
    if (outcome.completed()) return {std::move(outcome.result)};
    if (!outcome.suspended()) throw RpcError(outcome.rpc_code, outcome.message, outcome.data);
    for (const Outcome::Question& question : outcome.questions) call.need_input(question.key, question.request);
    call.suspend(outcome.state, kRelayed);
    return {};
  }

  // A page of the items of that kind: JSON as collet_list_params has it, `more` included.
  Json list(const Inside& inside, std::uint32_t kind = COLLET_TOOL, std::string_view after = {}, std::uint32_t max = 0) const {
    collet_list_params params{};
    if (!after.empty()) params.after = detail::str(after);
    params.max = max;
    return list(inside, kind, params);
  }
  // Those of these names that are seen.
  Json list(const Inside& inside, std::uint32_t kind, const std::vector<std::string>& names) const {
    std::vector<collet_str> texts;
    for (const std::string& name : names) texts.push_back(detail::str(name));
    texts.push_back({});  // so that there is an address also of none
    collet_list_params params{};
    params.names = texts.data();
    params.name_count = names.size();
    return list(inside, kind, params);
  }

  // `changed(kinds, revision)` runs [answer] when items of these kinds come, go or change: 1u << COLLET_TOOL and so on, 0 for all.
  // Once.
  void watch(std::uint32_t kinds, std::function<void(std::uint32_t kinds, std::uint64_t revision)> changed) {
    if (changed_) throw Error("watch() is for one callback");
    changed_ = std::move(changed);
    collet_watch_params params{};
    params.struct_size = sizeof params;
    params.kinds = kinds;
    params.context = this;
    params.changed = [](void* context, const collet_change* change) noexcept {
      const Peers& self = *static_cast<Peers*>(context);
      const detail::Answering answering;
      self.guard([&] { self.changed_(change->kinds, change->revision); });
    };
    const std::int32_t status = registry_ ? registry_->watch(host_.table(), &params) : COLLET_OK;
    if (status < 0) throw Error(std::string("cannot watch items: ") + detail::status_text(status));
  }

 private:
  static void refuse_if_gone(const Inside& inside, const std::string& name) {
    if (inside.is_gone()) throw Error("cannot call " + name + ": the call that it was to be made inside of has ended or was deferred");
  }

  template <class Body>
  void guard(Body&& body) const noexcept {
    host_.guard(logger_, [&] { return body(), COLLET_OK; });
  }

  Json list(const Inside& inside, std::uint32_t kind, collet_list_params params) const {
    struct Page {
      std::int32_t status;
      Json json;
    };
    detail::Answering::refuse();
    refuse_if_gone(inside, "for a list");
    detail::Slot<Page> slot;
    params.struct_size = sizeof params;
    params.kind = kind;
    params.flags = inside.flags();
    params.inside_of = inside.id();
    params.context = &slot;
    params.listed = [](void* context, std::int32_t status, const char* json, std::size_t size) noexcept {
      Page page{status, {}};
      try {
        if (json) page.json.text.assign(json, size);
      } catch (...) {
        page.status = COLLET_E_LIMIT;
      }
      static_cast<detail::Slot<Page>*>(context)->put(std::move(page));
    };
    const std::int32_t begun = registry_ ? registry_->list(host_.table(), &params) : COLLET_E_UNSUPPORTED;
    Page page = begun < 0 ? Page{begun, {}} : slot.take();
    if (page.status < 0) throw Error(std::string("cannot list items: ") + detail::status_text(page.status));
    return std::move(page.json);
  }

  // There is always one to be told.
  static Outcome copy_or_fail(const collet_outcome& outcome) noexcept {
    try {
      return copy(outcome);
    } catch (...) {
      Outcome out;
      out.rpc_code = -32603;
      return out;
    }
  }

  static Outcome copy(const collet_outcome& outcome) {
    Outcome out;
    out.how = outcome.how;
    out.is_error = outcome.is_error != 0;
    out.rpc_code = outcome.rpc_code;
    out.result.text = detail::view(outcome.result);
    out.message = detail::view(outcome.message);
    out.data.text = detail::view(outcome.data);
    out.state = detail::view(outcome.state);
    for (std::size_t i = 0; i < outcome.question_count; ++i) {
      const collet_question& question = outcome.questions[i];
      out.questions.push_back({std::string(detail::view(question.key)), {std::string(detail::view(question.request))}});
    }
    return out;
  }

  const detail::Host host_;
  const collet_tools* tools_;        // null in a trial, and where the host has no such draft
  const collet_registry* registry_;  // likewise
  const std::string_view logger_;
  std::function<void(std::uint32_t, std::uint64_t)> changed_;
};

}  // namespace collet::inline v1

#endif
