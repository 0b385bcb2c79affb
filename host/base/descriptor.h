// A file descriptor that closes itself.
#pragma once

#include "collet/kit/descriptor.hpp"

namespace collet {
using kit::Descriptor;
}
