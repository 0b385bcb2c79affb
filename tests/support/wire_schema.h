// Messages held against the schemas of the protocol's revisions, which lie in the folder that the environment
// variable COLLET_MCP_SCHEMA_DIR names, or else where CMake was told. Where there is no such folder nothing is
// refused.
//
// Only what the server sends is judged: a test's client may be wrong by intent. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "schema/schema.h"

namespace collet::test {

// The schema of one revision. The functions that judge return "", or why the schema refuses the message.
class WireSchema {
 public:
  // Null where the schemas are absent, which is said once on stderr. Of a revision that has none: the newest.
  static const WireSchema* of(std::string_view revision);
  static bool is_there() { return of("") != nullptr; }

  // The definition of that name, which there must be.
  std::string check(std::string_view name, const json::Value& value) const;

  // A request that a client made, as far as its answer depends on it.
  struct Asked {
    std::string method;
    bool as_task = false;  // of the 2025-11-25 core tasks
  };

  std::string check_request(const json::Value& message) const;
  std::string check_notification(const json::Value& message) const;
  std::string check_result(const Asked& asked, const json::Value& message) const;
  // Of which request is not known.
  std::string check_result(const json::Value& message) const;
  std::string check_error(const json::Value& message) const;
  std::string check_batch(const json::Value& messages) const;

 private:
  using Names = std::map<std::string, std::string, std::less<>>;

  WireSchema(std::string revision, json::Document document);

  // The definitions that a union is of, by their method.
  Names methods_of(std::string_view union_name) const;
  const json::Value* definition(std::string_view name) const;
  const schema::Schema& compiled(std::string_view name) const;
  std::string check_named(const Names& methods, std::string_view what, const json::Value& message) const;
  std::string result_of(const Asked& asked, const json::Value& result) const;
  bool is_extension(std::string_view method) const;

  const std::string revision_;
  std::string keyword_;  // $defs, as its dialect has it
  std::unique_ptr<json::Document> document_;
  schema::Documents documents_;
  Names client_requests_;
  Names server_requests_;
  Names server_notifications_;
  std::map<std::int64_t, std::string> errors_;  // the definitions of errors that have one, by code
  mutable std::map<std::string, schema::Schema, std::less<>> compiled_;
};

// What goes to and fro between a client and the server: an answer is judged by the request that it answers.
class Conversation {
 public:
  // Messages that do not say otherwise are of this revision …
  explicit Conversation(std::string_view revision = "2025-03-26") : revision_(revision) {}
  // … until an initialize settles on another.
  const std::string& revision() const { return revision_; }

  // Anything at all.
  void client_sent(std::string_view text);
  // Returns "", or why the revision's schema refuses the message.
  std::string server_sent(std::string_view text);

 private:
  struct Request {
    WireSchema::Asked asked;
    std::string revision;
  };

  void heard(const json::Value& message);
  std::string judge(const json::Value& message);
  std::string judge_answer(const json::Value& message);
  std::string judge_unasked(const json::Value& message) const;

  std::string revision_;
  bool was_legacy_ = false;                  // a message of the client's was
  std::string modern_;                       // the revision of the client's last message that names its own
  std::map<std::string, Request> requests_;  // by the id's text
};

}  // namespace collet::test
