#include "client/publisher.h"

#include "support/catch.h"

using namespace collet::client;

namespace {

RemoteItemPtr tool(const std::string& name) {
  return std::make_shared<const RemoteItem>(RemoteItem{COLLET_TOOL, name, "{}", false, {}});
}
RemoteItemPtr resource(const std::string& uri) {
  return std::make_shared<const RemoteItem>(RemoteItem{COLLET_RESOURCE, uri, "{}", false, {}});
}

// Two remotes that both offer "log", without a prefix.
struct Two {
  RemoteConfig first, second;
  Two(const std::string& on_clash) {
    first.name = "one";
    second.name = "two";
    first.prefix = second.prefix = "";
    second.on_clash = on_clash;
  }
  std::vector<std::string> names(std::size_t* clashes = nullptr) const {
    const Naming naming = name_items({{&first, {tool("log")}}, {&second, {tool("log"), tool("own")}}}, 64);
    if (clashes) *clashes = naming.clashes.size();
    std::vector<std::string> out;
    for (const Named& named : naming.items) out.push_back(named.name + "@" + std::to_string(named.remote));
    return out;
  }
};

}  // namespace

TEST_CASE("a clash of names is settled by the policy of the remote that comes later in the file") {
  std::size_t clashes = 9;
  CHECK(Two("prefix").names(&clashes) == std::vector<std::string>{"log@0", "two__log@1", "own@1"});
  CHECK(clashes == 0);
  CHECK(Two("first").names(&clashes) == std::vector<std::string>{"log@0", "own@1"});
  CHECK(clashes == 1);
  CHECK(Two("last").names(&clashes) == std::vector<std::string>{"log@1", "own@1"});
  CHECK(clashes == 1);
  CHECK(Two("error").names(&clashes) == std::vector<std::string>{"own@1"});
  CHECK(clashes == 2);
}

TEST_CASE("a resource keeps its URI, which belongs to the first that offers it") {
  RemoteConfig first, second;
  first.name = "one";
  second.name = "two";
  const Naming naming = name_items({{&first, {resource("file:///a")}}, {&second, {resource("file:///a")}}}, 64);
  REQUIRE(naming.items.size() == 1);
  CHECK(naming.items[0].name == "file:///a");
  CHECK(naming.items[0].remote == 0);
  CHECK(naming.clashes.size() == 1);
}

TEST_CASE("a tool and a prompt may have the same name") {
  RemoteConfig remote;
  remote.name = "one";
  const auto prompt = std::make_shared<const RemoteItem>(RemoteItem{COLLET_PROMPT, "log", "{}", false, {}});
  CHECK(name_items({{&remote, {tool("log"), prompt}}}, 64).items.size() == 2);
}
