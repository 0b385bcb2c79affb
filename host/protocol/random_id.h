// Ids that nobody can guess: who knows one speaks for what it names.
#pragma once

#include <string>

namespace collet::protocol {

// 128 random bits as 32 hexadecimal digits.
std::string random_id();

}  // namespace collet::protocol
