#include "plugin/run/host_records.h"

namespace collet::plugin {
namespace {

using store::Records;

RecordAnswer told(Records::Answer answer) {
  const std::int32_t status = answer.status == Records::Status::done         ? COLLET_OK
                              : answer.status == Records::Status::unexpected ? COLLET_E_STALE
                                                                             : COLLET_E_LIMIT;
  return {.status = status, .version = answer.version, .value = std::move(answer.value)};
}

// What is to be done with each kind of order.
template <class... Cases>
struct Each : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Each(Cases...) -> Each<Cases...>;

}  // namespace

void HostRecords::start(std::uint64_t id, RecordOrder order) {
  const auto answered = [tell = teller(id)](Records::Answer answer) { tell(told(std::move(answer))); };
  std::visit(Each{[&](RecordGet& get) { records_.get(plugin_, get.key, answered); },
                  [&](Records::Put& put) { records_.put(plugin_, std::move(put), answered); },
                  [&](RecordRemove& remove) { records_.remove(plugin_, remove.key, remove.expected, answered); },
                  [&](Records::List& list) {
                    records_.list(plugin_, list, [tell = teller(id)](Records::Page page) { tell({.page = std::move(page)}); });
                  }},
             order);
}

}  // namespace collet::plugin
