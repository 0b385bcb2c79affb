#include "rpc/exchange.h"

#include "support/catch.h"

using namespace collet;
using namespace collet::rpc;

namespace {

struct Recorder final : Outlet {
  std::vector<std::string> messages;
  int status = 0;
  void interim(std::span<const std::string_view> pieces) override { append(pieces); }
  void answer(int http_status, std::span<const std::string_view> pieces) override {
    status = http_status;
    append(pieces);
  }
  void append(std::span<const std::string_view> pieces) {
    messages.emplace_back();
    for (std::string_view piece : pieces) messages.back() += piece;
  }
};

// Writes down how the request ended.
struct Watch final : ExchangeWatch {
  explicit Watch(std::vector<std::string>& to) : heard(to) {}
  void on_result(std::size_t bytes) override { heard.push_back(fmt::format("result {}", bytes)); }
  void on_error(const rpc::Error& error) override { heard.push_back(fmt::format("error {}", error.code)); }
  void on_disowned() override { heard.emplace_back("gone"); }
  std::vector<std::string>& heard;
};

Id id_of(int number) { return *Id::from(json::Value(number)); }

}  // namespace

TEST_CASE("a result carries the id and its pieces") {
  Recorder out;
  Exchange(id_of(1), out).result({R"({"a":)", "1", "}"});
  CHECK(out.messages == std::vector<std::string>{R"({"jsonrpc":"2.0","id":1,"result":{"a":1}})"});
  CHECK(out.status == 200);
}

TEST_CASE("an error carries code, message and data, and the HTTP status of its kind") {
  Recorder out;
  Exchange(id_of(2), out).error(method_not_found("x\"y"));
  CHECK(out.messages.front() ==
        R"({"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"Method not found: x\"y"}})");
  CHECK(out.status == 404);
  Exchange(Id(), out).error({-32022, "m", R"({"supported":[]})", 400});
  CHECK(out.messages.back() ==
        R"({"jsonrpc":"2.0","error":{"code":-32022,"message":"m","data":{"supported":[]}}})");
}

TEST_CASE("a request that is dropped unanswered is answered with an error") {
  Recorder out;
  {
    Exchange first(id_of(3), out);
    Exchange second = std::move(first);
    CHECK_FALSE(first.open());
    CHECK(second.open());
  }
  REQUIRE(out.messages.size() == 1);
  CHECK(out.messages.front().find(R"("id":3,"error":{"code":-32603)") != std::string::npos);
}

TEST_CASE("nothing is sent after the answer, or once the client has gone") {
  Recorder out;
  Exchange exchange(id_of(4), out);
  exchange.notify("notifications/progress", "{}");
  exchange.result({"{}"});
  exchange.notify("notifications/progress", "{}");
  exchange.error(internal_error("late"));
  CHECK(out.messages.size() == 2);

  Exchange gone(id_of(5), out);
  gone.disown();
  gone.result({"{}"});
  CHECK(out.messages.size() == 2);
}

TEST_CASE("who watches a request hears once how it ended, whatever becomes of it before") {
  Recorder out, other;
  std::vector<std::string> heard;
  const auto watched = [&] {
    Exchange exchange(id_of(1), out);
    exchange.watch(std::make_unique<Watch>(heard));
    return exchange;
  };
  {
    Exchange first = watched();
    Exchange second = std::move(first);
    second.result({"{\"a\":", "1}"});
    second.disown();
  }
  watched().error(method_not_found("x"));
  { const Exchange dropped = watched(); }
  watched().disown();
  Exchange moved = watched().move_to(other);
  CHECK(heard == std::vector<std::string>{"result 7", "error -32601", "error -32603", "gone"});
  moved.result({"{}"});
  CHECK(heard.back() == "result 2");
  CHECK(heard.size() == 5);
}

TEST_CASE("an answer that there is no memory for was an error, to whoever watches") {
  struct Forgetful final : Outlet {
    void interim(std::span<const std::string_view>) override {}
    void answer(int, std::span<const std::string_view>) override {
      if (!std::exchange(has_thrown, true)) throw std::bad_alloc();
    }
    bool has_thrown = false;
  } out;
  std::vector<std::string> heard;
  Exchange exchange(id_of(1), out);
  exchange.watch(std::make_unique<Watch>(heard));
  exchange.result({"{}"});
  CHECK(heard == std::vector<std::string>{"error -32603"});
}
