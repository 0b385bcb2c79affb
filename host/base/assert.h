// COLLET_ASSERT: a bug of ours stops the process, in release builds too. Never for what a peer, a plugin or a
// file can cause.
#pragma once

namespace collet {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

#define COLLET_ASSERT(condition) \
  (__builtin_expect(!!(condition), 1) ? (void)0 : ::collet::assertion_failed(#condition, __FILE__, __LINE__))
