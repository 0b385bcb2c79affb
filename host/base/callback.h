// Callback<R(Args...)>: a move-only std::function, for lambdas that own what they use.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "base/assert.h"

namespace collet {

template <class Signature>
class Callback;

// Small callables live inside, larger ones on the heap. Calling an empty one is a bug.
template <class R, class... Args>
class Callback<R(Args...)> {
 public:
  Callback() = default;
  Callback(std::nullptr_t) {}

  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Callback> && std::is_invocable_r_v<R, F&, Args...>)
      Callback(F&& callable) {
    using Target = std::decay_t<F>;
    if constexpr (fits<Target>()) {
      new (storage_) Target(std::forward<F>(callable));
    } else {
      *reinterpret_cast<Target**>(storage_) = new Target(std::forward<F>(callable));
    }
    table_ = &table_for<Target>;
  }

  Callback(Callback&& other) noexcept { take(other); }
  Callback& operator=(Callback&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~Callback() { reset(); }

  explicit operator bool() const { return table_ != nullptr; }

  R operator()(Args... args) {
    COLLET_ASSERT(table_);
    return table_->invoke(storage_, std::forward<Args>(args)...);
  }

 private:
  static constexpr std::size_t kInlineBytes = 48;

  struct Table {
    R (*invoke)(void*, Args&&...);
    void (*move)(void* from, void* to);
    void (*destroy)(void*);
  };

  template <class T>
  static constexpr bool fits() {
    return sizeof(T) <= kInlineBytes && alignof(T) <= alignof(std::max_align_t) &&
           std::is_nothrow_move_constructible_v<T>;
  }

  template <class T>
  static T& target(void* storage) {
    if constexpr (fits<T>()) {
      return *std::launder(reinterpret_cast<T*>(storage));
    } else {
      return **reinterpret_cast<T**>(storage);
    }
  }

  template <class T>
  static constexpr Table table_for = {
      [](void* storage, Args&&... args) -> R { return target<T>(storage)(std::forward<Args>(args)...); },
      [](void* from, void* to) {
        if constexpr (fits<T>()) {
          new (to) T(std::move(target<T>(from)));
          target<T>(from).~T();
        } else {
          *reinterpret_cast<T**>(to) = *reinterpret_cast<T**>(from);
        }
      },
      [](void* storage) {
        if constexpr (fits<T>()) {
          target<T>(storage).~T();
        } else {
          delete &target<T>(storage);
        }
      }};

  void take(Callback& other) {
    table_ = std::exchange(other.table_, nullptr);
    if (table_) table_->move(other.storage_, storage_);
  }

  void reset() {
    if (table_) std::exchange(table_, nullptr)->destroy(storage_);
  }

  const Table* table_ = nullptr;
  alignas(std::max_align_t) unsigned char storage_[kInlineBytes];
};

}  // namespace collet
