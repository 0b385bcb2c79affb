// What a host keeps for plugins: records and streams, in its memory or in a file.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/records.h"
#include "store/streams.h"

namespace collet::store {

class Store {
 public:
  virtual ~Store() = default;
  virtual Records& records() = 0;
  virtual Streams& streams() = 0;
  // Whether it outlives this process.
  virtual bool lasts() const = 0;
};

std::unique_ptr<Store> memory_store();
// No file: in memory, which cannot fail.
Result<std::unique_ptr<Store>> open_store(const std::string& file);

}  // namespace collet::store
