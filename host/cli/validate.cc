#include <fmt/core.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/verbs.h"
#include "schema/schema.h"
#include "schema/suite.h"

namespace collet::cli {
namespace {

Result<std::string> read_text(const std::string& path) {
  std::stringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream in(path, std::ios::binary);
  text << in.rdbuf();
  if (!in) return error("cannot read {}", path);
  return text.str();
}

int fail(std::string_view message) {
  fmt::print(stderr, "collet validate: {}\n", message);
  return kUsage;
}

int validate_suite(const ValidateOptions& options) {
  const auto report = schema::run_suite({options.suite, options.remotes});
  if (!report) return fail(report.message());
  fmt::print("{}", schema::to_text(*report));
  for (const schema::SuiteFile& file : report->files) {
    if (file.failed > 0) return kInvalid;
  }
  return kOk;
}

int validate_files(const ValidateOptions& options) {
  const auto schema_text = read_text(options.schema);
  if (!schema_text) return fail(schema_text.message());
  const auto instance_text = read_text(options.instance);
  if (!instance_text) return fail(instance_text.message());
  schema::Options how;
  how.assert_formats = options.assert_formats;
  const auto compiled = schema::Schema::compile_text(*schema_text, how);
  if (!compiled) return fail(fmt::format("{}: {}", options.schema, compiled.message()));
  json::Document instance;
  if (const auto bad = json::parse(*instance_text, instance)) {
    fmt::print("invalid\n{} is not JSON: {} at offset {}\n", options.instance, bad->message, bad->offset);
    return kInvalid;
  }
  const schema::Report report = compiled->explain(instance);
  if (report.verdict.valid()) {
    fmt::print("valid\n");
    return kOk;
  }
  fmt::print("{}\n{}\n", report.verdict.outcome == schema::Outcome::limit ? "undecided" : "invalid",
             report.to_text());
  return kInvalid;
}

}  // namespace

int validate(const ValidateOptions& options) {
  return options.suite.empty() ? validate_files(options) : validate_suite(options);
}

}  // namespace collet::cli
