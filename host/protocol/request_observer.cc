#include "protocol/request_observer.h"

#include <chrono>
#include <memory>
#include <new>
#include <string>

#include "base/log.h"
#include "protocol/request.h"

namespace collet::protocol {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kShownBytesMax = 128;  // MCP's names are shorter; a client's may be as long as a message

// The request goes on, whatever becomes of an observer.
template <class Tell>
void tell_all(const RequestObservers& observers, Tell&& tell_one) {
  for (RequestObserver* observer : observers) {
    try {
      tell_one(*observer);
    } catch (const std::bad_alloc&) {
      log::error("out of memory: an observer has missed a request");
    }
  }
}

class ObservedRequest final : public rpc::ExchangeWatch {
 public:
  ObservedRequest(const Request& request, const RequestObservers& observers)
      : observers_(observers),
        method_(request.message.method.substr(0, kShownBytesMax)),
        principal_(request.context.principal),
        facts_{method_, request.context.era, request.context.transport, principal_.get()} {
    tell([&](RequestObserver& observer) { observer.on_request_begun(facts_); });
  }

 private:
  void on_result(std::size_t bytes) override { end({.how = RequestEnd::How::result, .bytes = bytes}); }
  void on_error(const rpc::Error& error) override { end({.how = RequestEnd::How::error, .code = error.code}); }
  void on_disowned() override { end({.how = RequestEnd::How::gone}); }

  void end(RequestEnd end) const {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_);
    end.took_us = static_cast<std::uint64_t>(took.count());
    tell([&](RequestObserver& observer) { observer.on_request_ended(facts_, end); });
  }

  template <class Tell>
  void tell(Tell&& tell_one) const {
    tell_all(observers_, tell_one);
  }

  const RequestObservers& observers_;
  const std::string method_;
  const registry::PrincipalPtr principal_;
  const RequestFacts facts_;
  const Clock::time_point began_ = Clock::now();
};

}  // namespace

void observe(Request& request, const RequestObservers& observers) {
  request.exchange.watch(std::make_unique<ObservedRequest>(request, observers));
}

void tell_denied(const DeniedRequest& request, const RequestObservers& observers) {
  DeniedRequest shown = request;
  shown.path = shown.path.substr(0, kShownBytesMax);
  tell_all(observers, [&](RequestObserver& observer) { observer.on_request_denied(shown); });
}

}  // namespace collet::protocol
