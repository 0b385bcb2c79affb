// The plugin "files": lists, reads, writes and searches files beneath configured directories, and nothing outside.
//
// [plugin.files.config]
//   roots            array of directories, each "path" or { path, name, writable }; default [].
//                    name: how paths begin, by default the directory's own name. writable: default false.
//   max_read_bytes   1'024 to 16'777'216, default 262'144: content in one answer
//   max_results      1 to 10'000, default 200: entries, paths or lines in one answer
//   max_search_bytes 1'024 to 268'435'456, default 33'554'432: larger files are not searched
//   max_visited      1 to 10'000'000, default 200'000: files and directories that one search looks at
#include <algorithm>
#include <ctime>

#include <collet/plugin.hpp>

#include "files/glob.h"
#include "files/grep.h"
#include "files/read.h"
#include "files/utf8.h"
#include "files/walk.h"
#include "files/write.h"

// A root is a path, or a table with more to say.
template <>
struct collet::Codec<files::Root> {
  struct Table {
    std::string path;
    std::optional<std::string> name;
    bool writable = false;

    static void describe(Fields<Table>& f) { f(&Table::writable).optional(); }
  };

  static void schema(SchemaText& out) {
    out.add_raw("anyOf", "[{\"type\":\"string\"}," + schema_of<Table>() + "]");
  }
  static void read(JsonReader& in, files::Root& out) {
    if (in.peek() == std::string_view("string")) return Codec<std::string>::read(in, out.path);
    Table table;
    Codec<Table>::read(in, table);
    out = {table.name.value_or(""), table.path, table.writable};
  }
  static void write(std::string& out, const files::Root& root) {
    Codec<Table>::write(out, {root.path, root.name, root.writable});
  }
};

namespace files {
namespace {

constexpr std::uint64_t kEntriesBetweenProgress = 1'024;

struct Config {
  std::vector<Root> roots;
  std::uint64_t max_read_bytes = 256u << 10;
  std::uint32_t max_results = 200;
  std::uint64_t max_search_bytes = 32u << 20;
  std::uint64_t max_visited = 200'000;

  static void describe(collet::Fields<Config>& f) {
    f(&Config::roots, "Directories that the tools may see").optional();
    f(&Config::max_read_bytes, "Content in one answer").optional().min(1u << 10).max(16u << 20);
    f(&Config::max_results, "Entries, paths or lines in one answer").optional().min(1).max(10'000);
    f(&Config::max_search_bytes, "Larger files are not searched").optional().min(1u << 10).max(256u << 20);
    f(&Config::max_visited, "Files and directories that one search looks at").optional().min(1).max(10'000'000);
  }
};

// What the tools share. Any thread.
struct Files {
  explicit Files(Config given) : config(std::move(given)), roots(config.roots) {}

  // Where a search starts: at one place, or at every root.
  std::vector<Location> starts(const std::string& path) const {
    if (!path.empty() || roots.all().empty()) return {roots.locate(path)};
    std::vector<Location> all;
    for (const Root& root : roots.all()) all.push_back({&root, ""});
    return all;
  }

  const Config config;
  const Roots roots;
};

Cancelled cancellation_of(const collet::Call& call) {
  return [&call] { return call.cancelled(); };
}

[[noreturn]] void stop() { throw Failure("the call was cancelled"); }

std::string utc(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  char text[32];
  if (!::gmtime_r(&time, &parts) || std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) return "";
  return text;
}

// Sentences for the model about what an answer leaves out.
class Note {
 public:
  void add(std::string sentence) { text_ += (text_.empty() ? "" : " ") + std::move(sentence) + '.'; }
  void add_count(std::uint64_t count, const char* what) {
    if (count > 0) add(std::to_string(count) + ' ' + what);
  }
  std::optional<std::string> text() const { return text_.empty() ? std::nullopt : std::optional(text_); }

