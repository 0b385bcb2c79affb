// The client's one thread: a libuv loop with a way in for other threads.
#pragma once

#include <collet/kit/loop.hpp>

namespace collet::client {
using kit::Loop;
using kit::Task;
using kit::Timer;
}
