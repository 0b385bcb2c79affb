// Who calls, as all of the house knows it: of each call, session, task, subscription and sealed state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "registry/item.h"
#include "registry/view.h"

namespace collet::registry {

struct Principal {
  enum class Kind : std::uint8_t {
    anybody,  // nobody was asked for anything
    token,    // who has a bearer token
    local,    // who has started this process: the command line, the other end of the standard streams
    plugin,   // a plugin of its own accord
  };

  std::string id;  // what is one principal's is another's never; empty: nobody in particular
  Kind kind = Kind::anybody;
  std::string tenant;  // whose principal it is, where one server has those of several; or empty
  std::vector<std::string> scopes;
  std::string source;  // where it is known from: "server.token"
  ViewPtr view;        // what it sees; null: all there is
};

// PrincipalPtr (item.h) is shared by whatever is the principal's; null: nobody in particular, who sees everything. Any thread.

// Of one that may be null.
inline const std::string& id_of(const PrincipalPtr& principal) {
  static const std::string nobody;
  return principal ? principal->id : nobody;
}
inline const View* view_of(const PrincipalPtr& principal) { return principal ? principal->view.get() : nullptr; }

}  // namespace collet::registry
