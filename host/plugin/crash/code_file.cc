#include "plugin/crash/code_file.h"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace collet::plugin::crash {
namespace {

using Header = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);

// As its author has written it.
std::string demangled(const char* name) {
  int failed = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &failed), std::free);
  return failed == 0 && text ? std::string(text.get()) : std::string(name);
}

// Whoever has crashed may name anything, also what does something when it is opened, such as a device: that is looked at first.
Descriptor open_regular(const std::string& path) {
  const Descriptor place(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat about;
  if (!place || fstat(place.get(), &about) != 0 || !S_ISREG(about.st_mode)) return {};
  return Descriptor(open(fmt::format("/proc/self/fd/{}", place.get()).c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

CodeFile::CodeFile(const std::string& path) : file_(open_regular(path)) {
  struct stat about;
  if (!file_ || fstat(file_.get(), &about) != 0) return;
  const auto size = static_cast<std::uint64_t>(about.st_size);
  void* at = size > 0 ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file_.get(), 0) : MAP_FAILED;
  if (at == MAP_FAILED) {  // such as what the kernel makes up when it is read
    file_ = Descriptor();
    return;
  }
  bytes_ = static_cast<const std::byte*>(at);
  size_ = size;
}

CodeFile::~CodeFile() {
  if (bytes_) munmap(const_cast<std::byte*>(bytes_), size_);
}

template <class Entry>
const Entry* CodeFile::entries(std::uint64_t offset, std::uint64_t count) const {
  if (offset > size_ || count > (size_ - offset) / sizeof(Entry) || offset % alignof(Entry) != 0) return nullptr;
  return reinterpret_cast<const Entry*>(bytes_ + offset);
}

CodeName CodeFile::name_at(std::uint64_t address) const {
  CodeName name;
  const auto* header = entries<Header>(0, 1);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_shentsize != sizeof(Section)) return name;
  const auto* sections = entries<Section>(header->e_shoff, header->e_shnum);
  if (!sections) return name;
  const char* best = nullptr;
  for (unsigned i = 0; i < header->e_shnum; ++i) {
    const Section& table = sections[i];
    if ((table.sh_type != SHT_SYMTAB && table.sh_type != SHT_DYNSYM) || table.sh_link >= header->e_shnum) continue;
    const Section& strings = sections[table.sh_link];
    const std::uint64_t count = table.sh_size / sizeof(Symbol);
    const auto* symbols = entries<Symbol>(table.sh_offset, count);
    const auto* texts = entries<char>(strings.sh_offset, strings.sh_size);
    if (!symbols || !texts || strings.sh_size == 0 || texts[strings.sh_size - 1] != '\0') continue;
    for (const Symbol* symbol = symbols; symbol != symbols + count; ++symbol) {
      const unsigned type = symbol->st_info & 0xf;
      if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol->st_shndx == SHN_UNDEF) continue;
      if (symbol->st_name >= strings.sh_size) continue;
      if (address < symbol->st_value || address - symbol->st_value >= symbol->st_size) continue;
      best = texts + symbol->st_name;
      name.past = address - symbol->st_value;
    }
    if (best && table.sh_type == SHT_SYMTAB) break;  // which has the others' names, too
  }
  if (best) name.function = demangled(best);
  return name;
}

}  // namespace collet::plugin::crash
