#include "registry/rounds.h"

#include <functional>
#include <string>

#include "support/catch.h"
#include "support/manual_time.h"

using namespace collet::registry;

namespace {

// A plugin with one tool, and who calls it; both note what they hear.
class Scene final : public Provider, public Listener {
 public:
  Scene() {
    registry_.declare("p", {});
    ItemDef tool;
    tool.name = "tool";
    tool.definition = "{}";
    registry_.replace("p", this, {tool});
  }

  // The plugin does that with the call.
  void start(std::uint64_t timeout_ms, std::function<void()> does = [] {}) {
    does_ = std::move(does);
    const SnapshotPtr snapshot = registry_.current();
    const Item& item = *snapshot->find(Kind::tool, "tool");
    rounds.aim(CallKind::tool, item);
    rounds.start(*snapshot, item, {.timeout_ms = timeout_ms}, *this);
  }
  void end() {
    Ending ending;
    on_end(ending);
  }

  collet::loop::Loop loop;
  Deadlines deadlines{loop};
  ManualTime time{loop};
  Rounds rounds{deadlines};
  std::string heard;
  bool ends_when_asked = false;

 private:
  CallId start(const Call&, Listener&) override {
    does_();
    return 1;
  }
  void cancel(CallId, CancelReason reason) override {
    heard += reason == CancelReason::deadline ? "plugin:deadline " : "plugin:other ";
    if (ends_when_asked) end();
  }
  void on_progress(const Progress&) override {}
  void on_log(const LogMessage&) override {}
  void on_deadline() override { heard += "caller:deadline "; }
  void on_end(Ending&) override {
    heard += "caller:end ";
    rounds.ended();
  }
  std::optional<std::string_view> info(std::string_view) const override { return std::nullopt; }

  Registry registry_;
  std::function<void()> does_;
};

}  // namespace

TEST_CASE("when a round's time is over its caller is told, then the plugin is asked to end it") {
  Scene scene;
  scene.start(10);
  scene.time.pass(9);
  CHECK(scene.heard.empty());
  scene.time.pass(1);
  CHECK(scene.heard == "caller:deadline plugin:deadline ");
  scene.time.pass(100);
  scene.end();
  CHECK(scene.heard == "caller:deadline plugin:deadline caller:end ");
}

TEST_CASE("a plugin may end a round as soon as it hears of its deadline") {
  Scene scene;
  scene.ends_when_asked = true;
  scene.start(10);
  scene.time.pass(10);
  CHECK(scene.heard == "caller:deadline plugin:deadline caller:end ");
}

TEST_CASE("a round that has ended has no deadline, and the next one has its own") {
  Scene scene;
  scene.start(10, [&] { scene.end(); });
  scene.time.pass(100);
  CHECK(scene.heard == "caller:end ");
  scene.start(10);
  scene.time.pass(5);
  scene.end();
  scene.time.pass(1);
  scene.start(10);
  scene.time.pass(9);
  CHECK(scene.heard == "caller:end caller:end ");
  scene.time.pass(1);
  CHECK(scene.heard == "caller:end caller:end caller:deadline plugin:deadline ");
}

TEST_CASE("a round has no deadline without a timeout, or when it was lifted, be it inside of its start") {
  Scene scene;
  scene.start(0);
  scene.time.pass(1'000'000);
  scene.end();
  scene.start(10);
  scene.rounds.lift_deadline();
  scene.time.pass(100);
  scene.end();
  scene.start(10, [&] { scene.rounds.lift_deadline(); });
  scene.time.pass(100);
  scene.end();
  CHECK(scene.heard == "caller:end caller:end caller:end ");
}

TEST_CASE("a caller's cancelling leaves the round its deadline") {
  Scene scene;
  scene.start(10);
  scene.rounds.cancel(CancelReason::client);
  scene.time.pass(10);
  CHECK(scene.heard == "plugin:other caller:deadline plugin:deadline ");
  scene.end();
}
