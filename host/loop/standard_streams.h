// Puts the standard streams out of the plugins' reach, before any library is loaded.
#pragma once

namespace collet::loop {

// The real descriptors of stdin and stdout, which nobody inherits. Descriptor 0 reads nothing from now on and 1
// writes to stderr, so that a library that prints cannot forge or break a protocol stream.
struct StandardStreams {
  int in;
  int out;
};
StandardStreams take_standard_streams();

// Opens /dev/null for those of 0, 1 and 2 that are closed, so that no socket of ours gets one of these numbers.
// Writing to a stdout that was closed goes on to be an error.
void fill_standard_descriptors();

}  // namespace collet::loop
