// The validator: any schema compiles or is refused, any instance gets one verdict, the same in both manners, and an
// invalid one a reason. The input is the schema's text, a line end, the instance's text.
#include "schema/schema.h"

#include "base/text.h"
#include "schema/lint.h"

using namespace collet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  json::Document schema_text;
  json::Document instance;
  if (json::parse(text.substr(0, line), schema_text) || json::parse(text.substr(line + 1), instance)) return 0;
  for (const schema::Lint& warning : schema::lint_tool("tool", schema_text))
    COLLET_ASSERT(!warning.message.empty());
  for (const bool checked : {true, false}) {
    schema::Options options;
    options.assert_formats = true;
    options.check_metaschema = checked;
    options.limits.fuel = 20'000;
    schema::CompileError why;
    const auto schema = schema::Schema::compile(schema_text, options, &why);
    COLLET_ASSERT(schema.ok() == why.message.empty());
    if (!schema) continue;
    const schema::Verdict verdict = schema->validate(instance);
    const schema::Report report = schema->explain(instance);
    COLLET_ASSERT(verdict.outcome == report.verdict.outcome && verdict.limit == report.verdict.limit);
    COLLET_ASSERT(report.violations.empty() == (verdict.outcome != schema::Outcome::invalid));
    COLLET_ASSERT(report.to_text().empty() == verdict.valid());
  }
  return 0;
}
