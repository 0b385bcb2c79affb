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

constexpr std::size_t kMethodBytesMax = 128;  // MCP's are shorter; a client's may be as long as a message

class ObservedRequest final : public rpc::ExchangeWatch {
 public:
  ObservedRequest(const Request& request, const std::vector<RequestObserver*>& observers)
      : observers_(observers),
        method_(request.message.method.substr(0, kMethodBytesMax)),
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

  // The request goes on, whatever becomes of an observer.
  template <class Tell>
  void tell(Tell&& tell_one) const {
    for (RequestObserver* observer : observers_) {
      try {
        tell_one(*observer);
      } catch (const std::bad_alloc&) {
        log::error("out of memory: an observer has missed a request");
      }
    }
  }

  const std::vector<RequestObserver*>& observers_;
  const std::string method_;
  const registry::PrincipalPtr principal_;
  const RequestFacts facts_;
  const Clock::time_point began_ = Clock::now();
};

}  // namespace

void observe(Request& request, const std::vector<RequestObserver*>& observers) {
  request.exchange.watch(std::make_unique<ObservedRequest>(request, observers));
}

}  // namespace collet::protocol
