#include "foreign/yaml.h"

#include "base/limits.h"
#include "support/catch.h"

using namespace collet;

namespace {

std::string yaml_as_json(std::string_view text) {
  const auto parsed = foreign::parse_yaml(text);
  if (const auto* problem = std::get_if<config::Problem>(&parsed))
    return std::to_string(problem->at.line) + ":" + std::to_string(problem->at.column) + ": " + problem->message;
  std::string out;
  config::append_json(out, std::get<config::Value>(parsed));
  return out;
}

}  // namespace

TEST_CASE("scalars of YAML are what its core schema takes them for") {
  CHECK(yaml_as_json(
            "a: true\nb: yes\nc: 1\nd: -1.5\ne: '1'\nf: !!str 2\ng:\nh: ~\ni: 1.2.3\nj: +7\nk: 0x1f\nl: .5e1\n") ==
        R"({"a":true,"b":"yes","c":1,"d":-1.5,"e":"1","f":"2","i":"1.2.3","j":7,"k":"0x1f","l":5})");
  CHECK(yaml_as_json("a: |\n  x\n  y\nb: [1, {c: d}]\n") == R"({"a":"x\ny\n","b":[1,{"c":"d"}]})");
}

TEST_CASE("aliases and merges are copies") {
  CHECK(yaml_as_json("a: &x {b: 1, c: 2}\nd: *x\ne:\n  <<: *x\n  c: 3\n") ==
        R"({"a":{"b":1,"c":2},"d":{"b":1,"c":2},"e":{"c":3,"b":1}})");
  CHECK(yaml_as_json("a: *x\n") == "1:4: not YAML: there is no anchor &x");
  CHECK(yaml_as_json("a: &x [*x]\n") == "1:8: not YAML: there is no anchor &x");
}

TEST_CASE("mistakes in YAML are told with their places") {
  CHECK(yaml_as_json("") == "1:1: the document is empty");
  CHECK(yaml_as_json("- a\n") == "1:1: not a YAML mapping");
  CHECK(yaml_as_json("a: 1\na: 2\n") == "2:1: \"a\" is there twice");
  CHECK(yaml_as_json("a: [1,\n  ~]\n") == R"({"a":[1,{}]})");
  CHECK(yaml_as_json("a: b: c\n").find("1:5: not YAML: ") == 0);
  CHECK(yaml_as_json("a:\n\tb: 1\n").find("2:1: not YAML: ") == 0);
  CHECK(yaml_as_json("a: \xff\n").find("not YAML: ") != std::string::npos);
  CHECK(yaml_as_json("? [a]\n: b\n") == "1:3: a name is expected in front of :");
}

TEST_CASE("YAML cannot grow in memory, nor nest without end") {
  std::string laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) laughs += (k ? "," : "") + before;
    laughs += "]\n";
  }
  CHECK(yaml_as_json(laughs).find("bytes of memory") != std::string::npos);
  const auto nested = [](unsigned depth) {
    return "a: " + std::string(depth, '[') + std::string(depth, ']') + "\n";
  };
  CHECK(yaml_as_json(nested(limits::kJsonDepthMax - 1)).find("nested too deeply") == std::string::npos);
  CHECK(yaml_as_json(nested(limits::kJsonDepthMax)).find("nested too deeply") != std::string::npos);
  CHECK(yaml_as_json(nested(100'000)).find("nested too deeply") != std::string::npos);
  std::string chain = "a0: &a0 [x]\n";
  for (unsigned i = 1; i < limits::kJsonDepthMax; ++i)
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  CHECK(yaml_as_json(chain).find("nested too deeply") != std::string::npos);
}
