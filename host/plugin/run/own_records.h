// The records that a plugin keeps with its host (collet.store.draft/1).
#pragma once

#include <string>
#include <variant>

#include "plugin/run/asking.h"
#include "store/records.h"

namespace collet::plugin {

struct RecordGet {
  std::string key;
};
struct RecordRemove {
  std::string key;
  store::Records::Expected expected = {};
};
using RecordOrder = std::variant<RecordGet, store::Records::Put, RecordRemove, store::Records::List>;

inline std::size_t size_of(const RecordOrder& order) {
  const auto* put = std::get_if<store::Records::Put>(&order);
  return put ? put->key.size() + put->value.size() : 0;  // the others are small
}

// See collet_stored and collet_keys.
struct RecordAnswer {
  std::int32_t status = COLLET_OK;
  std::uint64_t version = 0;
  store::Bytes value = {};          // null: there is none
  store::Records::Page page = {};  // of a list
};

class OwnRecords : public Asking<RecordOrder, RecordAnswer> {
 public:
  using Asking::Asking;
};

}  // namespace collet::plugin