 private:
  std::string text_;
};

// ---- files_list

struct List {
  std::string path;
  std::string after;

  static void describe(collet::Fields<List>& f) {
    f(&List::path, "A directory, such as \"docs/guide\". Without it: the roots, with which every path begins")
        .optional();
    f(&List::after, "Continue behind the entry of this name, after a truncated answer").optional();
  }
};

struct Listed {
  std::string path;
  Kind type;
  std::optional<std::uint64_t> size;
  std::optional<std::string> modified;
  std::optional<bool> writable;

  static void describe(collet::Fields<Listed>& f) {
    f(&Listed::size, "Bytes of a file");
    f(&Listed::writable, "Of a root: whether files_write works there");
  }
};

struct Listing {
  std::vector<Listed> entries;
  bool truncated = false;
  std::optional<std::string> note;
};

Listing list_roots(const Files& files) {
  (void)files.starts("");  // says what to do if there is none
  Listing listing;
  for (const Root& root : files.roots.all()) {
    listing.entries.push_back({root.name, Kind::directory, {}, {}, root.writable});
  }
  return listing;
}

Listing list(const Files& files, const List& in, collet::Call& call) {
  if (in.path.empty()) return list_roots(files);
  const Location location = files.roots.locate(in.path);
  const Directory directory = read_directory(location);
  Listing listing;
  for (const Entry& entry : directory.entries) {
    if (!in.after.empty() && entry.name <= in.after) continue;
    if (listing.entries.size() == files.config.max_results) {
      listing.truncated = true;
      break;
    }
    if (call.cancelled()) stop();
    const Location child = location.child(entry.name);
    Listed listed{child.shown(), entry.kind, {}, {}, {}};
    if (const auto details = details_of(child)) {
      if (entry.kind == Kind::file) listed.size = details->size;
      listed.modified = utc(details->modified_s);
    }
    listing.entries.push_back(std::move(listed));
  }
  Note note;
  if (listing.truncated) note.add("There are more entries: call again with after = the name of the last one");
  note.add_count(directory.unnameable, "entries are left out because their names are not UTF-8");
  listing.note = note.text();
  return listing;
}

// ---- files_read

struct Read {
  std::string path;
  std::optional<std::uint64_t> first_line, line_count;
  std::optional<std::uint64_t> offset, length;
  bool binary = false;

  static void describe(collet::Fields<Read>& f) {
    f(&Read::path, "A file, such as \"docs/guide/start.md\"");
    f(&Read::first_line, "Read from this line on, counted from 1").min(1);
    f(&Read::line_count, "Read so many lines").min(1);
    f(&Read::offset, "Read from this byte on; not together with lines");
    f(&Read::length, "Read so many bytes; not together with lines").min(1);
    f(&Read::binary, "Answer with the bytes, base64-encoded, whatever they are").optional();
  }

