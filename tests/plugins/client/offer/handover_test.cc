#include "client/offer/handover.h"

#include "support/catch.h"

using namespace collet::client;

namespace {

RemoteItemPtr item(std::uint32_t kind, const std::string& element) {
  auto read = read_item(kind, element);
  REQUIRE(read);
  return std::make_shared<const RemoteItem>(std::move(*read));
}

}  // namespace

TEST_CASE("what a remote lists is the same after it was handed over, byte for byte") {
  Known known;
  known.era = Era::legacy;
  known.instructions = "Be \"kind\".";
  known.items[COLLET_TOOL] = {
      item(COLLET_TOOL, R"({"name":"a \" b","inputSchema":{"type" : "object","properties":{"n":{"const":1.50}}},)"
                        R"("annotations":{"readOnlyHint":true}})"),
      item(COLLET_TOOL, R"({"name":"bare"})")};
  known.items[COLLET_RESOURCE] = {item(COLLET_RESOURCE, R"({"uri":"file:///a","name":"a"})")};
  known.items[COLLET_RESOURCE_TEMPLATE] = {
      item(COLLET_RESOURCE_TEMPLATE, R"({"uriTemplate":"f://{x}","name":"t"})")};
  known.items[COLLET_PROMPT] = {};
  const std::string parts = write_handover("one", known) + "," + write_handover("two", {});
  const auto read = read_handover(parts);
  REQUIRE(read.size() == 2);
  const Known& one = read.at("one");
  CHECK(one.era == Era::legacy);
  CHECK(one.instructions == known.instructions);
  for (const auto& [kind, items] : known.items) {
    const auto found = one.items.find(kind);
    REQUIRE((found == one.items.end() ? 0 : found->second.size()) == items.size());
    for (std::size_t i = 0; i < items.size(); ++i) CHECK(*found->second[i] == *items[i]);
  }
  CHECK(one.items.at(COLLET_TOOL)[0]->idempotent);
  CHECK(read.at("two").items.empty());
  CHECK_FALSE(read.at("two").era);
}

TEST_CASE("what was handed over and cannot be read is nothing") {
  CHECK(read_handover("").empty());
  CHECK(read_handover(R"({"name":"one","items":{"1":[7,{"title":"no name"},{"name":"good"}],"x":[],"2":7}})")
            .at("one")
            .items.at(COLLET_TOOL)
            .size() == 1);
  const std::string whole =
      write_handover("one", {{{COLLET_TOOL, {item(COLLET_TOOL, R"({"name":"a"})")}}}, {}, ""});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK(read_handover(whole.substr(0, size)).empty());
  }
}
