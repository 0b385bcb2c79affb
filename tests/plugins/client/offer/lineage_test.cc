#include "client/offer/lineage.h"

#include <unistd.h>

#include <cstdlib>

#include "client/limits.h"
#include "support/catch.h"

using namespace collet::client;

TEST_CASE("a gateway is known by one word, and an item by those that it came through") {
  CHECK(gateway_id().size() == 16);
  CHECK(gateway_id() == gateway_id());
  CHECK(via_of(R"({"title":"T"})").empty());
  CHECK(via_of(R"({"_meta":{"collet/via":7}})").empty());
  const std::string once = with_via(R"({"title":"T","_meta":{"a":1}})", "one");
  CHECK(once == R"({"title":"T","_meta":{"a":1,"collet/via":["one"]}})");
  const std::string twice = with_via(once, "two");
  CHECK(via_of(twice) == std::vector<std::string>{"one", "two"});
  CHECK(with_via("{}", "one") == R"({"_meta":{"collet/via":["one"]}})");
}

TEST_CASE("a child that started this process is not started again") {
  const Command child{.program = "/bin/true", .arguments = {"stdio"}, .environment = {}, .folder = {}};
  const Command other{.program = "/bin/true", .arguments = {"other"}, .environment = {}, .folder = {}};
  CHECK(leads_back(child).empty());
  const auto [name, value] = ancestry(child);
  setenv(name.c_str(), value.c_str(), 1);
  CHECK(leads_back(child) == "it leads back to this gateway, which was started by it");
  CHECK(leads_back(other).empty());
  std::string many = "a";
  for (unsigned i = 1; i < limits::kHopsMax; ++i) many += ",a";
  setenv(name.c_str(), many.c_str(), 1);
  CHECK(leads_back(other) == "too many gateways have started one another");
  unsetenv(name.c_str());
}

TEST_CASE("a child that is this program, serving the same configuration, is this gateway") {
  char self[4096];
  const ssize_t size = readlink("/proc/self/exe", self, sizeof self);
  const std::string program(self, static_cast<std::size_t>(size));
  const auto with = [&](std::vector<std::string> arguments) {
    return leads_back({.program = program, .arguments = std::move(arguments), .environment = {}, .folder = {}});
  };
  CHECK(with({"stdio"}) == "it is this gateway itself, with the same configuration");
  CHECK(with({"stdio", "--config", "other.toml"}).empty());
  CHECK(with({"__worker"}).empty());
}
