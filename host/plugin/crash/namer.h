// What code is called, found in ELF files by a process that does nothing else: what a file does to that one it cannot do to
// the host.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace collet::plugin::crash {

// The verb under which the host's executable runs namer_main().
inline constexpr const char* kNamerVerb = "__names";

struct CodePlace {
  std::string file;  // empty: none
  std::uint64_t offset = 0;
};
struct CodeName {
  std::string function;    // empty: not known
  std::uint64_t past = 0;  // bytes from its beginning
  std::string source;      // "add.c:7", or empty
};

// Runs `executable __names`. One for each place, in order; blocks, for some seconds at most.
std::vector<CodeName> find_names(const std::string& executable, const std::vector<CodePlace>& places);

// That process. `confine` is called when all files are open, before one is read.
[[noreturn]] void namer_main(const std::function<void()>& confine = {});

}  // namespace collet::plugin::crash
