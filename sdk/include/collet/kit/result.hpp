// Result<T>: a value, or an Error that says what was attempted, on what, and why it failed. For what goes through callbacks, where
// an exception would meet nobody, and for failures that are expected.
//
// Threads: as any value. To take from a Result what it does not have is a bug: it stops the process.
#ifndef COLLET_KIT_RESULT_HPP
#define COLLET_KIT_RESULT_HPP

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace collet::kit {

// An expected failure, in words that a user can act on. collet::Error is another thing: an exception.
struct Error {
  std::string message;
};

namespace detail {

[[noreturn]] inline void stop_at_failure(const Error& failure) {
  std::fprintf(stderr, "collet: bug: the value is used of what failed: %s\n", failure.message.c_str());
  std::abort();
}

[[noreturn]] inline void stop_at_success() {
  std::fputs("collet: bug: the failure is used of what did not fail\n", stderr);
  std::abort();
}

}  // namespace detail

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Only if ok().
  T& value() & {
    if (!ok()) detail::stop_at_failure(failure());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    if (!ok()) detail::stop_at_failure(failure());
    return *std::get_if<0>(&state_);
  }
  T&& value() && { return std::move(value()); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Only if not ok().
  const Error& failure() const {
    if (ok()) detail::stop_at_success();
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

  // Only if not ok().
  const Error& failure() const {
    if (ok()) detail::stop_at_success();
    return *failure_;
  }
  const std::string& message() const { return failure().message; }

 private:
  std::optional<Error> failure_;
};

}  // namespace collet::kit

#endif
