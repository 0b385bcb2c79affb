// A loaded library and the plugin that it exports.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collet/plugin.h"
#include "plugin/load/private_dir.h"

namespace collet::plugin {

// What a plugin says of itself, checked, in memory of the host.
struct PluginTable {
  collet_plugin functions{};  // texts in it live as long as the library
  std::string id;
  std::string version;
  std::string info;  // JSON object or empty
};

// Why a plugin with that flag is not run in-process.
inline constexpr std::string_view kWorkerOnly =
    "it asks for a worker process of its own (WORKER_ONLY) and cannot run in-process";

// Checks what the entry function returned: pointers, sizes, versions, syntax.
Result<PluginTable> read_plugin_table(const collet_plugin* given);

class Library {
 public:
  // Loads the copy, all symbols bound, none shared; calls its entry. Runs the library's constructors: on the
  // control thread. The file is removed when the library is closed.
  static Result<std::unique_ptr<Library>> open(PrivateFile file);

  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const PluginTable& table() const { return table_; }
  const std::string& path() const { return file_.path(); }
  // The library stays mapped whatever comes.
  void pin();
  // Runs the library's destructors. Never on a loop thread; after its threads have been joined. Whether it is gone
  // from memory: it may have unique symbols, NODELETE, or thread-local data of a living thread.
  bool close();

 private:
  struct Handle;
  explicit Library(PrivateFile file);

  PrivateFile file_;
  std::unique_ptr<Handle> handle_;
  PluginTable table_;
};

// The files of the libraries that this process has loaded.
std::vector<std::string> mapped_libraries();

// Whether any segment of the file at `path` is mapped.
bool is_mapped(const std::string& path);

}  // namespace collet::plugin
