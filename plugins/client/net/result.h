// Result<T> of the client plugin. Its work goes through callbacks on one thread, where an exception would meet nobody. collet::Error
// is the exception of the SDK.
#pragma once

#include <collet/kit/result.hpp>

namespace collet::client {
using kit::Error;
using kit::Result;
}
