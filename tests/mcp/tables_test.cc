#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "mcp/calls.h"
#include "mcp/error_codes.h"
#include "mcp/kinds.h"
#include "mcp/names.h"
#include "mcp/traits.h"
#include "mcp/version.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::mcp;

namespace {

// The schema of that revision; empty where it cannot be found.
std::string schema_of(std::string_view revision) {
  const char* named = std::getenv("COLLET_MCP_SCHEMA_DIR");
  std::ifstream in(std::string(named ? named : COLLET_MCP_SCHEMA_DIR) + '/' + std::string(revision) + "/schema.json");
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::string& newest_schema() {
  static const std::string kText = [] {
    std::string text = schema_of(kModernVersions.front());
    if (text.empty()) WARN("the words of MCP's schema are not checked: COLLET_MCP_SCHEMA_DIR has no schema.json of its newest revision");
    return text;
  }();
  return kText;
}

// Whether a word stands in the newest schema, in quotes or as it is.
bool is_known(std::string_view word, bool in_quotes = true) {
  INFO(word);
  const std::string wanted = in_quotes ? '"' + std::string(word) + '"' : std::string(word);
  const bool known = newest_schema().empty() || newest_schema().find(wanted) != std::string::npos;
  CHECK(known);
  return known;
}

}  // namespace

TEST_CASE("each kind of item has its row, in the words of MCP's schema") {
  for (unsigned kind = 0; kind < kKinds; ++kind) {
    const KindNames& names = kKindTable[kind];
    CHECK(static_cast<unsigned>(names.kind) == kind);
    CHECK(&names_of(names.kind) == &names);
    CHECK_FALSE(names.word.empty());
    CHECK_FALSE(names.words.empty());
    CHECK((names.name_member == "name") != has_uri_name(names.kind));
    const bool is_listed = kind < kListedKinds;
    CHECK(names.list_method.empty() != is_listed);
    CHECK(names.list_member.empty() != is_listed);
    if (!is_listed) continue;
    is_known(names.name_member);
    is_known(names.list_method);
    is_known(names.list_member);
    CHECK((kListedBits & bit(names.kind)) != 0);
  }
}

TEST_CASE("each list is told of by one notification") {
  unsigned told = 0;
  for (const ChangingList& list : kChangingLists) {
    CHECK((list.kinds & bit(list.kind)) != 0);
    CHECK((told & list.kinds) == 0);
    told |= list.kinds;
    is_known(list.method);
    is_known(list.asked_by);
  }
  CHECK(told == kListedBits);
}

TEST_CASE("each kind of call has its row, in the words of MCP's schema") {
  for (unsigned kind = 0; kind < kCallKinds; ++kind) {
    const CallNames& names = kCallTable[kind];
    CHECK(static_cast<unsigned>(names.kind) == kind);
    CHECK(&names_of(names.kind) == &names);
    CHECK_FALSE(names.noun.empty());
    if (names.kind == CallKind::route) continue;
    is_known(names.method);
    is_known(names.array);
    is_known(names.result_member);
    CHECK(is_result_member(names.result_member));
  }
}

TEST_CASE("what a plugin may set in a result is no member of MCP's") {
  for (const std::string_view own : {kMeta, kResultType, kStructuredContent, kIsError, kInputRequests, kRequestState}) {
    is_known(own);
    CHECK(is_result_member(own));
  }
  CHECK(is_result_member(kTask));
  for (const std::string_view free : {"", "description", "ttlMs", "values", "hasMore"}) CHECK_FALSE(is_result_member(free));
}

TEST_CASE("each request for input has its row, and no trait two") {
  std::set<std::string_view> capabilities;
  for (const InputNames& input : kInputTable) {
    CHECK(input_by(input.method) == &input);
    is_known(input.method);
    is_known(input.capability);
    capabilities.insert(input.capability);
    Traits needs;
    needs.*input.needed = true;
    CHECK(needs != Traits());
  }
  CHECK(capabilities.size() == std::size(kInputTable));
  CHECK(kElicitation.needed == &Traits::needs_elicitation);
  CHECK(kRoots.needed == &Traits::needs_roots);
  CHECK(input_by("tools/call") == nullptr);
}

TEST_CASE("an item says whether it may be a task, as execution.taskSupport has it") {
  CHECK(task_support({}).empty());
  CHECK(task_support({.task_optional = true}) == "optional");
  CHECK(task_support({.task_optional = true, .task_required = true}) == "required");
}

TEST_CASE("each annotation of a tool has its row") {
  unsigned hints = 0;
  for (const HintNames& names : kHintTable) {
    CHECK((hints & names.hint) == 0);
    hints |= names.hint;
    is_known(names.annotation);
    CHECK(names.rule.starts_with('@'));
  }
  CHECK(hints == (kReadOnly | kDestructive | kIdempotent | kOpenWorld));
  // Each hint of the schema, of which there may be more one day.
  const std::regex hint(R"("[a-z]\w*Hint": \{)");
  const std::sregex_iterator first(newest_schema().begin(), newest_schema().end(), hint), end;
  if (!newest_schema().empty()) CHECK(static_cast<std::size_t>(std::distance(first, end)) == std::size(kHintTable));
}

TEST_CASE("MCP's own error codes are those of its schema, and no two are the same") {
  std::set<int> codes;
  for (const int code : {kHeaderMismatch, kMissingClientCapability, kUnsupportedVersion}) {
    is_known(std::to_string(code), false);
    CHECK(code <= -32020);  // what is reserved for the specification
    CHECK(code >= -32099);
  }
  const int all[] = {kParseError,     kInvalidRequest,          kMethodNotFound,     kInvalidParams,   kInternalError,
                     kHeaderMismatch, kMissingClientCapability, kUnsupportedVersion, kResourceNotFound};
  codes.insert(std::begin(all), std::end(all));
  CHECK(codes.size() == std::size(all));
}

TEST_CASE("a revision is one of its era's, and newer ones come first") {
  for (const std::string_view version : kModernVersions) {
    CHECK(known_modern(version) == version);
    CHECK(known_legacy(version).empty());
    CHECK(version > kLegacyVersions.front());
  }
  for (std::size_t i = 0; i < kLegacyVersions.size(); ++i) {
    CHECK(known_legacy(kLegacyVersions[i]) == kLegacyVersions[i]);
    CHECK(known_modern(kLegacyVersions[i]).empty());
    if (i > 0) CHECK(kLegacyVersions[i] < kLegacyVersions[i - 1]);
  }
  CHECK(known_legacy("2025-01-01").empty());
}
