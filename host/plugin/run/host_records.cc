#include "plugin/run/host_records.h"

namespace collet::plugin {
namespace {

using store::Records;

std::int32_t record_status(Records::Status status) {
  switch (status) {
    case Records::Status::done:
      return COLLET_OK;
    case Records::Status::unexpected:
      return COLLET_E_STALE;
    case Records::Status::full:
      return COLLET_E_LIMIT;
    case Records::Status::failed:
      break;
  }
  return COLLET_E_INTERNAL;
}

RecordAnswer told(Records::Answer answer) {
  return {.status = record_status(answer.status), .version = answer.version, .value = std::move(answer.value)};
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
                    records_.list(plugin_, list, [tell = teller(id)](Records::Page page) {
                      tell({.status = record_status(page.status), .page = std::move(page)});
                    });
                  }},
             order);
}

}  // namespace collet::plugin
