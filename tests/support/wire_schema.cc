#include "support/wire_schema.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace collet::test {
namespace {

constexpr std::string_view kNewest = "2026-07-28";
constexpr std::string_view kTasksExtensionRevision = "2026-07-28";  // the first that has extensions
constexpr std::string_view kDocument = "mcp:schema";

std::string folder() {
  const char* named = std::getenv("COLLET_MCP_SCHEMA_DIR");
  return named ? named : COLLET_MCP_SCHEMA_DIR;
}

// The value at a path of member names, or null.
const json::Value* reach(const json::Value& from, std::initializer_list<std::string_view> path) {
  const json::Value* value = &from;
  for (std::string_view key : path) {
    value = json::find(*value, key);
    if (!value) return nullptr;
  }
  return value;
}

std::string text_at(const json::Value& from, std::initializer_list<std::string_view> path) {
  const json::Value* value = reach(from, path);
  return value && value->IsString() ? std::string(json::view(*value)) : std::string();
}

json::Document read_schema(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  json::Document document;
  const auto bad = json::parse(text, document);
  COLLET_ASSERT(!bad && document.IsObject());
  return document;
}

}  // namespace

const WireSchema* WireSchema::of(std::string_view revision) {
  static const auto schemas = [] {
    std::map<std::string, std::unique_ptr<const WireSchema>, std::less<>> all;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder(), ignored)) {
      const auto file = entry.path() / "schema.json";
      if (!std::filesystem::exists(file)) continue;
      const std::string name = entry.path().filename().string();
      all.emplace(name, std::unique_ptr<const WireSchema>(new WireSchema(name, read_schema(file))));
    }
    if (all.empty()) {
      std::fprintf(stderr, "MCP schemas: none at %s: messages are not checked\n", folder().c_str());
    }
    return all;
  }();
  if (schemas.empty()) return nullptr;
  const auto found = schemas.find(revision);
  return (found == schemas.end() ? schemas.find(kNewest) : found)->second.get();
}

WireSchema::WireSchema(std::string revision, json::Document document)
    : revision_(std::move(revision)),
      keyword_(json::find(document, "$defs") ? "$defs" : "definitions"),
      document_(std::make_unique<json::Document>(std::move(document))) {
  json::Document copy;
  copy.CopyFrom(*document_, copy.GetAllocator());
  documents_.add(std::string(kDocument), std::move(copy));
  client_requests_ = methods_of("ClientRequest");
  server_requests_ = methods_of("ServerRequest");
  server_notifications_ = methods_of("ServerNotification");
  for (const auto& member : json::find(*document_, keyword_)->GetObject()) {
    const json::Value* parts = reach(member.value, {"properties", "error", "allOf"});
    if (!parts) continue;
    for (const json::Value& part : parts->GetArray()) {
      const json::Value* code = reach(part, {"properties", "code", "const"});
      if (code) errors_.emplace(code->GetInt64(), json::view(member.name));
    }
  }
}

const json::Value* WireSchema::definition(std::string_view name) const {
  return reach(*document_, {keyword_, name});
}

WireSchema::Names WireSchema::methods_of(std::string_view union_name) const {
  Names names;
  const json::Value* alternatives = reach(*document_, {keyword_, union_name, "anyOf"});
  if (!alternatives) return names;
  for (const json::Value& alternative : alternatives->GetArray()) {
    const std::string reference = text_at(alternative, {"$ref"});
    const std::string name = reference.substr(reference.rfind('/') + 1);
    names.emplace(text_at(*definition(name), {"properties", "method", "const"}), name);
  }
  return names;
}

