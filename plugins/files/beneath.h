// Opening a file beneath a directory so that no path, link or rename leads out of it, not even one made meanwhile.
#pragma once

#include <string>

#include <collet/kit/descriptor.hpp>

namespace files {

using collet::kit::Descriptor;

enum class Links {
  inside,  // a symbolic link is followed if it is relative and stays beneath the directory
  refused,
};

// Opens `relative`, components joined by single '/', none of them "..", or "" for the directory itself. `flags` as
// for open(2), without O_CREAT. On failure an empty Descriptor, and errno says why: EXDEV if it leads outside.
Descriptor open_beneath(int directory, const std::string& relative, int flags, Links links);

// The same without the help of openat2(2), for kernels that lack it. Refuses every symbolic link.
Descriptor open_beneath_stepwise(int directory, const std::string& relative, int flags);

}  // namespace files
