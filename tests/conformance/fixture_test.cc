// The fixture through its C table, as a host drives it: what it asks, round by round, and what it makes of answers.
#include <dlfcn.h>

#include "support/catch.h"
#include "support/fake_host.h"

namespace {

using How = fake::Ended::How;

struct Fixture {
  Fixture() : library(::dlopen(COLLET_FIXTURE, RTLD_NOW | RTLD_LOCAL)) {
    INFO((library ? "" : ::dlerror()));
    REQUIRE(library);
    const auto entry = reinterpret_cast<decltype(&collet_plugin_entry_v1)>(::dlsym(library, COLLET_ENTRY_SYMBOL));
    REQUIRE(entry);
    REQUIRE(host.load(entry()) == COLLET_OK);
  }
  ~Fixture() {
    host.unload();
    CHECK(host.misuse().empty());
    ::dlclose(library);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  // Answers that come without a state, as of a client that guessed the question.
  fake::Ended answer_unasked(const std::string& tool, const std::string& answers) {
    return host.send({.name = tool, .arguments = "{}", .round = 1, .input_responses = answers});
  }

  void* library;
  fake::Host host;
};

const std::string kAlice = R"({"user_name":{"action":"accept","content":{"name":"Alice"}}})";

}  // namespace

TEST_CASE_METHOD(Fixture, "a tool that asks is satisfied with the right answer alone") {
  const std::string tool = "test_input_required_result_elicitation";
  const auto asked = host.call(tool);
  REQUIRE(asked.how == How::suspended);
  CHECK(asked.questions.at("user_name") ==
        R"({"method":"elicitation/create","params":{"message":"What is your name?","requestedSchema":)"
        R"({"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}}})");
  CHECK(host.resume({.name = tool}, asked, kAlice).text() == "Hello, Alice!");

  CHECK(answer_unasked(tool, kAlice).text() == "Hello, Alice!");
  for (const char* useless :
       {R"({"wrong_key":{"action":"accept","content":{"name":"Alice"}}})", R"({"user_name":12345})",
        R"({"user_name":{}})", R"({"user_name":{"action":"accept"}})",
        R"({"user_name":{"action":"accept","content":{"name":7}}})", "{}"}) {
    INFO(useless);
    CHECK(answer_unasked(tool, useless).how == How::suspended);
  }
  CHECK(answer_unasked(tool, R"({"user_name":{"action":"decline"}})").text() ==
        "error: the user did not answer: decline");
}

TEST_CASE_METHOD(Fixture, "sampling and roots are asked for") {
  const auto sampling = host.call("test_sampling", R"({"prompt":"\"Why?\""})");
  REQUIRE(sampling.how == How::suspended);
  CHECK(sampling.questions.at("answer") ==
        R"({"method":"sampling/createMessage","params":{"messages":[{"role":"user","content":)"
        R"({"type":"text","text":"\"Why?\""}}],"maxTokens":100}})");
  CHECK(host.resume({.name = "test_sampling", .arguments = R"({"prompt":"Why?"})"}, sampling,
                    R"({"answer":{"role":"assistant","content":{"type":"text","text":"So."},"model":"m"}})")
            .text() == "LLM response: So.");

  const std::string tool = "test_input_required_result_list_roots";
  const auto roots = host.call(tool);
  REQUIRE(roots.how == How::suspended);
  CHECK(roots.questions.at("client_roots") == R"({"method":"roots/list","params":{}})");
  CHECK(host.resume({.name = tool}, roots, R"({"client_roots":{"roots":[{"uri":"file:///a"}]}})").text() ==
        "Found 1 root(s)");
}

TEST_CASE_METHOD(Fixture, "an answer without its state is asked for again") {
  const std::string tool = "test_input_required_result_request_state";
  const std::string yes = R"({"confirm":{"action":"accept","content":{"ok":true}}})";
  const auto asked = host.call(tool);
  REQUIRE(asked.how == How::suspended);
  CHECK_FALSE(asked.state.empty());
  CHECK(answer_unasked(tool, yes).how == How::suspended);
  CHECK(host.resume({.name = tool}, asked, yes).text() == "state-ok: requestState validated");
}

