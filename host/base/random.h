// Bytes that nobody can guess. Not OpenSSL's, which reads its configuration first: a tenth of the time until the host serves.
#pragma once

#include <span>

namespace collet {

// From the kernel (getrandom(2)). Any thread; waits only while a machine that has just begun has none yet.
void fill_random(std::span<unsigned char> bytes);

}  // namespace collet
