// Who can change a plugin's file: its code runs with our rights.
#pragma once

#include <string>

#include "base/result.h"

namespace collet::plugin {

// A failure says which file or folder somebody else than this user and root can write: the file, and the folder that it
// lies in, also of what a link leads to. What is not there is no failure.
Result<void> check_writers(const std::string& library);

}  // namespace collet::plugin
