#include "plugin/load/elf_glance.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/limits.h"
#include "collet/ext/draft/remotes.h"
#include "collet/plugin.h"

namespace collet::plugin {
namespace {

class File {
 public:
  explicit File(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    struct stat info {};
    if (!descriptor_ || fstat(descriptor_.get(), &info) != 0 || !S_ISREG(info.st_mode)) return;
    is_regular_ = true;
    size_ = static_cast<std::uint64_t>(info.st_size);
  }

  bool is_regular() const { return is_regular_; }
  std::uint64_t size() const { return size_; }
  // As many bytes as there are, up to `size`.
  std::string read(std::uint64_t offset, std::size_t size) const {
    std::string bytes(size, '\0');
    const ssize_t count = pread(descriptor_.get(), bytes.data(), size, static_cast<off_t>(offset));
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  // What is read one behind the other is read from the file together.
  template <class T>
  std::optional<T> at(std::uint64_t offset) {
    constexpr std::size_t kTogether = 4u << 10;
    static_assert(sizeof(T) <= kTogether);
    const auto is_there = [&] {
      return offset >= together_from_ && together_.size() >= sizeof(T) && offset - together_from_ <= together_.size() - sizeof(T);
    };
    if (!is_there()) {
      together_ = read(offset, kTogether);
      together_from_ = offset;
    }
    if (!is_there()) return std::nullopt;
    T value;
    std::memcpy(&value, together_.data() + (offset - together_from_), sizeof value);
    return value;
  }

 private:
  Descriptor descriptor_;
  bool is_regular_ = false;
  std::uint64_t size_ = 0;
  std::string together_;
  std::uint64_t together_from_ = 0;
};

bool is_cut_off(const File& file) {
  if (!file.is_regular()) return false;
  const std::string bytes = file.read(0, sizeof(Elf64_Ehdr));
  if (bytes.empty()) return true;
  if (std::memcmp(bytes.data(), ELFMAG, std::min<std::size_t>(SELFMAG, bytes.size())) != 0) return false;
  Elf64_Ehdr header{};
  if (bytes.size() < sizeof header) return true;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::uint64_t sections = std::uint64_t{header.e_shnum} * header.e_shentsize;
  return header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_shoff > file.size() - std::min<std::uint64_t>(sections, file.size());
}

struct Range {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// Where the names of a library's symbols stand.
std::optional<Range> find_names(File& file) {
  const auto header = file.at<Elf64_Ehdr>(0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_type != ET_DYN ||
      header->e_phentsize != sizeof(Elf64_Phdr)) {
    return std::nullopt;
  }
  std::vector<Elf64_Phdr> loaded;
  std::optional<Elf64_Phdr> dynamic;
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    const auto segment = file.at<Elf64_Phdr>(header->e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return std::nullopt;
    if (segment->p_type == PT_LOAD) loaded.push_back(*segment);
    if (segment->p_type == PT_DYNAMIC) dynamic = *segment;
  }
  if (!dynamic) return std::nullopt;
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  for (unsigned i = 0; i < limits::kElfNamesMax; ++i) {
    const auto entry = file.at<Elf64_Dyn>(dynamic->p_offset + i * sizeof(Elf64_Dyn));
    if (!entry || entry->d_tag == DT_NULL) break;
    if (entry->d_tag == DT_STRTAB) address = entry->d_un.d_ptr;
    if (entry->d_tag == DT_STRSZ) size = entry->d_un.d_val;
  }
  for (const Elf64_Phdr& segment : loaded) {
    if (address < segment.p_vaddr || address - segment.p_vaddr >= segment.p_filesz) continue;
    const Range names{segment.p_offset + (address - segment.p_vaddr), size};
    if (size == 0 || names.offset > file.size() || size > file.size() - names.offset) return std::nullopt;
    return names;
  }
  return std::nullopt;
}

// Or one that ends so: linkers let a name stand at the end of a longer one. Piece by piece: the names of some libraries take tens of
// megabytes. Nothing if they cannot be read.
std::optional<bool> has_name(const File& file, Range names, std::string_view name) {
  constexpr std::size_t kPiece = 1u << 20;
  std::string wanted(name);
  wanted.push_back('\0');
  std::string seen;
  while (names.size > 0) {
    const std::string piece = file.read(names.offset, std::min<std::uint64_t>(kPiece, names.size));
    if (piece.empty()) return std::nullopt;
    names.offset += piece.size();
    names.size -= piece.size();
    seen += piece;
    if (seen.find(wanted) != std::string::npos) return true;
    seen.erase(0, seen.size() - std::min(seen.size(), wanted.size()));
  }
  return false;
}

}  // namespace

bool is_cut_off(const std::string& path) { return is_cut_off(File(path)); }

bool is_other_library(const std::string& path) {
  File file(path);
  if (!file.is_regular() || is_cut_off(file)) return false;
  const auto names = find_names(file);
  return names && has_name(file, *names, COLLET_ENTRY_SYMBOL) == false;
}

bool imports_remotes(const std::string& path) {
  File file(path);
  if (!file.is_regular()) return false;
  const auto names = find_names(file);
  return names && has_name(file, *names, COLLET_REMOTES_SYMBOL) == true;
}

}  // namespace collet::plugin
