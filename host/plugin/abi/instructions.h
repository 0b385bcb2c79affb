// The extension collet.instructions/1: what a generation's plugin tells clients.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "collet/plugin.h"

namespace collet::plugin {

// Any thread.
class Instructions {
 public:
  // `heard` is told of each text that is set, one at a time.
  explicit Instructions(std::function<void(std::string_view text)> heard = {}) : heard_(std::move(heard)) {}

  void set(std::string_view text);
  std::string text() const;

 private:
  const std::function<void(std::string_view)> heard_;
  mutable std::mutex mutex_;
  std::string text_;  // guarded by it
};

std::int32_t set_instructions(const collet_host* host, const char* text, std::size_t text_size);

}  // namespace collet::plugin
