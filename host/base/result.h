// Result<T>: a value, or an Error that says what was attempted, on what, and why it failed.
#pragma once

#include <fmt/core.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace collet {

// An expected failure, in words that a user can act on.
struct Error {
  std::string message;
};

// error("cannot open {}: {}", path, cause)
template <class... Args>
[[nodiscard]] Error error(fmt::format_string<Args...> format, Args&&... args) {
  return Error{fmt::format(format, std::forward<Args>(args)...)};
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    COLLET_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    COLLET_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && { return std::move(value()); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& failure() const {
    COLLET_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }
  const std::string& message() const { return failure().message; }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error failure) : failure_(std::move(failure)) {}

  bool ok() const { return !failure_; }
  explicit operator bool() const { return ok(); }

  const Error& failure() const {
    COLLET_ASSERT(failure_);
    return *failure_;
  }
  const std::string& message() const { return failure().message; }

 private:
  std::optional<Error> failure_;
};

}  // namespace collet
