#include "plugin/crash/alternate_stack.h"

#include <sys/mman.h>

#include <csignal>

namespace collet::plugin::crash {
namespace {

constexpr std::size_t kStackBytes = 64u << 10;

}  // namespace

AlternateStack::AlternateStack() {
  stack_t other{};
  if (sigaltstack(nullptr, &other) != 0 || !(other.ss_flags & SS_DISABLE)) return;
  void* at = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (at == MAP_FAILED) return;
  const stack_t own{at, 0, kStackBytes};
  sigaltstack(&own, nullptr);
  at_ = at;
}

// Code of a plugin may have taken another one meanwhile.
AlternateStack::~AlternateStack() {
  if (!at_) return;
  stack_t now{};
  if (sigaltstack(nullptr, &now) == 0 && now.ss_sp == at_) {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
  munmap(at_, kStackBytes);
}

}  // namespace collet::plugin::crash
