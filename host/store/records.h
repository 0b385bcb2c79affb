// Records: bytes under a key, in a space of names that its owner has for itself. They outlive whoever has put them there.
//
// A record has a version, which no other record of its space has ever had, nor will have: who puts or removes one can ask that it
// be the one that was read. It may have an end, by the wall clock; from then on it is not there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "store/store.h"

namespace collet::store {

class Records {
 public:
  // What must be there for something to be done: a record of this version, or, if it is 0, none. Nothing: whatever is there.
  using Expected = std::optional<std::uint64_t>;

  struct Put {
    std::string key;
    std::string value;
    Expected expected = {};
    std::uint64_t ttl_ms = 0;  // from now to its end; 0: it has none
  };
  struct List {
    std::string prefix;
    std::optional<std::string> after = {};  // only keys behind this one
    std::uint32_t keys_max = 0;             // of the page; 0: as many as one may have
  };

  enum class Status : std::uint8_t {
    done,
    unexpected,  // what is there is not what was expected; nothing has changed
    full,        // the space has no room for it; nothing has changed
    failed,      // the store could not do it, and has said why in the log; what was to change may have changed nevertheless
  };
  struct Answer {
    Status status = Status::done;
    // Of get() what is there, of put() what is there now, of remove() what was there; if it is unexpected, what is there. 0: none.
    std::uint64_t version = 0;
    Bytes value = {};  // of get(); null: there is none
  };
  struct Page {
    struct Key {
      std::string key;
      std::uint64_t version = 0;
    };
    Status status = Status::done;
    std::vector<Key> keys = {};  // in the order of their bytes
    bool more = false;           // there are further ones, behind the last
  };
  using Answered = Callback<void(Answer)>;
  using Listed = Callback<void(Page)>;

  virtual ~Records() = default;

  // [any] Each calls back once: on any thread, perhaps before it returns, and without a lock. What one thread asks takes effect in the
  // order in which it asks.
  virtual void get(const std::string& space, const std::string& key, Answered then) = 0;
  virtual void put(const std::string& space, Put put, Answered then) = 0;
  virtual void remove(const std::string& space, const std::string& key, Expected expected, Answered then) = 0;
  virtual void list(const std::string& space, const List& list, Listed then) = 0;
};

}  // namespace collet::store