const schema::Schema& WireSchema::compiled(std::string_view name) const {
  if (const auto found = compiled_.find(name); found != compiled_.end()) return found->second;
  schema::Options options;
  options.documents = &documents_;
  options.assert_formats = true;
  auto schema =
      schema::Schema::compile_text(fmt::format(R"({{"$ref":"{}#/{}/{}"}})", kDocument, keyword_, name), options);
  if (!schema) std::fprintf(stderr, "MCP schema %s: %s\n", revision_.c_str(), schema.message().c_str());
  COLLET_ASSERT(schema);
  return compiled_.emplace(name, std::move(*schema)).first->second;
}

std::string WireSchema::check(std::string_view name, const json::Value& value) const {
  const schema::Report report = compiled(name).explain(value);
  if (report.verdict.valid()) return {};
  return fmt::format("{} of {} refuses it:\n{}", name, revision_, report.to_text());
}

// Of io.modelcontextprotocol/tasks, which no revision's schema has.
bool WireSchema::is_extension(std::string_view method) const {
  return revision_ >= kTasksExtensionRevision && (method.starts_with("tasks/") || method == "notifications/tasks");
}

std::string WireSchema::check_named(const Names& methods, std::string_view what, const json::Value& message) const {
  const std::string method = text_at(message, {"method"});
  if (const auto found = methods.find(method); found != methods.end()) return check(found->second, message);
  if (is_extension(method)) return {};
  return fmt::format("{} has no {} of a server that is called {}", revision_, what, method);
}

std::string WireSchema::check_request(const json::Value& message) const {
  const std::string bad = check("JSONRPCRequest", message);
  return bad.empty() ? check_named(server_requests_, "request", message) : bad;
}

std::string WireSchema::check_notification(const json::Value& message) const {
  const std::string bad = check("JSONRPCNotification", message);
  return bad.empty() ? check_named(server_notifications_, "notification", message) : bad;
}

std::string WireSchema::check_result(const json::Value& message) const {
  return check(definition("JSONRPCResultResponse") ? "JSONRPCResultResponse" : "JSONRPCResponse", message);
}

std::string WireSchema::check_result(const Asked& asked, const json::Value& message) const {
  const std::string bad = check_result(message);
  return bad.empty() ? result_of(asked, *json::find(message, "result")) : bad;
}

// The definition follows from the request's name: CallToolRequest, CallToolResult.
std::string WireSchema::result_of(const Asked& asked, const json::Value& result) const {
  if (is_extension(asked.method)) return {};
  const auto request = client_requests_.find(asked.method);
  if (request == client_requests_.end()) {
    return fmt::format("{} has no request {}, and yet there is a result", revision_, asked.method);
  }
  const std::string stem = request->second.substr(0, request->second.size() - std::string_view("Request").size());
  const std::string kind = text_at(result, {"resultType"});
  if (asked.method == "tools/call" && kind == "task" && is_extension("tasks/get")) return {};
  if (asked.as_task && definition("CreateTaskResult")) return check("CreateTaskResult", result);
  if (kind == "input_required") {
    const json::Value* response = reach(*document_, {keyword_, stem + "ResultResponse"});
    if (response && json::to_text(*response).find("/InputRequiredResult\"") != std::string::npos) {
      return check("InputRequiredResult", result);
    }
    return fmt::format("{} has no input_required for {}", revision_, asked.method);
  }
  return check(definition(stem + "Result") ? stem + "Result" : "EmptyResult", result);
}

std::string WireSchema::check_error(const json::Value& message) const {
  const std::string bad =
      check(definition("JSONRPCErrorResponse") ? "JSONRPCErrorResponse" : "JSONRPCError", message);
  if (!bad.empty()) return bad;
  const auto found = errors_.find(reach(message, {"error", "code"})->GetInt64());
  return found == errors_.end() ? "" : check(found->second, message);
}

std::string WireSchema::check_batch(const json::Value& messages) const {
  if (!definition("JSONRPCBatchResponse")) return fmt::format("{} has no batches", revision_);
  return messages.Empty() ? "a batch cannot be empty" : "";
}

void Conversation::client_sent(std::string_view text) {
  json::Document document;
  if (json::parse(text, document)) return;
  if (!document.IsArray()) return heard(document);
  for (const json::Value& message : document.GetArray()) heard(message);
}

void Conversation::heard(const json::Value& message) {
  if (!message.IsObject()) return;
  const json::Value* version = reach(message, {"params", "_meta", "io.modelcontextprotocol/protocolVersion"});
  if (version) {
    modern_ = version->IsString() ? json::view(*version) : kNewest;
  } else {
    was_legacy_ = true;
  }
  const json::Value* id = json::find(message, "id");
  const json::Value* method = json::find(message, "method");
  if (!id || !method || !method->IsString()) return;
  requests_[json::to_text(*id)] = {
      {std::string(json::view(*method)), reach(message, {"params", "task"}) != nullptr},
      version ? modern_ : revision_};
}

std::string Conversation::server_sent(std::string_view text) {
  if (!WireSchema::is_there()) return {};
  json::Document document;
  std::string why;
  if (const auto bad = json::parse(text, document)) {
    why = "it is not JSON: " + bad->message;
  } else if (document.IsArray()) {
    why = WireSchema::of(revision_)->check_batch(document);
    for (const json::Value& message : document.GetArray()) {
      if (why.empty()) why = judge(message);
    }
  } else {
    why = judge(document);
  }
  return why.empty() ? why : fmt::format("{}\n{}", why, text);
}

std::string Conversation::judge(const json::Value& message) {
  if (!message.IsObject()) return "a message is an object";
  return json::find(message, "method") ? judge_unasked(message) : judge_answer(message);
}

std::string Conversation::judge_answer(const json::Value& message) {
  const json::Value* id = json::find(message, "id");
  const bool is_error = json::find(message, "error") != nullptr;
  // JSON-RPC has null where it could not be read whom to answer, which older schemas forget; newer ones leave the
  // id out.
  if (!id) return is_error ? WireSchema::of(kNewest)->check_error(message) : "a result has an id";
  if (id->IsNull()) {
    if (revision_ >= "2025-11-25") return "an error without a request has no id";
    json::Document without_id;
    without_id.CopyFrom(message, without_id.GetAllocator());
    without_id.RemoveMember("id");
    return is_error ? WireSchema::of(kNewest)->check_error(without_id) : "a result has an id";
  }
  const auto found = requests_.find(json::to_text(*id));
  if (found == requests_.end()) {
    const WireSchema* schema = WireSchema::of(revision_);
    return is_error ? schema->check_error(message) : schema->check_result(message);
  }
  const Request& request = found->second;
  if (is_error) return WireSchema::of(request.revision)->check_error(message);
  if (request.asked.method == "initialize") revision_ = text_at(message, {"result", "protocolVersion"});
  const bool opens = request.asked.method == "initialize";
  return WireSchema::of(opens ? revision_ : request.revision)->check_result(request.asked, message);
}

// On a stream that both eras share it does not show which one it belongs to: it must be right in one of them.
std::string Conversation::judge_unasked(const json::Value& message) const {
  const bool is_request = json::find(message, "id") != nullptr;
  const auto check = [&](std::string_view revision) {
    const WireSchema* schema = WireSchema::of(revision);
    return is_request ? schema->check_request(message) : schema->check_notification(message);
  };
  if (modern_.empty()) return check(revision_);
  const std::string why = check(modern_);
  return !why.empty() && was_legacy_ ? check(revision_) : why;
}

}  // namespace collet::test
