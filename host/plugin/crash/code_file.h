// The names that an ELF file has for its code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/descriptor.h"
#include "plugin/crash/namer.h"

namespace collet::plugin::crash {

class CodeFile {
 public:
  // Opens it; what cannot be opened, or is no such file, has no names.
  explicit CodeFile(const std::string& path);
  CodeFile(const CodeFile&) = delete;
  CodeFile& operator=(const CodeFile&) = delete;
  ~CodeFile();

  int descriptor() const { return file_.get(); }
  // The function at that address of the file's own.
  CodeName name_at(std::uint64_t address) const;

 private:
  // The part of the file; null if that is not all there.
  template <class Entry>
  const Entry* entries(std::uint64_t offset, std::uint64_t count) const;

  Descriptor file_;
  const std::byte* bytes_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace collet::plugin::crash