  bool by_bytes() const { return offset || length || binary; }
};

collet::Content read_bytes_tool(const Location& location, const Read& in, std::uint64_t max_bytes) {
  Part part = read_bytes(location, in.offset.value_or(0), std::min(in.length.value_or(max_bytes), max_bytes));
  std::string_view bytes = part.bytes;
  if (!in.binary) {
    const char* const begin = bytes.data();
    bytes = whole_characters(bytes);
    part.offset += static_cast<std::uint64_t>(bytes.data() - begin);
    if (!is_text(bytes)) {
      throw Failure(in_quotes(location.shown()) +
                    " is not text, at least not there: pass binary = true for its bytes");
    }
  }
  const std::uint64_t end = part.offset + bytes.size();
  collet::Content content;
  if (in.binary) {
    content.resource(std::string(bytes), "application/octet-stream");
  } else {
    content.text(std::string(bytes));
  }
  if (part.offset > 0 || !part.at_end) {
    std::string note = "[bytes " + std::to_string(part.offset) + " to " + std::to_string(end) + " of " +
                       std::to_string(part.file_size);
    content.text(note + (part.at_end ? "]" : "; continue with offset = " + std::to_string(end) + "]"));
  }
  return content;
}

collet::Content read_lines_tool(const Location& location, const Read& in, std::uint64_t max_bytes,
                                const Cancelled& cancelled) {
  const std::uint64_t first = in.first_line.value_or(1);
  const Part part = read_lines(location, first, in.line_count.value_or(UINT64_MAX), max_bytes, cancelled);
  if (cancelled()) stop();
  const std::string_view text = part.at_end ? part.bytes : whole_characters(part.bytes);
  if (!is_text(text)) {
    throw Failure(in_quotes(location.shown()) + " is not text (UTF-8); it has " + std::to_string(part.file_size) +
                  " bytes: pass binary = true for its bytes as base64");
  }
  collet::Content content;
  content.text(std::string(text));
  if (part.line_is_cut) {
    content.text("[line " + std::to_string(part.last_line) +
                 " is cut; continue with offset = " + std::to_string(part.offset + text.size()) +
                 "; the file has " + std::to_string(part.file_size) + " bytes]");
  } else if (part.last_line == 0) {
    content.text(part.file_size == 0 ? "[the file is empty]" : "[the file has fewer lines]");
  } else if (first > 1 || !part.at_end) {
    std::string note = "[lines " + std::to_string(first) + " to " + std::to_string(part.last_line) +
                       " of a file of " + std::to_string(part.file_size) + " bytes";
    if (!part.at_end) note += "; continue with first_line = " + std::to_string(part.last_line + 1);
    content.text(note + "]");
  }
  return content;
}

collet::Content read(const Files& files, const Read& in, collet::Call& call) {
  if (in.by_bytes() && (in.first_line || in.line_count)) {
    throw Failure("give either lines (first_line, line_count) or bytes (offset, length, binary)");
  }
  const Location location = files.roots.locate(in.path);
  if (in.by_bytes()) return read_bytes_tool(location, in, files.config.max_read_bytes);
  return read_lines_tool(location, in, files.config.max_read_bytes, cancellation_of(call));
}

// ---- files_write

struct Write {
  std::string path;
  std::string content;
  bool overwrite = false;
  bool create_parents = false;

  static void describe(collet::Fields<Write>& f) {
    f(&Write::path, "The file, beneath a writable root");
    f(&Write::content, "All of its new text");
    f(&Write::overwrite, "Replace the file if it exists").optional();
    f(&Write::create_parents, "Create missing directories").optional();
  }
};

struct Written {
  std::string path;
  std::uint64_t bytes;
};

Written write(const Files& files, const Write& in) {
  const Location location = files.roots.locate(in.path);
  write_file(location, in.content, {in.overwrite, in.create_parents});
  return {location.shown(), in.content.size()};
}

// ---- files_find and files_grep

// Visits what lies below each start, as long as `visit` returns true, and tells the call how far it is.
void search(const Files& files, const std::vector<Location>& starts, const collet::Call& call, Note& note,
            const std::function<bool(const Location& start, const Location& found, Kind)>& visit) {
  WalkReport total;
  bool wants_more = true;
  for (const Location& start : starts) {
    const auto left = files.config.max_visited - total.entries;
    const WalkReport report = walk(start, left, cancellation_of(call), [&](const Location& found, Kind kind) {
      if (++total.entries % kEntriesBetweenProgress == 0) {
        call.progress(static_cast<double>(total.entries), 0, "entries searched");
      }
      return wants_more = visit(start, found, kind);
    });
    if (call.cancelled()) stop();
    total.unnameable += report.unnameable;
    total.unreadable += report.unreadable;
    if (!wants_more) break;
    if (!report.complete) {
      note.add("The search ended after " + std::to_string(total.entries) +
               " entries: search a directory further down");
      break;
    }
  }
  note.add_count(total.unnameable, "entries are left out because their names are not UTF-8");
  note.add_count(total.unreadable, "directories could not be opened");
}

// A path as a glob sees it: beneath the place where the search starts.
std::string_view below(const Location& start, const Location& found) {
  std::string_view path = found.relative;
  if (found.relative == start.relative) return found.leaf();
  path.remove_prefix(start.relative.empty() ? 0 : start.relative.size() + 1);
  return path;
}

constexpr const char* kGlobSyntax =
    "Glob: * and ? within a name, ** across directories, [a-z], {a,b}. Without '/' it is matched against names "
    "alone, "
    "else against the path below `path`: \"*.md\", \"src/**/*.{h,cc}\"";
constexpr const char* kSearchPath = "Where to search: a directory or a file. Without it: all roots";

struct Find {
  std::string pattern;
  std::string path;

