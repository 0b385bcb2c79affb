// What of a plugin the calling thread runs, for whoever has to say where it ended.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

namespace collet::plugin::crash {

inline constexpr std::string_view kInLoading = "its library's constructors or its entry function";
inline constexpr std::string_view kInCreate = "its create()";
inline constexpr std::string_view kInDestroy = "its destroy()";
inline constexpr std::string_view kInUnloading = "its library's destructors";

// What of it: texts that live for ever, but for the item's name.
struct Within {
  std::string_view function = {};  // "its call()"; empty: any of its code
  std::string_view kind = {};      // "tool"
  std::string_view item = {};
  std::uint64_t call = 0;  // as the plugin knows it
};

// While this lives the calling thread is there. On the way of every call: it allocates nothing.
class Place {
 public:
  // `plugin` is borrowed.
  Place(std::string_view plugin, const Within& within)
      : before_(std::exchange(current_, this)),
        plugin_(plugin),
        function_(within.function),
        kind_(within.kind),
        call_(within.call),
        item_size_(static_cast<std::uint32_t>(std::min(within.item.size(), sizeof item_))) {
    within.item.copy(item_, item_size_);  // the name may be gone as soon as the call has ended
  }
  ~Place() { current_ = before_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // The innermost one of the calling thread, or null. Async-signal-safe.
  static const Place* current() { return current_; }

  std::string_view plugin() const { return plugin_; }  // empty: none
  std::string_view function() const { return function_; }
  std::string_view kind() const { return kind_; }
  std::string_view item() const { return {item_, item_size_}; }
  std::uint64_t call() const { return call_; }

 private:
  static inline constinit thread_local const Place* current_ = nullptr;

  const Place* const before_;
  const std::string_view plugin_;
  const std::string_view function_;
  const std::string_view kind_;
  const std::uint64_t call_;
  const std::uint32_t item_size_;
  char item_[60];
};

}  // namespace collet::plugin::crash
