#include "fetch/libcurl.h"

#include <dlfcn.h>

#include "base/assert.h"

namespace collet::fetch {
namespace {

constexpr const char* kFile = "libcurl.so.4";  // its ABI since 2006

struct Loaded {
  Libcurl functions{};
  std::string why_not;

  Loaded() {
    void* const library = dlopen(kFile, RTLD_NOW | RTLD_LOCAL);  // for good
    if (!library) {
      fail(dlerror());
      return;
    }
    find(library, functions.global_init, "curl_global_init");
    find(library, functions.free, "curl_free");
    find(library, functions.easy_init, "curl_easy_init");
    find(library, functions.easy_setopt, "curl_easy_setopt");
    find(library, functions.easy_getinfo, "curl_easy_getinfo");
    find(library, functions.easy_pause, "curl_easy_pause");
    find(library, functions.easy_reset, "curl_easy_reset");
    find(library, functions.easy_cleanup, "curl_easy_cleanup");
    find(library, functions.easy_strerror, "curl_easy_strerror");
    find(library, functions.multi_init, "curl_multi_init");
    find(library, functions.multi_setopt, "curl_multi_setopt");
    find(library, functions.multi_add_handle, "curl_multi_add_handle");
    find(library, functions.multi_remove_handle, "curl_multi_remove_handle");
    find(library, functions.multi_socket_action, "curl_multi_socket_action");
    find(library, functions.multi_info_read, "curl_multi_info_read");
    find(library, functions.multi_cleanup, "curl_multi_cleanup");
    find(library, functions.url, "curl_url");
    find(library, functions.url_set, "curl_url_set");
    find(library, functions.url_get, "curl_url_get");
    find(library, functions.url_strerror, "curl_url_strerror");
    find(library, functions.url_cleanup, "curl_url_cleanup");
    if (why_not.empty() && functions.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) fail("it does not start");
  }

  template <class Function>
  void find(void* library, Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (!function) fail(dlerror());
  }
  void fail(const char* why) {
    if (why_not.empty()) why_not = fmt::format("cannot load {}: {}", kFile, why);
  }
};

const Loaded& loaded() {
  static const Loaded once;
  return once;
}

}  // namespace

Result<void> load_libcurl() {
  if (const std::string& why_not = loaded().why_not; !why_not.empty()) return error("{}", why_not);
  return {};
}

const Libcurl& libcurl() {
  COLLET_ASSERT(loaded().why_not.empty());
  return loaded().functions;
}

}  // namespace collet::fetch
