// Asks a running server something through its admin socket (service/admin.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace collet::cli {

// What to do when the server has said nothing for a while.
enum class AtSilence : std::uint8_t {
  give_up,  // it answers such a request at once
  probe,    // it may be at work: give up if it does not answer another request either
};

// The answer to `request`. Nothing if no server is there; an error if it is silent for `silence_ms`.
std::optional<Result<std::string>> ask_server(const std::string& path, const std::string& request,
                                              std::uint64_t silence_ms, AtSilence at_silence = AtSilence::give_up);

}  // namespace collet::cli
