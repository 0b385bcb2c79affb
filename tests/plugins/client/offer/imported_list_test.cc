#include "client/offer/imported_list.h"

#include "client/limits.h"
#include "client/offer/lineage.h"
#include "support/catch.h"

using namespace collet::client;

namespace {

ImportedList import(const std::vector<std::string>& elements, const std::vector<RemoteItemPtr>& before = {}) {
  RemoteConfig config;
  config.hide = {"hidden"};
  return import_list(COLLET_TOOL, "tools", {.elements = elements, .ttl_ms = {}, .warning = {}, .version = {}}, config, before);
}

std::string tool(const std::string& name, const std::vector<std::string>& via = {}) {
  std::string definition = R"({"title":"T"})";
  for (const std::string& gateway : via) definition = with_via(definition, gateway);
  return R"({"name":")" + name + "\"," + definition.substr(1);
}

std::string names(const ImportedList& list) {
  std::string all;
  for (const RemoteItemPtr& item : list.items) all += item->name + " ";
  return all;
}

}  // namespace

TEST_CASE("a list is taken over without what is bad, hidden or there twice, and what is bad is said") {
  const ImportedList list = import({tool("a"), "7", tool("hidden"), tool("a"), tool("b")});
  CHECK(names(list) == "a b ");
  CHECK(list.remarks == std::vector<std::string>{"one of its tools is left out: it is no JSON object",
                                                 "it offers a twice: the first one counts"});
}

TEST_CASE("an item that is the same as before is the one from before, and what has changed is said") {
  const ImportedList before = import({tool("a"), tool("b")});
  const ImportedList after = import({tool("a"), R"({"name":"b","title":"other"})"}, before.items);
  CHECK(after.items[0] == before.items[0]);
  CHECK(after.items[1] != before.items[1]);
  CHECK(after.remarks == std::vector<std::string>{"it has changed b\n/title: \"T\" → \"other\""});
}

TEST_CASE("what has come through this gateway is left out, and who has it from there alone is this gateway") {
  const ImportedList through = import({tool("a"), tool("b", {gateway_id(), "other"}), tool("c", {"other"})});
  CHECK(names(through) == "a c ");
  CHECK_FALSE(through.is_ours);
  CHECK(through.remarks == std::vector<std::string>{
                               "1 of its tools are left out: it has them from this gateway, or through too many"});
  CHECK(import({tool("a"), tool("b", {"other", gateway_id()})}).is_ours);
}

TEST_CASE("an item comes through so many gateways, and no more") {
  std::vector<std::string> via(limits::kHopsMax - 1, "g");
  CHECK(names(import({tool("a", via)})) == "a ");
  via.emplace_back("g");
  CHECK(names(import({tool("a", via)})).empty());
}
