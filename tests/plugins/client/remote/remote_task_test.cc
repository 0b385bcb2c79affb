#include "client/remote/remote_task.h"

#include "client/limits.h"
#include "plugins/client/scripted_transport.h"
#include "support/catch.h"
#include "support/manual_time.h"

using namespace collet::client;
using Catch::Contains;

namespace {

using Methods = std::vector<std::string>;

// A remote that has answered with a task, and the call that waits for it.
struct AwaitedTask final : RemoteTask::Owner, TaskWaiter, ConnectionListener {
  Loop loop_;
  ManualTime time{loop_};
  Wire wire;
  Connection its_connection{loop_, "{}", *this};
  bool up = true;
  unsigned unreachable = 0;
  std::vector<std::string> heard;
  std::optional<RemoteTask> task;

  explicit AwaitedTask(const std::string& created, Era era = Era::modern) {
    its_connection.use(wire.transport());
    task.emplace(*this, *this, era, created);
  }
  RequestId last_id() const { return wire.last().id; }
  void comes(const std::string& text) { its_connection.transport_listener().on_text(text, 0); }
  void says(const std::string& state) { comes(result_text(last_id(), state)); }
  void lose() { its_connection.transport_listener().on_lost(last_id(), {.message = "the stream has ended"}); }

  Loop& loop() override { return loop_; }
  Connection* connection() override { return up ? &its_connection : nullptr; }
  std::string why_down() const override { return "it is down"; }
  void note_unreachable(const Connection&, const std::string&) override { ++unreachable; }

  RequestOptions task_options() override { return {.meta = R"("who":"ada")"}; }
  void on_task_answer(const Answer& answer) override {
    heard.push_back(answer.ok() ? "result " + std::string(answer.result) : "fails: " + answer.problem());
  }
  void on_task_questions(std::string_view requests) override { heard.push_back("asks " + std::string(requests)); }
  void on_task_status(const std::string& message) override { heard.push_back("says " + message); }
  bool on_task_request(const Message&) override { return false; }

  void on_notification(const Message&) override {}
  bool on_request(const Message&) override { return false; }
  void on_garbage(const std::string&) override {}
  void on_unreachable(const std::string&) override {}
  void on_down(const std::string&) override {}
};

using Heard = std::vector<std::string>;

const std::string kTaskAtWork = R"({"taskId":"t1","status":"working"})";

}  // namespace

TEST_CASE("a task is looked at as often as its remote wishes, within bounds, until it is over") {
  const auto [wish, pause] = GENERATE(std::pair<std::uint64_t, std::uint64_t>(0, limits::kTaskPollMsMin),
                                      std::pair(limits::kTaskPollMsMin - 1, limits::kTaskPollMsMin),
                                      std::pair(limits::kTaskPollMsMax - 1, limits::kTaskPollMsMax - 1),
                                      std::pair(limits::kTaskPollMsMax + 1, limits::kTaskPollMsMax));
  AwaitedTask waiting(R"({"taskId":"t1","status":"working","pollIntervalMs":)" + std::to_string(wish) + "}");
  CHECK(waiting.wire.sent.empty());
  waiting.time.pass(pause - 1);
  CHECK(waiting.wire.sent.empty());
  waiting.time.pass(1);
  CHECK(waiting.wire.methods() == Methods{"tasks/get"});
  CHECK(waiting.wire.last().name == "t1");
  CHECK_THAT(waiting.wire.last().text, Contains(R"("taskId":"t1","_meta":{"who":"ada"})"));
  waiting.says(R"({"taskId":"t1","status":"working","statusMessage":"half way"})");
  waiting.time.pass(pause);
  waiting.says(R"({"taskId":"t1","status":"completed","statusMessage":"half way","result":{"content":[]}})");
  CHECK(waiting.heard == Heard{"says half way", R"(result {"content":[]})"});
  waiting.time.pass(3'600'000);
  CHECK(waiting.wire.sent.size() == 2);
}

TEST_CASE("a task that does not end well is an error, in its own words where it has some") {
  const auto outcome = [](const std::string& state) {
    AwaitedTask waiting(R"({"taskId":"t1","status":"submitted"})");
    waiting.says(state);
    return waiting.heard.empty() ? "" : waiting.heard.back();
  };
  CHECK(outcome(R"({"status":"failed","error":{"code":-7,"message":"no paper"}})") == "fails: no paper (-7)");
  CHECK(outcome(R"({"status":"cancelled"})") == "fails: its task is cancelled (-32603)");
  CHECK(outcome(R"({"status":"failed","statusMessage":"no ink"})") == "fails: its task is failed: no ink (-32603)");
  CHECK(outcome(R"({"status":"completed"})") == "fails: its task is completed (-32603)");  // without a result
}

