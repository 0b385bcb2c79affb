// The plugin "sqlite": tables, their schema, and SQL on one SQLite database.
//
// [plugin.sqlite.config]
//   database         path of the file, or ":memory:". Without it the tools answer with what to configure: an empty
//                    database in its place would look like one that has lost its tables.
//   read_only        default true: no file is made, also not beside a database in WAL mode. false: statements may
//                    write, and a missing file is created
//   max_rows         1 to 100'000, default 200: rows in one answer
//   max_bytes        1'024 to 4'194'304, default 262'144: values in one answer. A single value or row, also one
//                    that is only computed with, has four times as much at most, but 262'144 at least and
//                    4'194'304 at most.
//   max_memory_bytes 16'777'216 to 68'719'476'736, default 268'435'456: what SQLite takes for all calls together,
//                    to hold pages, to sort, and for the data of ":memory:". What is enforced is the sum of all
//                    databases in the process, also those of other plugins.
//   timeout_ms       1 to 3'600'000, default 30'000: one statement. It is looked at within each loop, and
//                    before each function that can take long; what lies between takes some seconds at most.
//   busy_timeout_ms  0 to 600'000, default 5'000: waiting for another program's lock
#include <algorithm>
#include <charconv>
#include <cmath>

#include <collet/kit/base64.hpp>
#include <collet/plugin.hpp>

#include "sqlite/database.h"

namespace sqlite {
namespace {

void write_value(std::string& out, std::nullptr_t) { out += "null"; }
void write_value(std::string& out, std::int64_t number) { collet::append_json(out, number); }
void write_value(std::string& out, double number) {
  if (!std::isfinite(number)) {  // NaN is NULL to SQLite
    return collet::append_json(out, number > 0 ? "Infinity" : "-Infinity");
  }
  const std::size_t begin = out.size();
  collet::append_json(out, number);
  if (out.find_first_of(".e", begin) == out.npos) out += ".0";  // it is a REAL, and stays one
}
void write_value(std::string& out, const std::string& text) { collet::append_json(out, text); }
void write_value(std::string& out, const Blob& blob) { out += "{\"base64\":\"" + collet::kit::base64(blob.bytes) + "\"}"; }

// An integer stays one; 1.0 and 1e3 are not integers to SQLite.
Value read_number(collet::JsonReader& in) {
  const std::string_view text = in.read_raw();
  if (text.find_first_of(".eE") != text.npos) return collet::JsonReader(text).read_number<double>();
  std::int64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{}) {
    in.fail("does not fit into 64 bits: pass it as a string");
  }
  return number;
}

}  // namespace
}  // namespace sqlite

template <>
struct collet::Codec<sqlite::Value> {
  // One type at a time: there are clients that die of a list of types.
  static void schema(SchemaText& out) {
    out.add_raw("anyOf",
                R"([{"type":"string"},{"type":"number"},{"type":"boolean"},{"type":"null"},{"type":"object"}])");
  }
  static void read(JsonReader& in, sqlite::Value& out) {
    const std::string_view type = in.peek();
    if (type == "string") {
      Codec<std::string>::read(in, out.emplace<std::string>());
    } else if (type == "boolean") {
      out = std::int64_t{in.read_bool()};
    } else if (type == "number") {
      out = sqlite::read_number(in);
    } else if (!in.read_null()) {
      in.fail_type("string, number, boolean or null");
    }
  }
  static void write(std::string& out, const sqlite::Value& value) {
    std::visit([&out](const auto& scalar) { sqlite::write_value(out, scalar); }, value);
  }
};

template <>
struct collet::Codec<sqlite::Parameters> {
  static void schema(SchemaText& out) {
    const std::string scalar =
        R"({"anyOf":[{"type":"string"},{"type":"number"},{"type":"boolean"},{"type":"null"}]})";
    out.add_raw("anyOf", R"([{"type":"array","items":)" + scalar + R"(},{"type":"object","additionalProperties":)" +
                             scalar + "}]");
  }
  static void read(JsonReader& in, sqlite::Parameters& out) {
    if (in.peek() == std::string_view("object")) {
      Codec<std::map<std::string, sqlite::Value>>::read(in, out.emplace<1>());
    } else {
      Codec<std::vector<sqlite::Value>>::read(in, out.emplace<0>());
    }
  }
};

namespace sqlite {
namespace {

struct Config {
  std::optional<std::string> database;
  bool read_only = true;
  std::uint64_t max_rows = 200;
  std::uint64_t max_bytes = 256u << 10;
  std::uint64_t max_memory_bytes = 256u << 20;
  std::uint64_t timeout_ms = 30'000;
  std::uint64_t busy_timeout_ms = 5'000;