  static void describe(collet::Fields<Find>& f) {
    f(&Find::pattern, kGlobSyntax);
    f(&Find::path, kSearchPath).optional();
  }
};

struct Found {
  std::vector<std::string> paths;
  bool truncated = false;
  std::optional<std::string> note;

  static void describe(collet::Fields<Found>& f) { f(&Found::paths, "Sorted; a directory ends in '/'"); }
};

Found find(const Files& files, const Find& in, collet::Call& call) {
  const Glob glob(in.pattern);
  Found found;
  Note note;
  search(files, files.starts(in.path), call, note, [&](const Location& start, const Location& at, Kind kind) {
    if (!glob.matches(below(start, at))) return true;
    found.truncated = found.paths.size() == files.config.max_results;
    if (!found.truncated) found.paths.push_back(at.shown() + (kind == Kind::directory ? "/" : ""));
    return !found.truncated;
  });
  if (found.truncated) note.add("There are more: narrow the pattern or the path");
  found.note = note.text();
  return found;
}

struct Grep {
  std::string pattern;
  std::string path;
  std::optional<std::string> glob;
  bool regex = true;
  bool ignore_case = false;
  std::uint32_t context_lines = 0;

  static void describe(collet::Fields<Grep>& f) {
    f(&Grep::pattern,
      "Regular expression (RE2: no lookaround, no backreferences), or plain text if regex is false. "
      "A match lies within one line");
    f(&Grep::path, kSearchPath).optional();
    f(&Grep::glob, std::string("Search only files that match. ") + kGlobSyntax);
    f(&Grep::regex).optional();
    f(&Grep::ignore_case).optional();
    f(&Grep::context_lines, "Lines to show before and after each match").optional().max(20);
  }
};

struct GrepLine {
  std::uint64_t line;
  std::string text;
  std::optional<std::vector<std::string>> before, after;
};

struct GrepFile {
  std::string path;
  std::vector<GrepLine> matches;
};

struct Grepped {
  std::vector<GrepFile> files;
  std::uint64_t files_searched = 0;
  bool truncated = false;
  std::optional<std::string> note;
};

// One run of files_grep.
class GrepRun {
 public:
  GrepRun(const Files& files, const Grep& in, const collet::Call& call)
      : config_(files.config),
        in_(in),
        call_(call),
        pattern_(in.pattern, in.regex ? LinePattern::Syntax::regex : LinePattern::Syntax::literal, in.ignore_case) {
    if (in.glob) glob_.emplace(*in.glob);
  }

  // False once there is enough.
  bool visit(const Location& start, const Location& at, Kind kind) {
    if (kind != Kind::file || (glob_ && !glob_->matches(below(start, at)))) return true;
    try {
      if (!read_whole(at, config_.max_search_bytes, content_)) return ++too_large_, true;
    } catch (const Failure&) {
      return ++unreadable_, true;
    }
    if (!is_text(content_)) return ++binary_, true;
    ++result_.files_searched;
    // One more than is wanted tells whether there are more.
    const std::size_t wanted = config_.max_results - count_ + 1;
    const auto matches = pattern_.find(content_, in_.context_lines, wanted, cancellation_of(call_));
    return matches.empty() || add(at, matches);
  }

