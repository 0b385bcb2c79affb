#include "client/remote/client.h"

#include <future>

#include "client/limits.h"
#include "plugins/client/raw_server.h"
#include "support/catch.h"
#include "support/fake_host.h"

using namespace collet::client;

namespace {

// A host that writes down how calls fail, as it is asked to.
struct Failures {
  fake::Host fake;
  collet_host table = *fake.table();
  std::mutex mutex;
  std::vector<std::pair<collet_call, std::string>> all;

  static inline Failures* of_test = nullptr;

  Failures() {
    of_test = this;
    table.fail = [](const collet_host*, collet_call call, std::int32_t, const char* message, std::size_t size,
                    const char*, std::size_t) -> std::int32_t {
      const std::lock_guard lock(of_test->mutex);
      of_test->all.emplace_back(call, std::string(message, size));
      return COLLET_OK;
    };
  }
};

}  // namespace

TEST_CASE("so many calls of one remote are under way, and each ends once") {
  std::promise<void> over;
  const auto waiting = over.get_future().share();
  RawServer server([waiting](unsigned, const std::string&) {
    waiting.wait();
    return std::string();
  });
  Failures failures;
  ClientConfig config;
  config.remotes.emplace_back();
  config.remotes[0].name = "r";
  config.remotes[0].url = server.url();
  Known known;
  known.items[COLLET_TOOL] = {std::make_shared<const RemoteItem>(RemoteItem{COLLET_TOOL, "t", "{}", false, {}})};
  {
    Client client(&failures.table, config, {{"r", known}});
    const auto key = reinterpret_cast<std::uint64_t>(failures.fake.item("r__t").user);
    collet_call id = 0;
    while (id < limits::kCallsInFlightMax) client.call({.id = ++id, .key = key, .arguments = {}});
    static_cast<void>(client.status());  // comes after the calls
    CHECK(failures.all.empty());
    client.call({.id = ++id, .key = key, .arguments = {}});
    static_cast<void>(client.status());
    REQUIRE(failures.all.size() == 1);
    CHECK(failures.all[0] == std::pair(id, std::string("remote r: too many calls of it are under way")));
  }
  over.set_value();
  std::set<collet_call> ended;
  for (const auto& [call, why] : failures.all) ended.insert(call);
  CHECK(failures.all.size() == limits::kCallsInFlightMax + 1);
  CHECK(ended.size() == failures.all.size());
}