  static void describe(collet::Fields<Config>& f) {
    f(&Config::database, "Path of the database file, or \":memory:\"");
    f(&Config::read_only, "false: statements may write, and a missing file is created").optional();
    f(&Config::max_rows, "Rows in one answer").optional().min(1).max(100'000);
    f(&Config::max_bytes, "Bytes of all values in one answer").optional().min(1u << 10).max(4u << 20);
    f(&Config::max_memory_bytes, "What SQLite takes for all calls together")
        .optional()
        .min(16u << 20)
        .max(std::uint64_t{64} << 30);
    f(&Config::timeout_ms, "One statement").optional().min(1).max(3'600'000);
    f(&Config::busy_timeout_ms, "Waiting for another program's lock").optional().max(600'000);
  }
};

Cancelled cancellation_of(const collet::Call& call) {
  return [&call] { return call.cancelled(); };
}

struct Tables {
  std::vector<TableName> tables;
};

struct Describe {
  std::string table;

  static void describe(collet::Fields<Describe>& f) { f(&Describe::table, "Name of a table or view"); }
};

struct Query {
  std::string sql;
  std::optional<Parameters> params;
  std::optional<std::uint64_t> max_rows;

  static void describe(collet::Fields<Query>& f) {
    f(&Query::sql, "One statement. Give values as parameters: ? with params as an array, :name with an object");
    f(&Query::params, "Values of the parameters");
    f(&Query::max_rows, "Answer with at most so many rows").min(1);
  }
};

struct Answer {
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows;
  bool truncated = false;
  std::optional<std::int64_t> changes, last_insert_rowid;
  std::optional<std::string> note;

  static void describe(collet::Fields<Answer>& f) {
    f(&Answer::rows, "A blob is {\"base64\": …}");
    f(&Answer::changes, "Rows that a writing statement changed");
  }
};

Answer query(Database& database, const Config& config, const Query& in, const collet::Call& call) {
  const Caps caps{std::min(in.max_rows.value_or(config.max_rows), config.max_rows), config.max_bytes};
  Rows rows = database.query(in.sql, in.params.value_or(Parameters()), caps, cancellation_of(call));
  Answer answer{std::move(rows.columns), std::move(rows.rows), rows.truncated, {}, rows.last_insert_rowid, {}};
  if (rows.last_insert_rowid) answer.changes = rows.changes;
  if (rows.row_too_large) {
    answer.note =
        "The next row alone is larger than max_bytes: select fewer columns, or parts of them with substr()";
  } else if (rows.truncated) {
    answer.note = "There are more rows: narrow the statement, or page through them with ORDER BY, LIMIT and OFFSET";
  }
  return answer;
}

// More than an answer holds, so that a part of a long value can be asked for.
std::uint64_t value_bytes_max(const Config& config) {
  return std::clamp<std::uint64_t>(config.max_bytes * 4, 256u << 10, 4u << 20);
}

// What the tools share. Any thread.
class Source {
 public:
  explicit Source(Config config) : config_(std::move(config)) {
    if (config_.database) {
      database_.emplace(Settings{*config_.database, config_.read_only, config_.busy_timeout_ms, config_.timeout_ms,
                                 value_bytes_max(config_), config_.max_memory_bytes});
    }
  }

  const Config& config() const { return config_; }
  Database& database() {
    if (!database_) {
      throw Failure(
          "no database is configured: add database = \"/path/to/file.db\" to [plugin.sqlite.config] in the "
          "configuration of the server, and restart it");
    }
    return *database_;
  }

 private:
  const Config config_;
  std::optional<Database> database_;
};

}  // namespace
}  // namespace sqlite

COLLET_PLUGIN("org.collet.sqlite", "1.0.0", plugin, .flags = COLLET_PLUGIN_CONCURRENT, .title = "SQLite",
              .description = "Tables, their schema, and SQL on one SQLite database",
              .config_schema = collet::schema_of<sqlite::Config>) {
  using namespace sqlite;
  Source& source = plugin.keep<Source>(plugin.config<Config>());
  const bool read_only = source.config().read_only;

  plugin.tool("sqlite_tables", "List the tables and views of the SQLite database.",
              [&source](collet::Call& call) { return Tables{source.database().tables(cancellation_of(call))}; },
              {.read_only = true});
  plugin.tool<Describe>("sqlite_describe",
                        "Describe a table or view of the SQLite database: columns, types, keys, indexes, the "
                        "statement that created it.",
                        [&source](const Describe& in, collet::Call& call) {
                          return source.database().describe(in.table, cancellation_of(call));
                        },
                        {.read_only = true});
  plugin.tool<Query>("sqlite_query",
                     std::string("Run one statement of SQLite's SQL. ") +
                         (read_only ? "The database is read-only." : "Each call is a transaction of its own.") +
                         " Look at sqlite_tables and sqlite_describe first; an error says where in the SQL it is.",
                     [&source](const Query& in, collet::Call& call) {
                       return query(source.database(), source.config(), in, call);
                     },
                     {.read_only = read_only, .destructive = !read_only});
}
