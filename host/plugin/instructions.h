// The extension collet.instructions/1: what a generation's plugin tells clients.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "collet/plugin.h"

namespace collet::plugin {

// Any thread.
class Instructions {
 public:
  void set(std::string_view text);
  std::string text() const;

 private:
  mutable std::mutex mutex_;
  std::string text_;  // guarded by it
};

std::int32_t set_instructions(const collet_host* host, const char* text, std::size_t text_size);

}  // namespace collet::plugin