TEST_CASE("what a task wants to know is asked once, and its answers are sent until the remote has taken them") {
  const std::string question = R"({"status":"input_required","inputRequests":{"q":{"method":"roots/list"}}})";
  AwaitedTask waiting(R"({"taskId":"t1","status":"input_required"})");
  waiting.says(question);
  CHECK(waiting.heard == Heard{R"(asks {"q":{"method":"roots/list"}})"});
  waiting.time.pass(3'600'000);
  CHECK(waiting.wire.sent.size() == 1);  // it rests meanwhile
  waiting.task->respond(R"({"q":{"roots":[]}})");
  CHECK_THAT(waiting.wire.last().text,
             Contains("tasks/update") && Contains(R"("inputResponses":{"q":{"roots":[]}})"));
  waiting.lose();
  waiting.time.pass(limits::kRetryMsDefault);
  CHECK(waiting.wire.methods() == Methods{"tasks/get", "tasks/update", "tasks/update"});
  CHECK_THAT(waiting.wire.last().text, Contains(R"("inputResponses":{"q":{"roots":[]}})"));
  waiting.says("{}");
  CHECK(waiting.wire.last().method == "tasks/get");
  waiting.says(question);  // it has not looked at them yet
  CHECK(waiting.heard.size() == 1);
  waiting.time.pass(limits::kTaskPollMsDefault);
  CHECK(waiting.wire.last().method == "tasks/get");
}

TEST_CASE("a task outlives so many lost requests in a row, and not one more") {
  AwaitedTask waiting(kTaskAtWork);
  for (unsigned round = 0; round < 2; ++round) {
    waiting.time.pass(limits::kTaskPollMsDefault);
    for (unsigned lost = 0; lost < limits::kTaskLostMax; ++lost) {
      waiting.lose();
      waiting.time.pass(limits::kRetryMsDefault);
    }
    CHECK(waiting.heard.empty());
    waiting.says(kTaskAtWork);
  }
  waiting.time.pass(limits::kTaskPollMsDefault);
  for (unsigned lost = 0; lost < limits::kTaskLostMax; ++lost) {
    waiting.lose();
    waiting.time.pass(limits::kRetryMsDefault);
  }
  CHECK(waiting.heard.empty());
  waiting.lose();
  CHECK(waiting.heard == Heard{"fails: the stream has ended"});
}

TEST_CASE("a task is asked for again when its remote is back") {
  AwaitedTask waiting(kTaskAtWork);
  waiting.up = false;
  waiting.time.pass(limits::kTaskPollMsDefault);
  CHECK(waiting.wire.sent.empty());
  waiting.up = true;
  waiting.time.pass(limits::kRetryMsDefault);
  CHECK(waiting.wire.methods() == Methods{"tasks/get"});
  waiting.up = false;
  waiting.lose();
  waiting.time.pass(limits::kRetryMsDefault * limits::kTaskLostMax);
  CHECK(waiting.heard == Heard{"fails: it is down"});
}

TEST_CASE("a task that nobody waits for is cancelled at the remote, once, and says nothing more") {
  AwaitedTask waiting(kTaskAtWork);
  waiting.time.pass(limits::kTaskPollMsDefault);
  const RequestId asked = waiting.last_id();
  waiting.task->cancel();
  waiting.task->cancel();
  CHECK(waiting.wire.methods() == Methods{"tasks/get", "tasks/cancel"});
  CHECK_THAT(waiting.wire.last().text, Contains(R"("taskId":"t1")"));
  waiting.comes(result_text(asked, R"({"status":"completed","result":{}})"));
  waiting.time.pass(3'600'000);
  CHECK(waiting.wire.count("tasks/get") == 1);
  CHECK(waiting.heard.empty());
}

TEST_CASE("a legacy task is awaited by tasks/result, and looked at where the remote does not hold that open") {
  const std::string task = R"({"taskId":"t1","status":"working","pollInterval":100})";
  SECTION("held open") {
    AwaitedTask waiting(task, Era::legacy);
    waiting.time.pass(3'600'000);
    CHECK(waiting.wire.methods() == Methods{"tasks/result"});
    waiting.says(R"({"content":[]})");
    CHECK(waiting.heard == Heard{R"(result {"content":[]})"});
  }
  SECTION("refused too early") {
    AwaitedTask waiting(task, Era::legacy);
    waiting.comes(error_text(1, kInvalidParams, "not yet"));
    CHECK(waiting.wire.last().method == "tasks/get");
    waiting.says(task);
    waiting.time.pass(100);
    CHECK(waiting.wire.count("tasks/get") == 2);
    waiting.says(R"({"taskId":"t1","status":"failed"})");
    CHECK(waiting.wire.last().method == "tasks/result");
    waiting.comes(error_text(waiting.last_id(), -7, "no paper"));
    CHECK(waiting.heard == Heard{"fails: no paper (-7)"});
  }
}
