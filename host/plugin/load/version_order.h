// The order of versions such as "2.34".
#pragma once

#include <string_view>

namespace collet::plugin {

// "2.34" against "2.4": by numbers, not by letters. Every version is later than none, which is empty.
bool is_later(std::string_view a, std::string_view b);

}  // namespace collet::plugin
