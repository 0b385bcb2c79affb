// A worker that lies, and one that dies anywhere on its way.
#include <cstdlib>

#include "plugin/house.h"
#include "support/catch.h"
#include "worker/host/worker_image.h"

using namespace collet;
using namespace collet::plugin;
using registry::Ending;

namespace {

LoaderOptions hostile_options() {
  LoaderOptions options;
  options.make_worker = [](WorkerOrder order) -> std::unique_ptr<Image> {
    worker::WorkerOptions of_worker;
    of_worker.executable = COLLET_TEST_HOSTILE_WORKER;
    of_worker.restarts.failures_max = 1;
    return std::make_unique<worker::WorkerImage>(std::move(order), std::move(of_worker));
  };
  return options;
}

PluginSpec spec_of(const std::string& how) {
  setenv("COLLET_TEST_CASE", how.c_str(), 1);
  return {.id = "p",
          .library = module_path("sample"),
          .placement = Placement::worker,
          .permissions = {.environment = {"COLLET_TEST_CASE"}}};
}

std::string condition(House& house) { return house.loader.status().at(0).condition; }

}  // namespace

TEST_CASE("a worker that lies is killed, with the reason, and its call is answered once") {
  const std::pair<const char*, const char*> cases[] = {
      {"another id", "which is none of its own or has ended"},
      {"beyond the arena", "it named a blob of 2 bytes at 134217727, beyond its shared memory"},
      {"around the arena", "beyond its shared memory"},
      {"unknown piece", "it sent a piece of the unknown kind 99"},
      {"unknown end", "it sent a frame that is no end of a call"},
      {"torn piece", "it sent a frame that is no end of a call"},
      {"opened again", "it sent a frame that is no answer to being started"},
      {"unknown type", "it sent a frame of the unknown type 200"},
      {"too few fields", "it sent a frame that is no end of a call"},
      {"too many items", "it sent a frame that is no change of items"},
      {"instructions", "it sent a frame that is no text of instructions"},
      {"body of none", "it asks for the body of a call that has none to come"},
      {"body unsent", "it has taken more of a body than it was sent"},
      {"body unsaid", "it sent a frame that is no taking of a body"},
  };
  for (const auto& [how, reason] : cases) {
    INFO(how);
    House house(hostile_options());
    REQUIRE(house.loader.load({spec_of(how)}).front().error == "");
    Recorder recorder;
    house.start_tool("echo", "{}", recorder);
    const Ending ending = recorder.wait_end();
    CHECK(ending.how == Ending::How::failed);
    CHECK(ending.message.starts_with("plugin p: its worker process was killed: "));
    CHECK(ending.message.find(reason) != std::string::npos);
    CHECK(recorder.ends() == 1);
  }
}

TEST_CASE("a second end of a call counts for nothing but against its worker") {
  House house(hostile_options());
  REQUIRE(house.loader.load({spec_of("twice")}).front().error == "");
  Recorder recorder;
  house.start_tool("echo", "{}", recorder);
  CHECK(recorder.wait_end().content == R"({"type":"text","text":"sound"})");
  const auto deadline = Clock::now() + kPatience;
  while (!condition(house).starts_with("in quarantine") && Clock::now() < deadline) std::this_thread::yield();
  CHECK(condition(house).find("none of its own or has ended") != std::string::npos);
  CHECK(recorder.ends() == 1);
}

TEST_CASE("a result that a plugin could not have given fails its call and no more") {
  House house(hostile_options());
  REQUIRE(house.loader.load({spec_of("no block")}).front().error == "");
  CHECK(house.call_tool("echo").message == "plugin p: add_json(): the piece is not a JSON object");
  CHECK(condition(house).starts_with("process "));
}

TEST_CASE("shared memory is used up to its last byte") {
  House house(hostile_options());
  REQUIRE(house.loader.load({spec_of("edge of the arena")}).front().error == "");
  CHECK(house.call_tool("echo").content == R"({"type":"image","mimeType":"image/png","data":"AAAA"})");
}

TEST_CASE("shared memory that changes while it is read gives a sound result all the same") {
  House house(hostile_options());
  REQUIRE(house.loader.load({spec_of("rewritten")}).front().error == "");
  for (unsigned i = 0; i < 50; ++i) {
    const Ending ending = house.call_tool("echo");
    CHECK(ending.how == Ending::How::completed);
    CHECK(ending.content.size() ==
          87'384 + std::string_view(R"({"type":"image","mimeType":"image/png","data":""})").size());
    CHECK(json::is_object(ending.content));
  }
}

TEST_CASE("wherever a worker dies, it is not loaded, or its call is answered once") {
  unsigned refused = 0;
  unsigned failed = 0;
  for (unsigned bytes = 0;; ++bytes) {
    House house(hostile_options());
    const LoadReport report = house.loader.load({spec_of(fmt::format("cut {}", bytes))}).front();
    if (!report.ok()) {
      CHECK(report.error.find("its worker process ended with exit code 9") != std::string::npos);
      ++refused;
      continue;
    }
    Recorder recorder;
    house.start_tool("echo", "{}", recorder);
    const Ending ending = recorder.wait_end();
    CHECK(recorder.ends() == 1);
    if (ending.how == Ending::How::completed) break;
    CHECK(ending.message.starts_with("plugin p: its worker process ended with exit code 9"));
    ++failed;
  }
  CHECK(refused > 2 * sizeof(worker::FrameHead));
  CHECK(failed > 2 * sizeof(worker::FrameHead));
}
