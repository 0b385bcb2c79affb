#include "plugin/load/library.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>

#include "base/json.h"
#include "base/limits.h"
#include "plugin/abi/structs.h"
#include "plugin/run/own_threads.h"

namespace collet::plugin {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_plugin_id(std::string_view id) {
  if (id.empty() || id.size() > limits::kPluginIdBytesMax) return false;
  if (!is_lower_or_digit(id.front()) || !is_lower_or_digit(id.back())) return false;
  return std::all_of(id.begin(), id.end(), [](char c) { return is_lower_or_digit(c) || c == '.' || c == '-'; });
}

// MAJOR.MINOR.PATCH, then -pre-release and +build, of which only the characters are checked.
bool is_version(std::string_view version) {
  if (version.size() > limits::kPluginIdBytesMax) return false;
  for (int part = 0; part < 3; ++part) {
    const std::size_t digits = std::min(version.find_first_not_of("0123456789"), version.size());
    if (digits == 0) return false;
    version.remove_prefix(digits);
    if (part == 2) break;
    if (version.empty() || version[0] != '.') return false;
    version.remove_prefix(1);
  }
  if (version.empty()) return true;
  if (version[0] != '-' && version[0] != '+') return false;
  return version.size() > 1 && std::all_of(version.begin(), version.end(), [](char c) {
           return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '+';
         });
}

std::string last_dl_error() {
  const char* text = dlerror();
  return text ? text : "unknown cause";
}

// For names that the loader guards by its own lock, which a sanitizer does not see.
__attribute__((no_sanitize("thread"), noinline)) bool same_text(const char* a, const char* b) {
  for (; *a && *a == *b; ++a) ++b;
  return *a == *b;
}

}  // namespace

Result<PluginTable> read_plugin_table(const collet_plugin* given) {
  if (!given) return error("{}() returned NULL", COLLET_ENTRY_SYMBOL);
  constexpr std::size_t kSmallest = offsetof(collet_plugin, call) + sizeof(collet_plugin::call);
  if (given->struct_size < kSmallest || given->struct_size > limits::kPluginTableBytesMax) {
    return error("its collet_plugin.struct_size is {}, not sizeof(collet_plugin): at least {}", given->struct_size,
                 kSmallest);
  }
  PluginTable table;
  table.functions = copy_struct(*given);
  const collet_plugin& plugin = table.functions;
  if (plugin.abi_minor_min > COLLET_ABI_MINOR) {
    return error("it needs ABI {}.{}, this host has {}.{}: update the host", COLLET_ABI_MAJOR, plugin.abi_minor_min,
                 COLLET_ABI_MAJOR, COLLET_ABI_MINOR);
  }
  if (!is_sound(plugin.id) || !is_plugin_id(view(plugin.id))) {
    return error("its id is not reverse-DNS of [a-z0-9.-], such as org.example.math");
  }
  if (!is_sound(plugin.version) || !is_version(view(plugin.version))) {
    return error("its version is not a semantic version, such as 1.0.0");
  }
  if (!is_sound(plugin.info) || plugin.info.size > limits::kPluginInfoBytesMax ||
      (plugin.info.data && !json::is_object(view(plugin.info)))) {
    return error("its info is not a JSON object of at most {} bytes", limits::kPluginInfoBytesMax);
  }
  if (!plugin.create) return error("its function create is NULL");
  if (!plugin.destroy) return error("its function destroy is NULL");
  if (!plugin.call) return error("its function call is NULL");
  table.id = view(plugin.id);
  table.version = view(plugin.version);
  table.info = view(plugin.info);
  return table;
}

struct Library::Handle {
  boost::dll::shared_library library;
};

Library::Library(PrivateFile file) : file_(std::move(file)), handle_(std::make_unique<Handle>()) {}

Library::~Library() {
  const OwnThreads* const threads = OwnThreads::current();
  if (!threads || threads->running() == 0) {
    close();
  } else if (handle_) {  // what its constructors have started runs its code
    static_cast<void>(handle_.release());
    file_.keep();
  }
}

Result<std::unique_ptr<Library>> Library::open(PrivateFile file) {
  std::unique_ptr<Library> opened(new Library(std::move(file)));
  const std::string& path = opened->file_.path();
  // The loader knows libraries by inode too: a copy that lies where a resident one lay would be that one again.
  if (void* resident = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD)) {
    dlclose(resident);
    return error("the loader takes the private copy {} for a library that is still mapped", path);
  }
  boost::dll::shared_library& library = opened->handle_->library;
  boost::dll::fs::error_code failed;
  library.load(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local, failed);
  if (failed) return error("dlopen: {}", last_dl_error());
  if (!library.has(COLLET_ENTRY_SYMBOL)) {
    return error("it does not export {}: is it a Collet plugin?", COLLET_ENTRY_SYMBOL);
  }
  auto table = read_plugin_table(library.get<const collet_plugin*()>(COLLET_ENTRY_SYMBOL)());
  if (!table) return table.failure();
  opened->table_ = std::move(*table);
  return opened;
}

void Library::pin() {
  void* again = dlopen(file_.path().c_str(), RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  if (again) dlclose(again);
}

bool Library::close() {
  if (!handle_) return true;
  // The loader's own lock, made visible: a sanitizer does not see that one, and takes closing and looking for a
  // race.
  static std::mutex loader;
  const std::lock_guard lock(loader);
  handle_.reset();
  if (!is_mapped(file_.path())) return true;
  file_.keep();  // while it is mapped a debugger may want it, and its inode must not be used again
  return false;
}

std::vector<std::string> mapped_libraries() {
  std::vector<std::string> paths;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* all) {
        static_cast<std::vector<std::string>*>(all)->emplace_back(info->dlpi_name);
        return 0;
      },
      &paths);
  return paths;
}

bool is_mapped(const std::string& path) {
  auto* wanted = const_cast<std::string*>(&path);
  return dl_iterate_phdr(
             [](dl_phdr_info* info, std::size_t, void* data) {
               return same_text(info->dlpi_name, static_cast<const std::string*>(data)->c_str()) ? 1 : 0;
             },
             wanted) != 0;
}

}  // namespace collet::plugin
