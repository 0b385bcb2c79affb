// JSON Schema: 2020-12, 2019-09 and draft-07, complete, without ever fetching anything.
//
// A schema is compiled once and then used by any number of threads at once: everything const here is [any thread]
// and takes no lock. Validation allocates nothing, but for unevaluated* over more than 256 members or items, for
// uniqueItems over more than 1,024, and once a thread for a pattern that needs backtracking.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"

namespace collet::schema {

struct Program;

enum class Dialect : std::uint8_t { draft7, draft2019_09, draft2020_12 };
inline constexpr unsigned kDialects = 3;

// What was hit before there was an answer.
enum class Limit : std::uint8_t {
  none,
  fuel,   // too many steps
  depth,  // subschemas within one another, or an instance nested too deeply to compare
  regex,  // a regular expression backtracked too much
};
std::string_view name(Limit limit);
std::string_view name(Dialect dialect);

// Documents that a $ref or $schema may name besides the bundled metaschemas, by absolute URI without a fragment.
// Outlives the compilation, not the schema.
class Documents {
 public:
  // An earlier document of the same URI stays.
  void add(std::string uri, json::Document document);
  // Null if there is none.
  const json::Value* find(std::string_view uri) const;

 private:
  std::map<std::string, json::Document, std::less<>> documents_;
};

struct Limits {
  unsigned depth_max = limits::kSchemaDepthMax;
  unsigned nodes_max = limits::kSchemaNodesMax;
  unsigned constants_max = limits::kSchemaConstantsMax;
  unsigned evaluation_depth_max = limits::kSchemaEvaluationDepthMax;
  std::int64_t fuel = limits::kSchemaFuel;
};

struct Options {
  Dialect default_dialect = Dialect::draft2020_12;  // of a schema without $schema
  bool assert_formats = false;                      // or `format` is an annotation, as 2020-12 says
  bool check_metaschema = true;
  const Documents* documents = nullptr;
  Limits limits;
};

struct CompileError {
  enum class Kind : std::uint8_t {
    not_json,
    metaschema,       // the schema violates its metaschema
    malformed,        // likewise, in a document that is not checked against one
    unknown_dialect,  // $schema names none that is known, or needs a vocabulary that is not
    unresolved,       // a reference leads nowhere; what would need the network does too
    bad_pattern,
    too_deep,
    too_large,
  };
  Kind kind = Kind::metaschema;
  std::string location;  // JSON Pointer into the schema
  std::string keyword;
  std::string message;  // whole: it names location and keyword
};

enum class Outcome : std::uint8_t { valid, invalid, limit };

struct Verdict {
  Outcome outcome = Outcome::valid;
  Limit limit = Limit::none;  // set exactly if the outcome is Outcome::limit
  std::int64_t steps = 0;     // what it took, of Limits::fuel; what it took to find reasons is counted too

  bool valid() const { return outcome == Outcome::valid; }
};

// One reason why an instance is not valid.
struct Violation {
  std::string instance;  // JSON Pointer into the instance
  std::string schema;  // JSON Pointer into the schema to the keyword, with the URI of its document if it is another
  std::string_view keyword;
  std::string expected;
  std::string got;
  std::string missing = {};  // the property that is not there but has to be; of other violations empty

  // "must have at least 1 item"
  std::string demand() const;
  // In words that tell how to mend it: /order/by [enum] must be one of ["asc","desc"], got "up"
  std::string to_message() const;
};

struct Report {
  Verdict verdict;
  std::vector<Violation> violations;  // at least one if invalid
  bool truncated = false;             // there may be more

  // The messages, a line each; or what limit was hit; or nothing.
  std::string to_text() const;
};

class Schema {
 public:
  // `schema` and options.documents are borrowed until compile() returns. `why`, if given, receives what the
  // failure's message says, taken apart.
  static Result<Schema> compile(const json::Value& schema, const Options& options = {},
                                CompileError* why = nullptr);
  static Result<Schema> compile_text(std::string_view schema, const Options& options = {},
                                     CompileError* why = nullptr);

  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;
  ~Schema();

  // The verdict and nothing else. A limit is its own verdict, whatever keyword it was hit under.
  Verdict validate(const json::Value& instance) const;
  // The same verdict, with reasons. For anyOf and oneOf they are those of the branch that comes closest.
  Report explain(const json::Value& instance, std::size_t errors_max = limits::kSchemaErrorsMax) const;

  Dialect dialect() const;

 private:
  explicit Schema(std::unique_ptr<const Program> program);

  std::unique_ptr<const Program> program_;
};

}  // namespace collet::schema
