#include "client/offer/publisher.h"

#include "client/limits.h"
#include "support/catch.h"
#include "support/fake_host.h"

using namespace collet::client;

namespace {

RemoteItemPtr remote_tool(const std::string& name) {
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
    const Naming naming = name_items({{&first, {remote_tool("log")}, ""}, {&second, {remote_tool("log"), remote_tool("own")}, ""}}, 64);
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
  const Naming naming =
      name_items({{&first, {resource("file:///a")}, ""}, {&second, {resource("file:///a")}, ""}}, 64);
  REQUIRE(naming.items.size() == 1);
  CHECK(naming.items[0].name == "file:///a");
  CHECK(naming.items[0].remote == 0);
  CHECK(naming.clashes.size() == 1);
}

TEST_CASE("remotes that offer the same URIs are told once, and how many") {
  RemoteConfig first, second;
  first.name = "one";
  second.name = "two";
  std::vector<RemoteItemPtr> same;
  for (const char* uri : {"file:///a", "file:///b", "file:///c"}) same.push_back(resource(uri));
  const Naming naming = name_items({{&first, same, ""}, {&second, same, ""}}, 64);
  CHECK(naming.items.size() == 3);
  CHECK(naming.clashes == std::vector<std::string>{"remote two: file:///a is left out, as remote one offers it too, "
                                                   "and 2 more of its URIs likewise"});
}

TEST_CASE("a tool and a prompt may have the same name") {
  RemoteConfig remote;
  remote.name = "one";
  const auto prompt = std::make_shared<const RemoteItem>(RemoteItem{COLLET_PROMPT, "log", "{}", false, {}});
  CHECK(name_items({{&remote, {remote_tool("log"), prompt}, ""}}, 64).items.size() == 2);
}

TEST_CASE("instructions of remotes are joined under their names, in the order of the configuration") {
  RemoteConfig one, two, three;
  one.name = "one";
  two.name = "two";
  three.name = "three";
  CHECK(join_instructions({{&one, {}, "Be kind."}, {&two, {}, ""}, {&three, {}, "Be quick."}}).text ==
        "## one\n\nBe kind.\n\n## three\n\nBe quick.");
  CHECK(join_instructions({{&one, {}, ""}}).text.empty());
}

TEST_CASE("instructions that are too long are cut off at the end of a character") {
  RemoteConfig remote;
  remote.name = "one";
  const std::string heading = "## one\n\n", mark = "\n[…]";
  const auto joined = [&](const std::string& text) { return join_instructions({{&remote, {}, text}}).text; };
  const std::string fits(limits::kInstructionsBytesMax, 'a');
  CHECK(joined(fits) == heading + fits);
  const std::string cut = joined(fits + "a");
  CHECK(cut.size() == heading.size() + limits::kInstructionsBytesMax);
  CHECK(cut.ends_with("a" + mark));
  // The character in the way of the mark is left out whole.
  const std::string before(limits::kInstructionsBytesMax - mark.size() - 1, 'a');
  CHECK(joined(before + "é" + std::string(mark.size(), 'b')) == heading + before + mark);
}

TEST_CASE("remotes whose instructions have no room any more are named") {
  std::vector<RemoteConfig> remotes(limits::kAllInstructionsBytesMax / limits::kInstructionsBytesMax);
  std::vector<Offering> offerings(remotes.size());
  for (std::size_t i = 0; i < remotes.size(); ++i) {
    remotes[i].name = "r";
    offerings[i].config = &remotes[i];
    offerings[i].instructions.assign(limits::kInstructionsBytesMax, 'a');
  }
  const Guidance most = join_instructions(offerings);
  CHECK(most.left_out.size() == 1);
  const std::size_t room = limits::kAllInstructionsBytesMax - most.text.size() - std::string("\n\n## r\n\n").size();
  offerings.back().instructions = std::string(room, 'a');
  CHECK(join_instructions(offerings).text.size() == limits::kAllInstructionsBytesMax);
  offerings.back().instructions += 'a';
  CHECK(join_instructions(offerings).left_out.size() == 1);
}

namespace {

// A publisher whose remotes are addresses, as it looks into none.
struct Published {
  fake::Host fake;
  Loop loop;
  Host host{fake.table()};
  Publisher publisher{loop, host};
  RemoteConfig config, other;
  char place[2] = {};

  Published() {
    config.name = other.name = "r";
    other.timeout_ms = 7;
  }
  Remote* remote(unsigned index) { return static_cast<Remote*>(static_cast<void*>(&place[index])); }
  void arrange(unsigned index, std::vector<RemoteItemPtr> items) {
    publisher.arrange({{index == 0 ? &config : &other, std::move(items), "", remote(index)}}, 64);
    publisher.publish();
  }
  const Publisher::Target* find(const fake::Item& item) const {
    return publisher.find(reinterpret_cast<std::uint64_t>(item.user));
  }
};

}  // namespace

TEST_CASE("a call that is on its way when its item is replaced goes to the new one") {
  Published published;
  published.arrange(0, {remote_tool("same"), remote_tool("gone")});
  const fake::Item same = published.fake.item("r__same"), gone = published.fake.item("r__gone");
  REQUIRE(published.find(same)->remote == published.remote(0));

  published.arrange(1, {remote_tool("same")});
  CHECK(published.fake.item("r__same").timeout_ms == 7);
  CHECK(published.find(same)->remote == published.remote(1));
  CHECK(published.find(gone) == nullptr);
  CHECK(published.fake.names() == std::vector<std::string>{"r__same"});
}

TEST_CASE("what a remote offers that is none any more does not count") {
  Published published;
  published.arrange(0, {remote_tool("a")});
  published.arrange(1, {remote_tool("b")});
  published.publisher.offer({nullptr, {remote_tool("c")}, "", published.remote(0)});
  CHECK_FALSE(published.publisher.pending());
  published.publisher.offer({&published.other, {remote_tool("c")}, "", published.remote(1)});
  CHECK(published.publisher.pending());
  published.publisher.close();
  CHECK_FALSE(published.publisher.pending());
}