  Grepped finish(Note note) {
    if (result_.truncated) note.add("There are more matches: narrow the pattern, the glob or the path");
    note.add_count(binary_, "files were skipped because they are not text");
    note.add_count(too_large_, "files were skipped because they are larger than max_search_bytes");
    note.add_count(unreadable_, "files could not be read");
    result_.note = note.text();
    return std::move(result_);
  }

 private:
  bool add(const Location& at, const std::vector<LineMatch>& matches) {
    GrepFile file{at.shown(), {}};
    for (const LineMatch& match : matches) {
      GrepLine line{match.line, match.text, {}, {}};
      if (!match.before.empty()) line.before = match.before;
      if (!match.after.empty()) line.after = match.after;
      bytes_ += size_of(match);
      result_.truncated = count_ == config_.max_results || bytes_ > config_.max_read_bytes;
      if (result_.truncated) break;
      ++count_;
      file.matches.push_back(std::move(line));
    }
    if (!file.matches.empty()) result_.files.push_back(std::move(file));
    return !result_.truncated;
  }

  static std::size_t size_of(const LineMatch& match) {
    std::size_t size = match.text.size();
    for (const auto& line : match.before) size += line.size();
    for (const auto& line : match.after) size += line.size();
    return size;
  }

  const Config& config_;
  const Grep& in_;
  const collet::Call& call_;
  const LinePattern pattern_;
  std::optional<Glob> glob_;
  std::string content_;
  Grepped result_;
  std::size_t count_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t binary_ = 0, too_large_ = 0, unreadable_ = 0;
};

Grepped grep(const Files& files, const Grep& in, collet::Call& call) {
  GrepRun run(files, in, call);
  Note note;
  search(files, files.starts(in.path), call, note,
         [&](const Location& start, const Location& at, Kind kind) { return run.visit(start, at, kind); });
  return run.finish(std::move(note));
}

}  // namespace
}  // namespace files

COLLET_PLUGIN("org.collet.files", "1.0.0", plugin, .flags = COLLET_PLUGIN_CONCURRENT, .title = "Files",
              .description = "Lists, reads, writes and searches files beneath configured directories",
              .config_schema = collet::schema_of<files::Config>) {
  using namespace files;
  const Files& files = plugin.keep<Files>(plugin.config<Config>());

  plugin.tool<List>(
      "files_list",
      "List a directory: names, types, sizes, times. Without a path, list the roots; every path begins with one.",
      [&files](const List& in, collet::Call& call) { return list(files, in, call); }, {.read_only = true});
  plugin.tool<Read>("files_read",
                    "Read a text file, or a part of it by lines or bytes. A note after the text says how to "
                    "continue when there is "
                    "more. Anything that is not UTF-8 text needs binary = true.",
                    [&files](const Read& in, collet::Call& call) { return read(files, in, call); },
                    {.read_only = true});
  plugin.tool<Write>("files_write",
                     "Write a text file, whole; it is replaced in one step or not at all. Refuses to replace an "
                     "existing file unless "
                     "overwrite is true. Works only beneath a root that files_list shows as writable.",
                     [&files](const Write& in) { return write(files, in); },
                     {.idempotent = true, .read_only = false, .destructive = true});
  plugin.tool<Find>(
      "files_find", "Find files and directories by a glob on their paths. To search their content use files_grep.",
      [&files](const Find& in, collet::Call& call) { return find(files, in, call); }, {.read_only = true});
  plugin.tool<Grep>("files_grep",
                    "Search the lines of text files for a regular expression or plain text. Answers with line "
                    "numbers; read around "
                    "them with files_read and first_line.",
                    [&files](const Grep& in, collet::Call& call) { return grep(files, in, call); },
                    {.read_only = true});
}
