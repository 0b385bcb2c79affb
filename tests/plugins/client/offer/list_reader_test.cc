#include "client/offer/list_reader.h"

#include "client/limits.h"
#include "support/catch.h"

using namespace collet::client;

namespace {

struct Unheard final : ConnectionListener {
  void on_notification(const Message&) override {}
  bool on_request(const Message&) override { return false; }
  void on_garbage(const std::string&) override {}
  void on_unreachable(const std::string&) override {}
  void on_down(const std::string&) override {}
};

struct Silent final : Transport {
  explicit Silent(unsigned& sent) : sent_(sent) {}
  void send(Outgoing) override { ++sent_; }
  void finish(RequestId, bool) override {}
  void set_version(Era, std::string_view) override {}
  unsigned& sent_;
};

// A remote that is asked for its tools, and answers with the pages that a test gives.
struct Asked {
  Loop loop;
  Unheard unheard;
  unsigned requests = 0;
  Connection connection{loop, "{}", unheard};
  std::optional<Result<List>> read;
  std::optional<ListReader> reader;

  Asked() {
    connection.use(std::make_unique<Silent>(requests));
    reader.emplace(connection, "tools/list", "tools", 60'000,
                   [this](Result<List> list) { read = std::move(list); });
  }
  void answer(const std::string& elements, const std::optional<std::string>& cursor = std::nullopt) {
    const std::string id = std::to_string(requests);
    const std::string next = cursor ? R"(,"nextCursor":")" + *cursor + "\"" : "";
    connection.transport_listener().on_text(
        R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":{"tools":[)" + elements + "]" + next + "}}", requests);
  }
};

std::string many(std::size_t count) {
  std::string elements;
  for (std::size_t i = 0; i < count; ++i) elements += i == 0 ? "1" : ",1";
  return elements;
}

}  // namespace

TEST_CASE("a list is read to its end, page by page, up to so many items") {
  for (const unsigned more : {0u, 1u}) {
    Asked asked;
    asked.answer(many(limits::kItemsMax - 2), "a");
    REQUIRE_FALSE(asked.read);
    asked.answer(many(2 + more));
    REQUIRE(asked.read);
    CHECK((*asked.read)->elements.size() == limits::kItemsMax);
    CHECK((*asked.read)->warning == (more ? "its tools/list is cut off after 20000: it is too long" : ""));
  }
}

TEST_CASE("a list has so many pages") {
  for (const unsigned more : {0u, 1u}) {
    Asked asked;
    for (unsigned page = 1; page < limits::kPagesMax; ++page) asked.answer("1", "page " + std::to_string(page));
    REQUIRE_FALSE(asked.read);
    asked.answer("1", more ? "one more" : "");
    REQUIRE(asked.read);
    CHECK(asked.requests == limits::kPagesMax);
    CHECK((*asked.read)->elements.size() == limits::kPagesMax);
    CHECK((*asked.read)->warning == (more ? "its tools/list is cut off after 1000: it has too many pages" : ""));
  }
}

TEST_CASE("a list has so many bytes") {
  constexpr std::size_t kElements = 8;
  for (const unsigned more : {0u, 1u}) {
    Asked asked;
    std::string element(limits::kListBytesMax / kElements, 'a');
    element.front() = element.back() = '"';
    for (std::size_t i = 1; i < kElements; ++i) asked.answer(element, "page " + std::to_string(i));
    element.insert(1, more, 'b');
    asked.answer(element);
    REQUIRE(asked.read);
    CHECK((*asked.read)->elements.size() == kElements - more);
    CHECK((*asked.read)->warning == (more ? "its tools/list is cut off after 7: it is too large" : ""));
  }
}

TEST_CASE("a page that leads to itself is the last one") {
  Asked asked;
  asked.answer("1", "a");
  asked.answer("2", "a");
  REQUIRE(asked.read);
  CHECK((*asked.read)->elements.size() == 2);
  CHECK_THAT((*asked.read)->warning, Catch::Contains("a page leads to itself"));
}

TEST_CASE("a cursor that is empty is the end of a list") {
  Asked asked;
  asked.answer("1", "");
  REQUIRE(asked.read);
  REQUIRE(*asked.read);
  CHECK((*asked.read)->elements.size() == 1);
  CHECK((*asked.read)->warning.empty());
  CHECK(asked.requests == 1);
}
