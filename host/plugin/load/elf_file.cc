#include "plugin/load/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/descriptor.h"
#include "base/limits.h"
#include "collet/plugin.h"
#include "plugin/load/version_order.h"

namespace collet::plugin {
namespace {

#if defined(__x86_64__)
constexpr unsigned kHostMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kHostMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr unsigned kHostMachine = EM_RISCV;
#else
#error "name this machine's ELF number"
#endif

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_386:
      return "x86";
    case EM_AARCH64:
      return "aarch64";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return fmt::format("machine {}", machine);
  }
}

// The bytes of a file, read only within its bounds.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> file) : file_(file) {}

  std::uint64_t size() const { return file_.size(); }
  bool has(std::uint64_t offset, std::uint64_t size) const {
    return offset <= file_.size() && size <= file_.size() - offset;
  }
  template <class T>
  std::optional<T> at(std::uint64_t offset) const {
    if (!has(offset, sizeof(T))) return std::nullopt;
    T value;
    std::memcpy(&value, file_.data() + offset, sizeof value);
    return value;
  }
  // Up to the next NUL; nothing if there is none before `end`, or if it is too long for a name.
  std::optional<std::string_view> text(std::uint64_t offset, std::uint64_t end) const {
    end = std::min({end, size(), offset + limits::kElfNameBytesMax});
    if (offset >= end) return std::nullopt;
    const auto* start = reinterpret_cast<const char*>(file_.data()) + offset;
    const void* nul = std::memchr(start, 0, end - offset);
    if (!nul) return std::nullopt;
    return std::string_view(start, static_cast<std::size_t>(static_cast<const char*>(nul) - start));
  }

 private:
  std::span<const std::byte> file_;
};

// Of a file in PE format that says it is a library (Microsoft, PE Format: Signature, Characteristics).
bool is_windows_library(const Bytes& bytes) {
  constexpr std::uint64_t kHeaderPlace = 0x3c, kCharacteristics = 22;
  constexpr std::uint16_t kIsLibrary = 0x2000;
  const auto header = bytes.at<std::uint32_t>(kHeaderPlace);
  const auto dos = bytes.at<std::array<char, 2>>(0);
  if (!header || !dos || std::string_view(dos->data(), 2) != "MZ") return false;
  const auto pe = bytes.at<std::array<char, 4>>(*header);
  const auto characteristics = bytes.at<std::uint16_t>(*header + kCharacteristics);
  return pe && characteristics && std::string_view(pe->data(), 4) == std::string_view("PE\0\0", 4) && (*characteristics & kIsLibrary);
}

