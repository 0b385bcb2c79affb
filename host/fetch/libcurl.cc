#include "fetch/libcurl.h"

#include <dlfcn.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "base/assert.h"
#include "base/log.h"

namespace collet::fetch {
namespace {

constexpr const char* kFile = "libcurl.so.4";  // its ABI since 2006

template <class Function>
bool find(void* library, Function& function, const char* name, std::string& why_not) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (!function) why_not = fmt::format("it has no {}", name);
  return function != nullptr;
}

// Null, and why, if it cannot be had now.
std::unique_ptr<const Libcurl> open_libcurl(std::string& why_not) {
  void* const library = dlopen(kFile, RTLD_NOW | RTLD_LOCAL);  // for good
  if (!library) {
    why_not = dlerror();
    return nullptr;
  }
  auto all = std::make_unique<Libcurl>();
  const bool whole =
      find(library, all->global_init, "curl_global_init", why_not) && find(library, all->free, "curl_free", why_not) &&
      find(library, all->easy_init, "curl_easy_init", why_not) && find(library, all->easy_setopt, "curl_easy_setopt", why_not) &&
      find(library, all->easy_getinfo, "curl_easy_getinfo", why_not) && find(library, all->easy_pause, "curl_easy_pause", why_not) &&
      find(library, all->easy_reset, "curl_easy_reset", why_not) && find(library, all->easy_cleanup, "curl_easy_cleanup", why_not) &&
      find(library, all->easy_strerror, "curl_easy_strerror", why_not) &&
      find(library, all->multi_init, "curl_multi_init", why_not) && find(library, all->multi_setopt, "curl_multi_setopt", why_not) &&
      find(library, all->multi_add_handle, "curl_multi_add_handle", why_not) &&
      find(library, all->multi_remove_handle, "curl_multi_remove_handle", why_not) &&
      find(library, all->multi_socket_action, "curl_multi_socket_action", why_not) &&
      find(library, all->multi_info_read, "curl_multi_info_read", why_not) &&
      find(library, all->multi_cleanup, "curl_multi_cleanup", why_not) && find(library, all->url, "curl_url", why_not) &&
      find(library, all->url_set, "curl_url_set", why_not) && find(library, all->url_get, "curl_url_get", why_not) &&
      find(library, all->url_strerror, "curl_url_strerror", why_not) && find(library, all->url_cleanup, "curl_url_cleanup", why_not);
  return whole ? std::move(all) : nullptr;
}

std::mutex loading;                                 // held to load it
std::atomic<const Libcurl*> the_libcurl = nullptr;  // for good

}  // namespace

Result<void> load_libcurl() {
  if (the_libcurl) return {};
  const std::lock_guard lock(loading);
  if (the_libcurl) return {};
  std::string why_not;
  the_libcurl = open_libcurl(why_not).release();
  if (the_libcurl) return {};
  why_not = fmt::format("cannot load {}: {}", kFile, why_not);
  log::error("nothing can be fetched: {}", why_not);  // who asked may say no more than that it cannot be
  return error("{}", why_not);
}

Result<void> start_libcurl() {
  if (auto there = load_libcurl(); !there) return there;
  static std::once_flag once;
  std::call_once(once, [] { libcurl().global_init(CURL_GLOBAL_DEFAULT); });
  return {};
}

const Libcurl& libcurl() {
  COLLET_ASSERT(the_libcurl);
  return *the_libcurl;
}

}  // namespace collet::fetch
