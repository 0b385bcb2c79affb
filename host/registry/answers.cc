#include "registry/answers.h"

#include "base/assert.h"
#include "base/json_members.h"
#include "registry/shapes.h"
#include "schema/schema.h"

namespace collet::registry {
namespace {

Shape shape_of_answer(std::string_view method) {
  if (method == mcp::kElicitation.method) return Shape::elicit_result;
  return method == mcp::kRoots.method ? Shape::roots_result : Shape::sampling_result;
}

// Why that cannot be what a client has filled in.
Result<void> check_form(const json::Value& requested_schema, const json::Value* content) {
  static const json::Value kNothing(rapidjson::kObjectType);
  const auto schema = schema::Schema::compile(requested_schema, {.assert_formats = true});
  if (!schema) return error("its requestedSchema is no good: {}", schema.message());
  const schema::Report report = schema->explain(content ? *content : kNothing);
  if (report.verdict.valid()) return {};
  return error("content does not fit requestedSchema: {}", report.to_text());
}

}  // namespace

Result<std::string> read_answer(std::string_view request_text, std::string_view answer) {
  json::Document request;
  if (json::parse(request_text, request)) return error("the question is not JSON");
  const auto fitted = fit(shape_of_answer(json::find_string(request, "method").value_or("")), answer);
  if (!fitted) return error("the answer {}", fitted.message());
  json::Document read;
  COLLET_ASSERT(!json::parse(fitted->text(), read));
  const json::Value* params = json::find(request, "params");
  const json::Value* schema = params ? json::find(*params, "requestedSchema") : nullptr;
  if (schema && json::find_string(read, "action") == "accept") {
    if (const auto good = check_form(*schema, json::find(read, "content")); !good) return good.failure();
  }
  return std::string(fitted->text());
}

Result<Answers> match_answers(std::string_view questions, std::string_view before, const json::Value* responses) {
  Answers out;
  json::ObjectText given;
  std::vector<json::TextMember> members;
  if (json::split_object(before, members)) {
    for (const json::TextMember& earlier : members) given.add(earlier.key, earlier.value);
  }
  if (!json::split_object(questions, members)) return error("the questions are no object");
  for (const json::TextMember& question : members) {
    const json::Value* response = responses ? json::find(*responses, question.key) : nullptr;
    if (!response) {
      out.open.push_back({question.key, std::string(question.value)});
      continue;
    }
    const auto answer = read_answer(question.value, json::to_text(*response));
    if (!answer) return error("inputResponses: {}: {}", question.key, answer.message());
    given.add(question.key, *answer);
  }
  out.given = given.take();
  return out;
}

std::string to_object(const std::vector<InputRequest>& requests) {
  json::ObjectText out;
  for (const InputRequest& asked : requests) out.add(asked.key, asked.request);
  return out.take();
}

}  // namespace collet::registry
