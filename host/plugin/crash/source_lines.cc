#include "plugin/crash/source_lines.h"

#include <dlfcn.h>
#include <elfutils/libdw.h>
#include <fmt/core.h>

#include <string_view>

namespace collet::plugin::crash {

// Its functions that are used, under their names without "dwarf_".
struct SourceLines::Libdw {
  void* const library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
  const decltype(&::dwarf_begin) begin = find<decltype(&::dwarf_begin)>("dwarf_begin");
  const decltype(&::dwarf_end) end = find<decltype(&::dwarf_end)>("dwarf_end");
  const decltype(&::dwarf_addrdie) addrdie = find<decltype(&::dwarf_addrdie)>("dwarf_addrdie");
  const decltype(&::dwarf_get_units) get_units = find<decltype(&::dwarf_get_units)>("dwarf_get_units");
  const decltype(&::dwarf_haspc) haspc = find<decltype(&::dwarf_haspc)>("dwarf_haspc");
  const decltype(&::dwarf_getsrc_die) getsrc_die = find<decltype(&::dwarf_getsrc_die)>("dwarf_getsrc_die");
  const decltype(&::dwarf_linesrc) linesrc = find<decltype(&::dwarf_linesrc)>("dwarf_linesrc");
  const decltype(&::dwarf_lineno) lineno = find<decltype(&::dwarf_lineno)>("dwarf_lineno");

  bool complete() const {
    return begin && end && addrdie && get_units && haspc && getsrc_die && linesrc && lineno;
  }

  template <class Function>
  Function find(const char* name) const {
    return library ? reinterpret_cast<Function>(dlsym(library, name)) : nullptr;
  }

  // The unit that the address is in. Not every compiler writes an index of addresses.
  bool find_unit(Dwarf* dwarf, Dwarf_Addr address, Dwarf_Die& unit) const {
    if (addrdie(dwarf, address, &unit)) return true;
    for (Dwarf_CU* at = nullptr; get_units(dwarf, at, &at, nullptr, nullptr, &unit, nullptr) == 0;) {
      if (haspc(&unit, address) > 0) return true;
    }
    return false;
  }
};

SourceLines::SourceLines() : libdw_([]() -> const Libdw* {
  static const Libdw libdw;
  return libdw.complete() ? &libdw : nullptr;
}()) {}

SourceLines::~SourceLines() {
  for (const auto& [file, dwarf] : files_) {
    if (dwarf) libdw_->end(dwarf);
  }
}

std::string SourceLines::line_of(int file, std::uint64_t address) {
  if (!libdw_) return {};
  const auto [at, is_new] = files_.try_emplace(file, nullptr);
  if (is_new) at->second = libdw_->begin(file, DWARF_C_READ);
  Dwarf_Die unit;
  if (!at->second || !libdw_->find_unit(at->second, address, unit)) return {};
  Dwarf_Line* const line = libdw_->getsrc_die(&unit, address);
  const char* const source = line ? libdw_->linesrc(line, nullptr, nullptr) : nullptr;
  int number = 0;
  if (!source || libdw_->lineno(line, &number) != 0) return {};
  const std::string_view path = source;
  return fmt::format("{}:{}", path.substr(path.rfind('/') + 1), number);
}

}  // namespace collet::plugin::crash
