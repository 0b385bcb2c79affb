// Which lines of sources code comes from, as the DWARF sections of its ELF file say.
//
// elfutils' libdw reads them. It is not linked, but loaded by the one process that looks for names, as no other needs it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

struct Dwarf;

namespace collet::plugin::crash {

class SourceLines {
 public:
  // Loads libdw. Without it no line is known.
  SourceLines();
  ~SourceLines();
  SourceLines(const SourceLines&) = delete;
  SourceLines& operator=(const SourceLines&) = delete;

  // "add.c:7"; empty if that is not known. `file` is open until this is destroyed.
  std::string line_of(int file, std::uint64_t address);

 private:
  struct Libdw;

  const Libdw* libdw_;  // null: there is none
  std::map<int, Dwarf*> files_;
};

}  // namespace collet::plugin::crash
