// An inline call takes nothing from the heap once it has been made before. Sanitizers count for themselves.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <cstdlib>
#include <new>

#include "house.h"
#include "support/catch.h"

namespace {
thread_local bool counting = false;
thread_local unsigned allocations = 0;
}  // namespace

void* operator new(std::size_t size) {
  if (counting) ++allocations;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace collet;
using namespace collet::plugin;

namespace {

class Counter : public registry::Listener {
 public:
  void on_progress(const registry::Progress&) override {}
  void on_log(const registry::LogMessage&) override {}
  void on_end(registry::Ending& ending) override { bytes += ending.content.size(); }
  std::optional<std::string_view> info(std::string_view) const override { return std::nullopt; }
  std::size_t bytes = 0;
};

}  // namespace

TEST_CASE("an inline call allocates nothing in steady state") {
  House house;
  REQUIRE(house.load(module_path("sample")).ok());
  Counter counter;
  unsigned first = 0;
  unsigned later = 0;
  house.loop(0).run([&] {
    const registry::Item& echo = *house.registry.current()->find(registry::Kind::tool, "echo");
    registry::Call call;
    call.handle = echo.def->handle;
    call.name = echo.name;
    call.arguments = R"({"text":"long enough to need memory of its own"})";
    const auto count = [&](unsigned calls) {
      allocations = 0;
      counting = true;
      for (unsigned i = 0; i < calls; ++i) echo.provider->start(call, counter);
      counting = false;
      return allocations;
    };
    first = count(1);
    later = count(100);
  });
  CHECK(first > 0);  // so that the count is known to count
  CHECK(later == 0);
  CHECK(counter.bytes > 0);
}
#endif
