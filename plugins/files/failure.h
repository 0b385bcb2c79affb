// Failure: what a tool answers instead of a result. The text says what was attempted, on what, why it failed, and
// what the caller can do about it.
#pragma once

#include <stdexcept>

namespace files {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace files
