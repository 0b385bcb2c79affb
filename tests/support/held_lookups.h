// The program's own getaddrinfo() stands in for the C library's, in libcurl too: the name "held.test" is held as long as a test wants.
// For one source of a test program.
#pragma once

#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <string_view>
#include <thread>

// While it lives.
struct HeldLookups {
  HeldLookups() { holds = true; }
  ~HeldLookups() {
    holds = false;
    holds.notify_all();
    while (count > 0) std::this_thread::yield();
  }
  HeldLookups(const HeldLookups&) = delete;
  HeldLookups& operator=(const HeldLookups&) = delete;

  static inline std::atomic<bool> holds{false};
  static inline std::atomic<int> count{0};  // that are held
};

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  if (std::string_view(name ? name : "") == "held.test") {
    ++HeldLookups::count;
    HeldLookups::holds.wait(true);
    --HeldLookups::count;
    return EAI_AGAIN;
  }
  static const auto real = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(name, service, hints, found);
}
