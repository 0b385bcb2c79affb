#include "registry/call_observer.h"

#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "registry/registry.h"

namespace collet::registry {
namespace {

using Clock = std::chrono::steady_clock;

std::string name_of(const Item& item, const Call& call) {
  if (call.kind == CallKind::route) return NameRules().final_name(Kind::route, *item.source, std::string(call.name));
  return std::string(call.kind == CallKind::resource ? call.name : item.name);
}

std::size_t size_of(const Call& call) {
  return call.arguments.value_or("").size() + call.input_responses.value_or("").size() + (call.web ? call.web->body.size() : 0);
}

std::size_t size_of(const Ending& ending) {
  return ending.content.size() + ending.structured.size() + ending.meta.size() + ending.fields.size();
}

// Between a provider and the caller, while the call runs. Owns itself until on_end().
class ObservedCall final : public Listener {
 public:
  ObservedCall(const std::vector<CallObserver*>& observers, const Item& item, const Call& call, Listener& caller)
      : observers_(observers),
        caller_(caller),
        name_(name_of(item, call)),
        principal_(call.principal ? *call.principal : nullptr),
        facts_{.kind = call.kind,
               .name = name_,
               .plugin = *item.source,
               .generation = item.provider->generation(),
               .principal = principal_.get(),
               .round = call.round,
               .depth = call.depth,
               .bytes = size_of(call)} {
    tell([&](CallObserver& observer) { observer.on_call_begun(facts_); });
  }

 private:
  void on_progress(const Progress& progress) override { caller_.on_progress(progress); }
  void on_log(const LogMessage& message) override { caller_.on_log(message); }
  void on_close_stream(unsigned retry_ms) override { caller_.on_close_stream(retry_ms); }
  void on_answer_head(WebHead head) override { caller_.on_answer_head(std::move(head)); }
  void on_answer_bytes(std::string& bytes) override {
    answered_bytes_ += bytes.size();
    caller_.on_answer_bytes(bytes);
  }
  void on_body_taken(std::size_t bytes) override { caller_.on_body_taken(bytes); }
  void on_end(Ending& ending) override {
    const std::unique_ptr<ObservedCall> self(this);  // info() is good until the caller has heard
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_);
    const CallEnd end{.how = ending.how,
                      .is_error = ending.is_error,
                      .rpc_code = ending.rpc_code,
                      .bytes = size_of(ending) + answered_bytes_,
                      .took_us = static_cast<std::uint64_t>(took.count()),
                      .reason = ending.is_error ? std::string_view(ending.content) : ending.message};
    tell([&](CallObserver& observer) { observer.on_call_ended(facts_, end); });
    caller_.on_end(ending);
  }
  std::optional<std::string_view> info(std::string_view key) const override { return caller_.info(key); }

  // The call goes on, whatever becomes of an observer.
  template <class Tell>
  void tell(Tell&& tell_one) const {
    for (CallObserver* observer : observers_) {
      try {
        tell_one(*observer);
      } catch (const std::bad_alloc&) {
        log::error("out of memory: an observer has missed a call");
      }
    }
  }

  const std::vector<CallObserver*>& observers_;
  Listener& caller_;
  const std::string name_;
  const PrincipalPtr principal_;
  const CallFacts facts_;
  const Clock::time_point began_ = Clock::now();
  std::size_t answered_bytes_ = 0;
};

}  // namespace

Listener& observed(const std::vector<CallObserver*>& observers, const Item& item, const Call& call, Listener& listener) {
  return *new ObservedCall(observers, item, call, listener);
}

void forget(Listener& observed) { delete static_cast<ObservedCall*>(&observed); }

}  // namespace collet::registry
