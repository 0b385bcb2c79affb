// What validation costs against parsing the same arguments, in the same run. Prints ratios; the targets stand
// beside.
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <limits>
#include <vector>

#include "schema/hostile.h"
#include "schema/schema.h"

using namespace collet;

namespace {

constexpr unsigned kRounds = 41;
constexpr double kRoundNs = 4e6;

double thread_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// The median over rounds of one call's thread time, for several things in turn, so that they share the weather.
template <class... Fs>
std::vector<double> median_ns(Fs&&... fs) {
  const auto timed = [](auto& f, unsigned times) {
    const double start = thread_ns();
    for (unsigned i = 0; i < times; ++i) f();
    return (thread_ns() - start) / times;
  };
  std::vector<std::vector<double>> all(sizeof...(fs));
  std::vector<unsigned> times{static_cast<unsigned>(kRoundNs / std::max(timed(fs, 20), 20.0)) + 1 ...};
  for (unsigned round = 0; round < kRounds; ++round) {
    std::size_t i = 0;
    ((all[i].push_back(timed(fs, times[i])), ++i), ...);
  }
  std::vector<double> medians;
  for (auto& samples : all) {
    std::nth_element(samples.begin(), samples.begin() + kRounds / 2, samples.end());
    medians.push_back(samples[kRounds / 2]);
  }
  return medians;
}

std::string pattern(bool with, std::string_view text) {
  return with ? fmt::format(R"(,"pattern":"{}")", text) : "";
}

std::string small_schema(bool patterns) {
  return fmt::format(R"({{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{{
    "owner":{{"type":"string","minLength":1,"maxLength":64{}}},
    "repo":{{"type":"string","minLength":1,"maxLength":100{}}},
    "state":{{"type":"string","enum":["open","closed","all"]}},
    "labels":{{"type":"array","items":{{"type":"string","maxLength":50}},"maxItems":20}},
    "since":{{"type":"string"{}}},
    "limit":{{"type":"integer","minimum":1,"maximum":100}},
    "ratio":{{"type":"number","minimum":0,"maximum":1}},
    "order":{{"type":"object","properties":{{"by":{{"enum":["created","updated","comments"]}},
      "direction":{{"enum":["asc","desc"]}}}},"required":["by"],"additionalProperties":false}},
    "draft":{{"type":"boolean"}}}},"required":["owner","repo"],"additionalProperties":false}})",
                     pattern(patterns, "^[A-Za-z0-9][A-Za-z0-9-]*$"), pattern(patterns, "^[\\\\w.-]+$"),
                     pattern(patterns, "^\\\\d{4}-\\\\d{2}-\\\\d{2}T\\\\d{2}:\\\\d{2}:\\\\d{2}(\\\\.\\\\d+)?Z$"));
}

constexpr std::string_view kSmall =
    R"({"owner":"octocat","repo":"hello-world.cpp","state":"open","labels":["bug","help wanted","good first issue"],)"
    R"("since":"2026-07-28T12:34:56Z","limit":25,"ratio":0.75,"order":{"by":"created","direction":"desc"},"draft":false})";

std::string large_schema(bool patterns) {
  return fmt::format(R"({{"type":"object","properties":{{"table":{{"type":"string"{}}},"records":{{"type":"array",
    "minItems":1,"maxItems":1000,"items":{{"$ref":"#/$defs/record"}}}}}},"required":["table","records"],
    "additionalProperties":false,"$defs":{{
    "tag":{{"type":"string","minLength":1,"maxLength":32{}}},
    "record":{{"type":"object","properties":{{
      "id":{{"type":"string"{}}},"name":{{"type":"string","minLength":1,"maxLength":200}},
      "email":{{"type":"string"{}}},"age":{{"type":"integer","minimum":0,"maximum":150}},
      "score":{{"type":"number"}},"active":{{"type":"boolean"}},
      "role":{{"enum":["admin","editor","viewer"]}},"tags":{{"type":"array","items":{{"$ref":"#/$defs/tag"}}}},
      "address":{{"type":"object","properties":{{"street":{{"type":"string"}},"city":{{"type":"string"}},
        "zip":{{"type":"string"{}}}}},"required":["street","city"]}},
      "parent":{{"anyOf":[{{"type":"null"}},{{"type":"string"}}]}}}},
    "required":["id","name","role"],"additionalProperties":false}}}}}})",
                     pattern(patterns, "^[a-z_][a-z0-9_]*$"), pattern(patterns, "^[a-z][a-z-]*$"),
                     pattern(patterns, "^rec_[0-9a-f]{8}$"),
                     pattern(patterns, "^[^@\\\\s]+@[^@\\\\s]+\\\\.[a-z]+$"),
                     pattern(patterns, "^\\\\d{5}(-\\\\d{4})?$"));
}

