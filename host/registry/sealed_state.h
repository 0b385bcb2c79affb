// What a suspended call leaves with whoever called, a modern client for example: sealed, so that it can be neither read nor
// altered, and bound to the request, the item and the principal it was made for (2026-07-28, basic/patterns/mrtr).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace collet::registry {

// What a state is good for, and nothing else.
struct StateBinding {
  std::string_view method;
  std::string_view item;       // its final name, or the URI that is read
  std::string_view source;     // the plugin's id
  std::string_view arguments;  // JSON text, written anew from the values
  std::string_view principal;
};

struct SuspendedState {
  std::uint32_t round = 0;  // that was suspended
  std::uint32_t version = 0;
  std::string state;
  std::string questions = {};  // that are not answered yet: JSON object's text, key → request
  std::string answers = {};    // that have been given: likewise, key → answer
};

// AES-256-GCM. Any thread.
class StateSealer {
 public:
  using Key = std::array<unsigned char, 32>;

  // The first key seals, and each opens: servers that share them go on with each other's calls, and a new key is put before the
  // one that it replaces. Without any there is one of this object's own.
  explicit StateSealer(std::vector<Key> keys = {});

  // Base64. Good until `expires_ms`, as wall_ms() counts.
  std::string seal(const SuspendedState& suspended, const StateBinding& binding, std::uint64_t expires_ms) const;
  // Nothing if it was not sealed with one of the keys, for this, or has expired.
  std::optional<SuspendedState> open(std::string_view sealed, const StateBinding& binding,
                                     std::uint64_t now_ms) const;

 private:
  std::vector<Key> keys_;
};

}  // namespace collet::registry