TEST_CASE_METHOD(Fixture, "the second round knows what the first was told") {
  const std::string tool = "test_input_required_result_multi_round";
  const auto first = host.call(tool);
  REQUIRE(first.how == How::suspended);
  const auto second =
      host.resume({.name = tool}, first, R"({"step1":{"action":"accept","content":{"name":"Alice"}}})");
  REQUIRE(second.how == How::suspended);
  CHECK(second.state != first.state);
  CHECK(second.questions.count("step2") == 1);
  CHECK(host.resume({.name = tool}, second, R"({"step2":{"action":"accept","content":{"color":"blue"}}})").text() ==
        "Alice likes blue");
}

TEST_CASE_METHOD(Fixture, "three things are asked for at once, and all are needed") {
  const std::string tool = "test_input_required_result_multiple_inputs";
  const std::string greeting = R"("greeting":{"content":{"type":"text","text":"Hi"}})";
  const auto asked = host.call(tool);
  REQUIRE(asked.questions.size() == 3);
  CHECK(host.resume({.name = tool}, asked, '{' + greeting + '}').how == How::suspended);
  const std::string all = kAlice.substr(0, kAlice.size() - 1) + ',' + greeting + R"(,"client_roots":{"roots":[]}})";
  CHECK(host.resume({.name = tool}, asked, all).text() == "Name: Alice; Greeting: Hi; Roots: 0");
}

TEST_CASE_METHOD(Fixture, "only what the client can answer is asked for") {
  host.set_info("clientCapabilities", R"({"sampling":{}})");
  const std::string tool = "test_input_required_result_capabilities";
  const auto asked = host.call(tool);
  REQUIRE(asked.how == How::suspended);
  CHECK(asked.questions.size() == 1);
  CHECK(asked.questions.count("sample_input") == 1);
  CHECK(host.resume({.name = tool}, asked, R"({"sample_input":{"content":{"type":"text","text":"x"}}})").how ==
        How::completed);
}

TEST_CASE_METHOD(Fixture, "a prompt may ask too") {
  const fake::Request request{.kind = COLLET_PROMPT, .name = "test_input_required_result_prompt"};
  const auto asked = host.send(request);
  REQUIRE(asked.how == How::suspended);
  CHECK(
      host.resume(request, asked, R"({"user_context":{"action":"accept","content":{"context":"tests"}}})").text() ==
      "Prompt with context: tests");
}

TEST_CASE_METHOD(Fixture, "two people are asked, and the one who did not answer again") {
  const auto asked = host.call("multi_input");
  CHECK(asked.questions.size() == 2);
  const auto again =
      host.resume({.name = "multi_input"}, asked, R"({"second":{"action":"accept","content":{"name":"Bob"}}})");
  CHECK(again.questions.size() == 1);
  CHECK(again.questions.count("first") == 1);
}

TEST_CASE_METHOD(Fixture, "a question before a task is answered by the task") {
  const auto asked = host.call("test_tool_with_task");
  REQUIRE(asked.how == How::suspended);
  CHECK(host.resume({.name = "test_tool_with_task"}, asked, kAlice).text() == "Hello, Alice!");
}

TEST_CASE_METHOD(Fixture, "long work ends when it is cancelled, short work by itself") {
  const auto long_work = host.start({.name = "slow_compute", .arguments = R"({"seconds":3000,"label":"long"})"});
  CHECK(host.call("slow_compute", R"({"seconds":0,"label":"short"})").text() == "Computed short");
  host.cancel(long_work);
  CHECK(host.wait(long_work).text() == "error: cancelled");
}

TEST_CASE_METHOD(Fixture, "long work that is left over fails when the plugin goes") {
  const auto id = host.start({.name = "slow_compute", .arguments = R"({"seconds":3000,"label":"long"})"});
  host.unload();
  CHECK(host.wait(id).text() == "error: the tool ended without an answer");
}

TEST_CASE_METHOD(Fixture, "an item comes, and goes with the next call") {
  const auto count = [this] { return host.names().size(); };
  const auto before = count();
  for (const char* tool : {"test_trigger_tool_change", "test_trigger_prompt_change"}) {
    host.call(tool);
    CHECK(count() == before + 1);
    host.call(tool);
    CHECK(count() == before);
  }
  host.call("test_trigger_resource_update");
  CHECK(host.updated() == std::vector<std::string>{"test://watched-resource"});
}
