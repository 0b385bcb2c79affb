// The file of server.state_key_file.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "registry/sealed_state.h"

namespace collet::service {

// Lines of 64 hexadecimal digits, 1 to limits::kStateKeysMax of them, in a file that nobody but its owner may read; blank lines and
// those that begin with # are none. No file: no keys.
Result<std::vector<registry::StateSealer::Key>> read_state_keys(const std::string& file);

}  // namespace collet::service
