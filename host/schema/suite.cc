#include "schema/suite.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace collet::schema {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRemotesUri = "http://localhost:1234/";

Result<json::Document> read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return error("cannot read {}", path.string());
  json::Document document;
  if (const auto bad = json::parse(text.str(), document)) {
    return error("cannot read {}: it is not JSON: {} at offset {}", path.string(), bad->message, bad->offset);
  }
  return document;
}

Result<std::vector<fs::path>> json_files(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(directory, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (entry->path().extension() == ".json") files.push_back(entry->path());
  }
  if (failure) return error("cannot read the folder {}: {}", directory.string(), failure.message());
  std::sort(files.begin(), files.end());
  return files;
}

Result<Documents> read_remotes(const fs::path& directory) {
  Documents documents;
  auto files = json_files(directory);
  if (!files) return files.failure();
  for (const fs::path& file : *files) {
    auto document = read(file);
    if (!document) return document.failure();
    documents.add(std::string(kRemotesUri) + file.lexically_relative(directory).generic_string(),
                  std::move(*document));
  }
  return documents;
}

std::optional<Dialect> dialect_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  if (name == "draft7") return Dialect::draft7;
  if (name == "draft2019-09") return Dialect::draft2019_09;
  if (name == "draft2020-12") return Dialect::draft2020_12;
  return std::nullopt;
}

bool is_other_dialect(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return !dialect_of(folder) && (name.rfind("draft", 0) == 0 || name == "v1" || name == "latest");
}

// Why the test fails, if it does.
std::optional<std::string> run_test(const Schema& schema, const json::Value& test) {
  const json::Value* data = json::find(test, "data");
  const json::Value* valid = json::find(test, "valid");
  if (!data || !valid || !valid->IsBool()) return "it has no data or no verdict";
  const Verdict fast = schema.validate(*data);
  const Report report = schema.explain(*data);
  if (fast.outcome != report.verdict.outcome || fast.limit != report.verdict.limit)
    return "fast and explain disagree";
  if (fast.outcome == Outcome::limit) return fmt::format("limit hit: {}", name(fast.limit));
  if (!fast.valid() && report.violations.empty()) return "invalid without a reason";
  if (fast.valid() && !report.violations.empty()) return "valid with a reason not to be";
  if (fast.valid() == valid->GetBool()) return std::nullopt;
  return fast.valid() ? "should be invalid" : "should be valid: " + report.to_text();
}

void run_group(const json::Value& group, const Options& options, SuiteFile& file) {
  const json::Value* schema_text = json::find(group, "schema");
  const json::Value* tests = json::find(group, "tests");
  const std::string title(json::find_string(group, "description").value_or("?"));
  if (!schema_text || !tests || !tests->IsArray()) {
    ++file.failed;
    file.failures.push_back(title + ": has no schema or no tests");
    return;
  }
  const auto schema = Schema::compile(*schema_text, options);
  for (const json::Value& test : tests->GetArray()) {
    const auto why = schema ? run_test(*schema, test) : schema.message();
    if (!why) {
      ++file.passed;
      continue;
    }
    ++file.failed;
    file.failures.push_back(
        fmt::format("{}: {}: {}", title, json::find_string(test, "description").value_or("?"), *why));
  }
}

Result<SuiteFile> run_file(const fs::path& path, const fs::path& root, Dialect dialect,
                           const Documents& documents) {
  SuiteFile file;
  file.dialect = dialect;
  file.name = path.lexically_relative(root).generic_string();
  Options options;
  options.default_dialect = dialect;
  options.assert_formats = path.parent_path().filename() == "format";
  options.documents = &documents;
  const auto groups = read(path);
  if (!groups) return groups.failure();
  if (!groups->IsArray()) return error("{} is no test file: it is not an array of groups", path.string());
  for (const json::Value& group : groups->GetArray()) run_group(group, options, file);
  return file;
}

Result<void> run_folder(const fs::path& folder, Dialect dialect, const Documents& documents, SuiteReport& report) {
  auto files = json_files(folder);
  if (!files) return files.failure();
  for (const fs::path& path : *files) {
    auto file = run_file(path, folder, dialect, documents);
    if (!file) return file.failure();
    report.files.push_back(std::move(*file));
  }
  return {};
}

// The folders of dialects in `tests`, or nothing if there are none.
std::vector<fs::path> dialect_folders(const fs::path& tests, SuiteReport& report) {
  std::vector<fs::path> folders;
  std::error_code failure;
  for (fs::directory_iterator entry(tests, failure), end; !failure && entry != end; entry.increment(failure)) {
    if (!entry->is_directory()) continue;
    if (dialect_of(entry->path())) folders.push_back(entry->path());
    if (is_other_dialect(entry->path())) report.other_folders.push_back(entry->path().filename().string());
  }
  std::sort(folders.begin(), folders.end());
  std::sort(report.other_folders.begin(), report.other_folders.end());
  return folders;
}

}  // namespace

Result<SuiteReport> run_suite(const SuiteOptions& options) {
  fs::path tests = options.directory;
  if (tests.filename().empty()) tests = tests.parent_path();
  fs::path remotes = options.remotes;
  if (remotes.empty()) {
    for (const fs::path& root : {tests, tests.parent_path(), tests.parent_path().parent_path()}) {
      if (remotes.empty() && fs::is_directory(root / "remotes")) remotes = root / "remotes";
    }
  }
  if (fs::is_directory(tests / "tests")) tests /= "tests";
  auto documents = remotes.empty() ? Result<Documents>(Documents{}) : read_remotes(remotes);
  if (!documents) return documents.failure();
  SuiteReport report;
  std::vector<fs::path> folders = dialect_folders(tests, report);
  if (folders.empty()) folders.push_back(tests);
  for (const fs::path& folder : folders) {
    auto ran = run_folder(folder, dialect_of(folder).value_or(Dialect::draft2020_12), *documents, report);
    if (!ran) return ran.failure();
  }
  if (report.files.empty()) return error("there are no tests in {}", tests.string());
  return report;
}

std::string to_text(const SuiteReport& report) {
  std::string out;
  for (Dialect dialect : {Dialect::draft2020_12, Dialect::draft2019_09, Dialect::draft7}) {
    unsigned passed = 0;
    unsigned failed = 0;
    std::string files;
    for (const SuiteFile& file : report.files) {
      if (file.dialect != dialect) continue;
      passed += file.passed;
      failed += file.failed;
      files += fmt::format("  {:<44} {:>4} passed {:>3} failed\n", file.name, file.passed, file.failed);
      for (const std::string& failure : file.failures) files += fmt::format("    {}\n", failure);
    }
    if (!files.empty()) out += fmt::format("{}: {} passed, {} failed\n{}", name(dialect), passed, failed, files);
  }
  for (const std::string& folder : report.other_folders) out += fmt::format("{}: left out\n", folder);
  return out;
}

}  // namespace collet::schema