// What the dynamic section points at, as offsets in the file.
struct Dynamic {
  std::uint64_t strings = 0;
  std::uint64_t strings_end = 0;
  std::optional<std::uint64_t> symbols;
  std::optional<std::uint64_t> hash;
  std::optional<std::uint64_t> gnu_hash;
  std::optional<std::uint64_t> needed_versions;
  std::uint64_t needed_version_count = 0;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> file) : bytes_(file) { report_.bytes = file.size(); }

  Result<ElfReport> read() {
    const auto ident = bytes_.at<std::array<unsigned char, EI_NIDENT>>(0);
    if (!ident || std::memcmp(ident->data(), ELFMAG, SELFMAG) != 0) {
      return is_windows_library(bytes_) ? error("it is a Windows library; this host loads ELF libraries")
                                        : error("it is not an ELF file");
    }
    report_.bits = (*ident)[EI_CLASS] == ELFCLASS64 ? 64 : 32;
    if (const auto machine = bytes_.at<Elf64_Half>(offsetof(Elf64_Ehdr, e_machine))) {
      report_.machine = machine_name(*machine);
      if (report_.bits != 64 || (*ident)[EI_DATA] != ELFDATA2LSB || *machine != kHostMachine) {
        report_.errors.push_back(fmt::format("it is built for {}, {} bits; this host is {}, 64 bits",
                                             report_.machine, report_.bits, machine_name(kHostMachine)));
        return std::move(report_);
      }
    }
    header_ = bytes_.at<Elf64_Ehdr>(0);
    if (!header_) return error("it is cut off inside its header");
    if (header_->e_type != ET_DYN) return error("it is an ELF file, but no shared library");
    if (auto read = read_segments(); !read) return read.failure();
    if (auto read = read_dynamic(); !read) return read.failure();
    if (auto read = read_symbols(); !read) return read.failure();
    if (auto read = read_versions(); !read) return read.failure();
    judge();
    return std::move(report_);
  }

 private:
  std::optional<Elf64_Phdr> segment(unsigned i) const {
    std::uint64_t offset = 0;
    if (__builtin_add_overflow(header_->e_phoff, std::uint64_t{i} * sizeof(Elf64_Phdr), &offset)) return {};
    return bytes_.at<Elf64_Phdr>(offset);
  }

  Result<void> read_segments() {
    if (header_->e_phentsize != sizeof(Elf64_Phdr)) return error("its program headers have a wrong size");
    for (unsigned i = 0; i < header_->e_phnum; ++i) {
      const auto part = segment(i);
      if (!part) return error("it is cut off inside its program headers");
      if (part->p_type != PT_LOAD && part->p_type != PT_DYNAMIC) continue;
      if (!bytes_.has(part->p_offset, part->p_filesz)) {
        return error("it is cut off: a segment ends behind the end of the file");
      }
      if (part->p_type == PT_DYNAMIC) dynamic_ = *part;
    }
    // Nothing here is needed from the sections, but their table stands last: a file still being written lacks it.
    if (header_->e_shoff != 0 &&
        !bytes_.has(header_->e_shoff, std::uint64_t{header_->e_shnum} * sizeof(Elf64_Shdr))) {
      return error("it is cut off: its section headers end behind the end of the file");
    }
    if (!dynamic_) return error("it has no dynamic section");
    return {};
  }

  // Where in the file the byte at this address lies.
  std::optional<std::uint64_t> offset_of(std::uint64_t address) const {
    for (unsigned i = 0; i < header_->e_phnum; ++i) {
      const auto part = segment(i);
      if (part->p_type == PT_LOAD && address >= part->p_vaddr && address - part->p_vaddr < part->p_filesz) {
        return part->p_offset + (address - part->p_vaddr);
      }
    }
    return std::nullopt;
  }

  Result<void> read_dynamic() {
    std::vector<Elf64_Dyn> entries;
    std::uint64_t strings_size = 0;
    for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic_->p_filesz; at += sizeof(Elf64_Dyn)) {
      const Elf64_Dyn entry = *bytes_.at<Elf64_Dyn>(dynamic_->p_offset + at);
      if (entry.d_tag == DT_NULL) break;
      if (entries.size() >= limits::kElfNamesMax) return error("its dynamic section has no end");
      entries.push_back(entry);
      const std::uint64_t value = entry.d_un.d_val;
      switch (entry.d_tag) {
        case DT_STRTAB:
          if (const auto offset = offset_of(value)) tables_.strings = *offset;
          break;
        case DT_STRSZ:
          strings_size = value;
          break;
        case DT_SYMTAB:
          tables_.symbols = offset_of(value);
          break;
        case DT_HASH:
          tables_.hash = offset_of(value);
          break;
        case DT_GNU_HASH:
          tables_.gnu_hash = offset_of(value);
          break;
        case DT_VERNEED:
          tables_.needed_versions = offset_of(value);
          break;
        case DT_VERNEEDNUM:
          tables_.needed_version_count = value;
          break;
        case DT_FLAGS:
          report_.static_tls = (value & DF_STATIC_TLS) != 0;
          break;
        case DT_FLAGS_1:
          report_.nodelete = (value & DF_1_NODELETE) != 0;
          break;
        default:
          break;
      }
    }
    if (tables_.strings == 0 || !tables_.symbols || !bytes_.has(tables_.strings, strings_size)) {
      return error("its symbol or string table is missing or lies outside the file");
    }
    tables_.strings_end = tables_.strings + strings_size;
    for (const Elf64_Dyn& entry : entries) read_dynamic_text(entry);
    return {};
  }

  void read_dynamic_text(const Elf64_Dyn& entry) {
    const auto name = text(entry.d_un.d_val);
    if (!name) return;
    switch (entry.d_tag) {
      case DT_NEEDED:
        report_.needed.emplace_back(*name);
        break;
      case DT_SONAME:
        report_.soname = *name;
        break;
      case DT_RPATH:
        report_.rpath = *name;
        break;
      case DT_RUNPATH:
        report_.runpath = *name;
        break;
      default:
        break;
    }
  }

  std::optional<std::string_view> text(std::uint64_t index) const {
    std::uint64_t offset = 0;
    if (__builtin_add_overflow(tables_.strings, index, &offset)) return std::nullopt;
    return bytes_.text(offset, tables_.strings_end);
  }

  // The loader never needs the number of symbols; the hash tables tell it.
  std::optional<std::uint64_t> symbol_count() const {
    if (tables_.hash) {
      const auto chains = bytes_.at<std::uint32_t>(*tables_.hash + 4);
      return chains ? std::optional<std::uint64_t>(*chains) : std::nullopt;
    }
    if (!tables_.gnu_hash) return std::nullopt;
    const auto header = bytes_.at<std::array<std::uint32_t, 4>>(*tables_.gnu_hash);
    if (!header) return std::nullopt;
    const auto [buckets, first, bloom, shift] = *header;
    const std::uint64_t bucket_at = *tables_.gnu_hash + sizeof *header + std::uint64_t{bloom} * 8;
    const std::uint64_t chain_at = bucket_at + std::uint64_t{buckets} * 4;
    if (!bytes_.has(bucket_at, std::uint64_t{buckets} * 4)) return std::nullopt;
    std::uint64_t last = 0;
    for (std::uint32_t i = 0; i < buckets; ++i) {
      last = std::max<std::uint64_t>(last, *bytes_.at<std::uint32_t>(bucket_at + std::uint64_t{i} * 4));
    }
    // All exported symbols are hashed, and the imported ones stand before them.
    if (last < first) return first;
    for (;; ++last) {
      const auto hash = bytes_.at<std::uint32_t>(chain_at + (last - first) * 4);
      if (!hash) return std::nullopt;
      if (*hash & 1) return last + 1;
    }
  }

  Result<void> read_symbols() {
    const auto count = symbol_count();
    if (!count || !bytes_.has(*tables_.symbols, *count * sizeof(Elf64_Sym))) {
      return error("its hash table does not fit its symbols");
    }
    for (std::uint64_t i = 1; i < *count; ++i) {
      const Elf64_Sym symbol = *bytes_.at<Elf64_Sym>(*tables_.symbols + i * sizeof(Elf64_Sym));
      const auto name = text(symbol.st_name);
      if (!name) return error("a symbol's name lies outside the string table");
      read_symbol(symbol, *name);
    }
    return {};
  }

  void read_symbol(const Elf64_Sym& symbol, std::string_view name) {
    if (symbol.st_shndx == SHN_UNDEF) {
      if (name.starts_with("__cxa_thread_atexit")) report_.thread_exit_hooks = true;
      if (name == "pthread_key_create") report_.thread_keys = true;
      if (name == "dladdr" || name == "dladdr1" || name == "dlinfo" || name == "dl_iterate_phdr") {
        report_.asks_for_path = true;
      }
      return;
    }
    const unsigned binding = ELF64_ST_BIND(symbol.st_info);
    if (binding == STB_LOCAL) return;
    if (name == COLLET_ENTRY_SYMBOL) has_entry_ = true;
    if (report_.exports.size() < limits::kElfNamesMax) report_.exports.emplace_back(name);
    if (binding == STB_GNU_UNIQUE && report_.unique.size() < limits::kElfNamesMax) {
      report_.unique.emplace_back(name);
    }
  }

  Result<void> read_versions() {
    if (!tables_.needed_versions) return {};
    std::uint64_t at = *tables_.needed_versions;
    for (std::uint64_t i = 0; i < tables_.needed_version_count; ++i) {
      const auto file = bytes_.at<Elf64_Verneed>(at);
      if (!file) return error("its table of needed versions lies outside the file");
      std::uint64_t entry_at = at + file->vn_aux;
      for (unsigned k = 0; k < file->vn_cnt; ++k) {
        const auto entry = bytes_.at<Elf64_Vernaux>(entry_at);
        if (!entry) return error("its table of needed versions lies outside the file");
        if (const auto name = text(entry->vna_name)) note_version(*name);
        if (entry->vna_next == 0) break;
        entry_at += entry->vna_next;
      }
      if (file->vn_next == 0) break;
      at += file->vn_next;
    }
    return {};
  }

  void note_version(std::string_view name) {
    const auto note = [&](std::string_view prefix, std::string& highest) {
      if (!name.starts_with(prefix)) return;
      const std::string_view version = name.substr(prefix.size());
      if (!version.empty() && version[0] >= '0' && version[0] <= '9' && is_later(version, highest)) {
        highest = version;
      }
    };
    note("GLIBC_", report_.glibc);
    note("GLIBCXX_", report_.glibcxx);
  }

  void judge() {
    if (!has_entry_) {
      report_.errors.push_back(fmt::format("it does not export {}: is it a Collet plugin?", COLLET_ENTRY_SYMBOL));
    }
    if (!report_.unique.empty()) {
      report_.warnings.push_back(fmt::format(
          "cannot be unloaded: {} unique symbols, such as {}; build it with collet_add_plugin(), or with "
          "-fno-gnu-unique and a version script",
          report_.unique.size(), report_.unique.front()));
    }
    if (report_.nodelete) report_.warnings.push_back("cannot be unloaded: it is linked with -z nodelete");
    if (report_.static_tls) {
      report_.warnings.push_back(
          "may not be unloaded or loaded often: it uses static thread-local storage; build it with "
          "-ftls-model=global-dynamic");
    }
  }

  Bytes bytes_;
  ElfReport report_;
  std::optional<Elf64_Ehdr> header_;
  std::optional<Elf64_Phdr> dynamic_;
  Dynamic tables_;
  bool has_entry_ = false;
};

}  // namespace

Result<ElfReport> read_elf(std::span<const std::byte> file) { return Reader(file).read(); }

Result<ElfReport> read_elf_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return error("cannot open {}: {}", path, std::strerror(errno));
  struct stat info {};
  void* mapped = MAP_FAILED;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
    mapped = mmap(nullptr, static_cast<std::size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  }
  close(fd);
  if (mapped == MAP_FAILED) return error("cannot read {}: it is empty or not a regular file", path);
  const auto size = static_cast<std::size_t>(info.st_size);
  auto report = read_elf({static_cast<const std::byte*>(mapped), size});
  munmap(mapped, size);
  return report;
}

}  // namespace collet::plugin
