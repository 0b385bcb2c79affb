// What a record says, in words for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/crash/record.h"

namespace collet::plugin::crash {

// The library of a plugin, which was loaded from a copy. What is not known is empty.
struct LoadedLibrary {
  std::string original = {};
  std::string copy = {};
  std::string view = {};  // the root of what the copy lies in, see load/folder_view.h; or the copy
  std::int32_t process = 0;  // whose folder of copies it lies in, see load/private_dir.h
};

// Lines: "crashed with SIGSEGV (Segmentation fault) at address 0x8 in its call() of the tool \"add\", call 7", and, from the
// inside on, "  #0 add+0x12 at add.c:7 in /opt/libadd.so". Runs `executable` to find out names, as namer.h says; for
// some seconds at most.
std::vector<std::string> describe(const Record& record, const LoadedLibrary& library, const std::string& executable);

}  // namespace collet::plugin::crash
