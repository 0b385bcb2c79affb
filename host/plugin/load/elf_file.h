// What an ELF library says of itself, read without loading it. Nothing in the file is believed: a corrupt one is an
// error, never a crash.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace collet::plugin {

struct ElfReport {
  std::uint64_t bytes = 0;
  unsigned bits = 0;    // 32 or 64
  std::string machine;  // "x86-64"
  std::string soname;
  std::string rpath;
  std::string runpath;
  std::vector<std::string> needed;
  std::vector<std::string> exports;  // the first kElfNamesMax
  std::vector<std::string> unique;   // STB_GNU_UNIQUE: shared by all libraries of the process, never unloaded
  bool nodelete = false;             // DF_1_NODELETE
  bool static_tls = false;           // DF_STATIC_TLS
  std::string glibc;                 // highest version needed, "2.34", or empty
  std::string glibcxx;
  bool thread_exit_hooks = false;  // imports __cxa_thread_atexit*: has thread_local objects with destructors
  bool thread_keys = false;        // imports pthread_key_create
  bool asks_for_path = false;      // imports dladdr or the like: it can find out where it lies

  std::vector<std::string> errors;    // what bars it from being loaded in-process
  std::vector<std::string> warnings;  // what to know, such as that it cannot be unloaded

  // Plugin code on a loop thread must leave nothing behind that runs when that thread ends.
  bool inline_allowed() const { return !thread_exit_hooks && !thread_keys; }
  // Why inline_allowed() is false.
  std::string inline_obstacle() const;
  bool unloadable() const { return unique.empty() && !nodelete && !static_tls; }

  // Both without errors and warnings.
  std::string to_text() const;  // lines for a person
  std::string to_json() const;
};

// Of a file in memory. An error if it is no ELF file, or one that is cut off or corrupt.
Result<ElfReport> read_elf(std::span<const std::byte> file);

// Of a regular file, which nobody changes meanwhile: a private copy.
Result<ElfReport> read_elf_file(const std::string& path);

}  // namespace collet::plugin
