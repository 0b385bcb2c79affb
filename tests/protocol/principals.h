// Principals for tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "registry/principal.h"

namespace collet::test {

// Null, as nobody in particular is, if `id` is empty.
inline registry::PrincipalPtr named(std::string_view id, registry::ViewRules rules = {}) {
  if (id.empty()) return nullptr;
  registry::Principal principal{.id = std::string(id), .kind = registry::Principal::Kind::token};
  if (rules != registry::ViewRules()) principal.view = std::make_shared<registry::View>(rules);
  return std::make_shared<registry::Principal>(std::move(principal));
}

}  // namespace collet::test
