// Who is to be told when something has been appended to a stream.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "store/streams.h"

namespace collet::store {

// Any thread.
class Watchers {
 public:
  // As Streams has them.
  std::uint64_t watch(const StreamName& name, std::function<void()> appended);
  void unwatch(const StreamName& name, std::uint64_t watch);

  // Calls each watcher of that stream, without a lock.
  void tell(const StreamName& name) const;
  // Watches that are open, of all streams.
  std::size_t count() const;

 private:
  using Told = std::shared_ptr<const std::function<void()>>;  // shared with whoever is just calling it

  std::vector<Told> watchers_of(const StreamName& name) const;

  mutable std::mutex mutex_;  // guards both below
  std::map<StreamName, std::map<std::uint64_t, Told>> watchers_;
  std::uint64_t last_watch_ = 0;
};

}  // namespace collet::store
