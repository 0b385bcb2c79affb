// What a worker answers to its order to open: which plugin it has, or why it has none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "worker/talk/frame.h"

namespace collet::worker {

// The texts are borrowed.
struct Opened {
  std::optional<std::string_view> failed;  // why; then nothing else says anything, but perhaps `info`
  std::string_view id;
  std::string_view version;
  std::string_view info;
  std::uint32_t flags = 0;          // of the plugin's table
  std::uint32_t state_version = 0;  // with kSavesState
  std::uint8_t offered = 0;         // of Offered
  std::string_view item_problem;    // why the last item was refused, or empty
  std::string_view unenforced;      // what the system could not be brought to enforce, in words, or empty
};

void append(std::string& out, const Opened& opened);
// Nothing if it is none. The texts are those of the body.
std::optional<Opened> read_opened(std::string_view body);

}  // namespace collet::worker
