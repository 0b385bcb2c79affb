#include "cli/input.h"
#include "cli/verbs.h"
#include "schema/schema.h"
#include "schema/suite.h"

namespace collet::cli {
namespace {

int validate_suite(const ValidateOptions& options, Output& out) {
  const auto report = schema::run_suite({options.suite, options.remotes});
  if (!report) return complain(report.message());
  out.write(schema::to_text(*report));
  for (const schema::SuiteFile& file : report->files) {
    if (file.failed > 0) return kInvalid;
  }
  return kOk;
}

int validate_files(const ValidateOptions& options, int in, Output& out) {
  const auto schema_text = read_input(options.schema, in, limits::kInputBytesMax);
  if (!schema_text) return complain(schema_text.message());
  const auto instance_text = read_input(options.instance, in, limits::kInputBytesMax);
  if (!instance_text) return complain(instance_text.message());
  schema::Options how;
  how.assert_formats = options.assert_formats;
  const auto compiled = schema::Schema::compile_text(*schema_text, how);
  if (!compiled) return complain(fmt::format("{}: {}", options.schema, compiled.message()));
  json::Document instance;
  if (const auto bad = json::parse(*instance_text, instance)) {
    out.print("invalid\n{}:{}\n", options.instance, describe(*instance_text, *bad));
    return kInvalid;
  }
  const schema::Report report = compiled->explain(instance);
  if (report.verdict.valid()) {
    out.write("valid\n");
    return kOk;
  }
  out.print("{}\n{}\n", report.verdict.outcome == schema::Outcome::limit ? "undecided" : "invalid",
            report.to_text());
  return kInvalid;
}

}  // namespace

int validate(const ValidateOptions& options, int in, Output& out) {
  if (!options.suite.empty()) return validate_suite(options, out);
  if (options.instance.empty()) return complain("validate needs a schema and an instance, or --suite");
  return validate_files(options, in, out);
}

}  // namespace collet::cli
