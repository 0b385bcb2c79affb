// A pipe: what is written to its end can be read when that is closed, or has that much room.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "support/catch.h"

struct Pipe {
  int ends[2];
  Pipe() { REQUIRE(pipe2(ends, O_CLOEXEC) == 0); }
  std::string read_all() {
    std::string text(4096, '\0');
    const ssize_t count = read(ends[0], text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    close(ends[0]);
    return text;
  }
};
