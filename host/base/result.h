// Result<T>: a value, or an Error that says what was attempted, on what, and why it failed.
#pragma once

#include <fmt/core.h>

#include <utility>

#include "collet/kit/result.hpp"

namespace collet {

using kit::Error;
using kit::Result;

// error("cannot open {}: {}", path, cause)
template <class... Args>
[[nodiscard]] Error error(fmt::format_string<Args...> format, Args&&... args) {
  return Error{fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace collet
