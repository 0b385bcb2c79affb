#include "plugin/load/version_order.h"

namespace collet::plugin {

bool is_later(std::string_view a, std::string_view b) {
  const auto next = [](std::string_view& text) {
    unsigned number = 0;
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
      number = number * 10 + static_cast<unsigned>(text[0] - '0');
      text.remove_prefix(1);
    }
    if (!text.empty()) text.remove_prefix(1);
    return number;
  };
  while (!a.empty() || !b.empty()) {
    const unsigned x = next(a);
    const unsigned y = next(b);
    if (x != y) return x > y;
  }
  return false;
}

}  // namespace collet::plugin
