#include "schema/schema.h"

#include "base/json_pointer.h"
#include "schema/compiler.h"
#include "schema/evaluator.h"
#include "schema/index.h"
#include "schema/program.h"
#include "schema/refusal.h"

namespace collet::schema {
namespace {

std::int64_t steps_of(const Evaluation& evaluation) {
  const std::int64_t fuel = evaluation.program.limits.fuel;
  return (fuel - evaluation.budget.fuel) + (fuel - evaluation.detail_fuel);
}

Verdict verdict_of(bool ok, const Evaluation& evaluation) {
  const Limit limit = evaluation.budget.limit;
  if (limit != Limit::none) return {Outcome::limit, limit, steps_of(evaluation)};
  return {ok ? Outcome::valid : Outcome::invalid, Limit::none, steps_of(evaluation)};
}

Evaluation evaluation_of(const Program& program) {
  Evaluation evaluation{program, {}};
  evaluation.budget.fuel = program.limits.fuel;
  evaluation.budget.depth_max = program.limits.evaluation_depth_max;
  evaluation.detail_fuel = program.limits.fuel;
  return evaluation;
}

Schema compile_metaschema(Dialect dialect) {
  Options options;
  options.check_metaschema = false;
  options.limits.fuel = limits::kSchemaCheckFuel;
  auto compiled = Schema::compile(*find_metaschema(metaschema_uri(dialect)), options);
  COLLET_ASSERT(compiled.ok());
  return std::move(*compiled);
}

template <Dialect dialect>
const Schema& metaschema_of() {
  static const Schema compiled = compile_metaschema(dialect);
  return compiled;
}

// Compiled when it is needed first: most processes meet one dialect.
const Schema& metaschema_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::draft7:
      return metaschema_of<Dialect::draft7>();
    case Dialect::draft2019_09:
      return metaschema_of<Dialect::draft2019_09>();
    case Dialect::draft2020_12:
      break;
  }
  return metaschema_of<Dialect::draft2020_12>();
}

// What the metaschema has against the schema, if anything.
std::optional<CompileError> check(const json::Value& schema, const Schema& metaschema) {
  if (metaschema.validate(schema).valid()) return std::nullopt;
  const Report report = metaschema.explain(schema, 1);
  CompileError why;
  if (report.verdict.outcome == Outcome::limit) {
    why.kind = CompileError::Kind::too_large;
    why.message =
        fmt::format("schema (root): cannot be checked against its metaschema: {}", name(report.verdict.limit));
    return why;
  }
  const Violation& violation = report.violations.front();
  const std::size_t slash = violation.instance.rfind('/');
  why.location = violation.instance.substr(0, slash);
  if (slash != std::string::npos) why.keyword = json::unescape_pointer_token(violation.instance.substr(slash + 1));
  why.message = "schema " + violation.to_message();
  return why;
}

}  // namespace

void Documents::add(std::string uri, json::Document document) {
  documents_.emplace(std::move(uri), std::move(document));
}

const json::Value* Documents::find(std::string_view uri) const {
  const auto found = documents_.find(uri);
  return found == documents_.end() ? nullptr : &found->second;
}

Schema::Schema(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Result<Schema> Schema::compile(const json::Value& schema, const Options& options, CompileError* why) {
  auto program = std::make_unique<Program>();
  program->limits = options.limits;
  Refusal refusal(*program);
  Index index(options, *program, refusal);
  index.add_root(schema);
  if (!refusal && options.check_metaschema) {
    const json::Value* custom = index.custom_metaschema();
    std::optional<CompileError> violation;
    if (custom) {
      Options own = options;
      own.check_metaschema = false;
      own.limits.fuel = limits::kSchemaCheckFuel;
      auto metaschema = compile(*custom, own, why);
      if (!metaschema) return error("the schema's metaschema does not compile: {}", metaschema.message());
      violation = check(schema, *metaschema);
    } else {
      violation = check(schema, metaschema_of(index.resource(0).semantics.dialect));
    }
    if (violation) refusal.refuse(std::move(*violation));
  }
  if (!refusal) {
    program->dialect = index.resource(0).semantics.dialect;
    Compiler(options, *program, index, refusal).run(schema);
  }
  if (!refusal) return Schema(std::move(program));
  if (why) *why = refusal.error();
  return Error{std::move(refusal.error().message)};
}

Result<Schema> Schema::compile_text(std::string_view text, const Options& options, CompileError* why) {
  json::Document document;
  if (const auto bad = json::parse(text, document)) {
    CompileError failure{CompileError::Kind::not_json,
                         {},
                         {},
                         fmt::format("schema is not JSON: {} at offset {}", bad->message, bad->offset)};
    if (why) *why = failure;
    return Error{std::move(failure.message)};
  }
  return compile(document, options, why);
}

Verdict Schema::validate(const json::Value& instance) const {
  Evaluation evaluation = evaluation_of(*program_);
  const bool ok = Evaluator<false>(evaluation).run(0, instance, nullptr, nullptr);
  return verdict_of(ok, evaluation);
}

Report Schema::explain(const json::Value& instance, std::size_t errors_max) const {
  Evaluation evaluation = evaluation_of(*program_);
  Findings findings(*program_, std::max<std::size_t>(errors_max, 1));
  evaluation.findings = &findings;
  const bool ok = Evaluator<true>(evaluation).run(0, instance, nullptr, nullptr);
  Report report;
  // What was found before a limit was hit is found.
  const bool invalid = !findings.list().empty();
  report.verdict =
      invalid ? Verdict{Outcome::invalid, Limit::none, steps_of(evaluation)} : verdict_of(ok, evaluation);
  report.truncated = findings.full() || (invalid && evaluation.budget.limit != Limit::none);
  report.violations = std::move(findings.list());
  return report;
}

Dialect Schema::dialect() const { return program_->dialect; }

}  // namespace collet::schema