std::string large_arguments() {
  std::string out = R"({"table":"customers","records":[)";
  for (int i = 0; i < 70; ++i) {
    out += fmt::format(
        R"({}{{"id":"rec_{:08x}","name":"Customer Number {}","email":"customer{}@example.org","age":{},"score":{}.5,)"
        R"("active":{},"role":"editor","tags":["alpha","beta-two"],"address":{{"street":"{} Long Street","city":"Springfield",)"
        R"("zip":"{:05}"}},"parent":null}})",
        i ? "," : "", i * 7919, i, i, 20 + i % 60, i, i % 2 ? "true" : "false", i, 10000 + i);
  }
  return out + "]}";
}

void run(std::string_view title, const std::string& schema_text, std::string_view arguments, double target) {
  const auto schema = schema::Schema::compile_text(schema_text);
  json::Document document;
  COLLET_ASSERT(schema.ok() && !json::parse(arguments, document));
  COLLET_ASSERT(schema->validate(document).valid());
  const std::string text(arguments);
  const auto parse = [&] {
    json::Document fresh;
    fresh.Parse(text.data(), text.size());
    COLLET_ASSERT(!fresh.HasParseError());
  };
  const auto host_parse = [&] {
    json::Document fresh;
    COLLET_ASSERT(!json::parse(text, fresh));
  };
  const auto fast = [&] { COLLET_ASSERT(schema->validate(document).valid()); };
  const auto explain = [&] { COLLET_ASSERT(schema->explain(document).verdict.valid()); };
  const auto compile = [&] { COLLET_ASSERT(schema::Schema::compile_text(schema_text).ok()); };
  const auto ns = median_ns(parse, host_parse, fast, explain, compile);
  fmt::print(
      "{:<24} {:>6} B  parse {:>8.0f} ns (the host's {:>8.0f})  fast {:>8.0f} ns = {:.2f}x (<= {:.2f}x)  "
      "explain {:.2f}x fast (<= 1.20x)  compile {:>5.1f} us (<= 100)\n",
      title, text.size(), ns[0], ns[1], ns[2], ns[2] / ns[0], target, ns[3] / ns[2], ns[4] / 1000);
}

// What a step of a hostile validation costs beside one of an ordinary validation: the number of steps is bounded, so
// that this bounds the time.
void run_hostile(const schema::Schema& ordinary, const json::Document& arguments) {
  const auto ns_of_step = [](const schema::Schema& schema, const json::Value& instance) {
    double best_ns = std::numeric_limits<double>::infinity();
    std::int64_t steps = 0;
    for (int round = 0; round < 5; ++round) {
      const double start = thread_ns();
      steps = schema.validate(instance).steps;
      best_ns = std::min(best_ns, thread_ns() - start);
    }
    return best_ns / static_cast<double>(steps);
  };
  const double ordinary_ns = ns_of_step(ordinary, arguments);
  for (const schema::testing::Hostile& hostile : schema::testing::hostile_cases()) {
    const auto schema = schema::Schema::compile_text(hostile.schema);
    json::Document instance;
    COLLET_ASSERT(schema.ok() && !json::parse(hostile.instance, instance));
    fmt::print("{:<56} a step {:.2f}x of an ordinary one\n", hostile.name, ns_of_step(*schema, instance) / ordinary_ns);
  }
}

}  // namespace

int main() {
  constexpr double kPlain = 0.55;
  constexpr double kWithPatterns = 0.8;
  run("small, no patterns", small_schema(false), kSmall, kPlain);
  run("small, patterns", small_schema(true), kSmall, kWithPatterns);
  run("large, no patterns", large_schema(false), large_arguments(), kPlain);
  run("large, patterns", large_schema(true), large_arguments(), kWithPatterns);

  const auto ordinary = schema::Schema::compile_text(large_schema(false));
  json::Document arguments;
  COLLET_ASSERT(ordinary.ok() && !json::parse(large_arguments(), arguments));
  run_hostile(*ordinary, arguments);
}
