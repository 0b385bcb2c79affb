#include "cli/setup_clients.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "foreign/file.h"
#include "foreign/jsonc.h"
#include "foreign/text_block.h"

namespace collet::cli {
namespace {

namespace fs = std::filesystem;
using foreign::Client;
using foreign::Endpoint;

// The file for all folders. Those of one kind differ in their endings or folders only, and one is there at most.
fs::path file_to_write(const Client& client, const std::string& name) {
  const std::vector<fs::path> files = foreign::files_of(client, {});
  if (client.name == "continue") return files.front().parent_path() / "mcpServers" / (name + ".yaml");
  std::error_code failure;
  const auto is_it = [&](const fs::path& file) {
    return file.stem() == files.front().stem() && fs::exists(file, failure);
  };
  const auto found = std::find_if(files.begin(), files.end(), is_it);
  return foreign::real_path(found == files.end() ? files.front() : *found);
}

bool names_same(const foreign::Remote& remote, const Endpoint& endpoint) {
  return remote.name == endpoint.name && remote.command == endpoint.command && remote.args == endpoint.args;
}

// Where its line is, or at the end, with a blank line in front of it.
Result<foreign::FileChange> added_text(const fs::path& file, const foreign::Entry& entry) {
  return foreign::with_source(file, [&](foreign::Source& source) -> Result<foreign::FileChange> {
    const Result<std::string> there = foreign::read_all(source, limits::kForeignConfigBytesMax);
    if (!there) return there.failure();
    if (source.is_utf16()) return error("it is in UTF-16; save it as UTF-8");
    const std::uint64_t mark = source.offset() - there->size();  // a byte order mark
    const std::string line = "\n" + entry.behind + "\n";
    const std::size_t found = entry.behind.empty() ? std::string::npos : ("\n" + *there).find(line);
    if (found != std::string::npos) {
      return foreign::FileChange{
          file, {}, mark + found + line.size() - 1, entry.text.substr(line.size() - 1), entry.place};
    }
    const char* between = there->empty() ? "" : there->ends_with('\n') ? "\n" : "\n\n";
    return foreign::FileChange{file, {}, source.offset(), between + entry.text, entry.place};
  });
}

// The same in the place of the server that is there.
Result<foreign::FileChange> replaced_text(const fs::path& file, const foreign::Entry& entry) {
  return foreign::with_source(file, [&](foreign::Source& source) -> Result<foreign::FileChange> {
    const Result<std::string> there = foreign::read_all(source, limits::kForeignConfigBytesMax);
    if (!there) return there.failure();
    if (source.is_utf16()) return error("it is in UTF-16; save it as UTF-8");
    const std::uint64_t mark = source.offset() - there->size();
    const auto edit = file.extension() == ".toml" ? foreign::remove_toml_table(*there, entry.place)
                                                  : foreign::remove_yaml_member(*there, entry.place);
    if (!edit) return error("it has {} with another program of Collet; take that out", entry.place.key);
    const std::string text = entry.behind.empty() ? entry.text : entry.text.substr(entry.behind.size() + 1);
    foreign::FileChange change{file, {}, mark + edit->at, text, entry.place};
    change.removed = edit->removed;
    return change;
  });
}

// opencode 2 has `servers` below mcp, opencode 1 the servers themselves; either reads what is in the file's own
// way.
bool has_servers_below(const fs::path& file, const std::string& key) {
  const auto parsed = foreign::with_source(file, [&](foreign::Source& source) -> Result<config::Value> {
    auto read = foreign::parse_jsonc(source, {{key, {{"servers"}}}});
    if (const auto* wrong = std::get_if<config::Problem>(&read)) return error("{}", wrong->message);
    return std::get<config::Value>(std::move(read));
  });
  return parsed && !parsed->members.empty();
}

Result<foreign::FileChange> change_of(const fs::path& file, foreign::Entry entry, bool replaces) {
  std::error_code failure;
  const bool is_there = fs::exists(file, failure) && fs::file_size(file, failure) > 0;
  if (is_there && !entry.is_json) {
    auto change = replaces ? replaced_text(file, entry) : added_text(file, entry);
    if (change) change->document = entry.text;
    return change;
  }
  if (is_there && entry.place.path == std::vector<std::string>{"mcp"} && has_servers_below(file, "mcp"))
    entry.place.path.push_back("servers");
  foreign::FileChange change{file, {}, 0, entry.text, entry.place, entry.text};
  if (!entry.is_json) return change;
  const auto add = [&](foreign::Source& source) { return foreign::add_member(source, entry.place, entry.text); };
  foreign::Source empty("{}");
  const auto alone = add(empty);
  if (!alone) return alone.failure();
  change.document = "{" + alone->inserted + "}\n";
  change.inserted = change.document;
  if (!is_there) return change;
  const auto replace = [&](foreign::Source& source) {
    return foreign::replace_member(source, entry.place, entry.text);
  };
  auto edit = replaces ? foreign::with_source(file, replace) : foreign::with_source(file, add);
  if (!edit) return edit.failure();
  change.at = edit->at;
  change.removed = edit->removed;
  change.inserted = std::move(edit->inserted);
  return change;
}

}  // namespace

std::vector<FoundClient> find_clients(const fs::path& workspace) {
  std::vector<FoundClient> found;
  for (const Client& client : foreign::clients()) {
    FoundClient each{&client, {}};
    for (const fs::path& file : foreign::files_of(client, workspace)) {
      std::error_code failure;
      if (!fs::is_regular_file(file, failure)) continue;
      each.files.push_back({file.string(), foreign::read_file({.file = file,
                                                               .workspace = workspace,
                                                               .client = &client,
                                                               .may_have_none = true})});
    }
    if (!each.files.empty()) found.push_back(std::move(each));
  }
  return found;
}

Result<std::optional<PlannedEntry>> plan_entry(const Client& client, const Endpoint& endpoint,
                                               const Target& target) {
  if (client.files.empty()) return error("{} has no file of its own; see `collet client-config`", client.name);
  const foreign::Entry entry = foreign::client_entry(client.name, endpoint);
  const fs::path file = file_to_write(client, endpoint.name);
  std::error_code failure;
  bool replaces = false;
  if (fs::exists(file, failure) && !fs::is_regular_file(file, failure))
    return error("{} is not a regular file", file.string());
  if (fs::exists(file, failure) && fs::file_size(file, failure) > 0) {
    const auto findings = foreign::read_file({.file = file, .client = &client});
    for (const foreign::Remote& remote : findings ? findings->remotes : std::vector<foreign::Remote>()) {
      if (names_same(remote, endpoint)) return std::optional<PlannedEntry>();
      if (remote.name != endpoint.name) continue;
      replaces = is_self(target, remote) && remote.url.empty();
      if (!replaces)
        return error("{} has another server {}; say --name, or take that out", file.string(), endpoint.name);
    }
  }
  auto change = change_of(file, entry, replaces);
  if (!change) return error("{}: {}", file.string(), change.message());
  // The draft has another name, which must not decide how it is read.
  const foreign::Check check = [file, &client, endpoint](const fs::path& draft) -> Result<void> {
    const auto findings = foreign::with_source(draft, [&](foreign::Source& source) {
      return foreign::read_remotes(source, {.file = file, .client = &client});
    });
    if (!findings) return error("{} would not be right then: {}", file.string(), findings.message());
    const auto is_it = [&](const foreign::Remote& remote) { return names_same(remote, endpoint); };
    if (std::any_of(findings->remotes.begin(), findings->remotes.end(), is_it)) return {};
    return error("{} would not have the server {} then", file.string(), endpoint.name);
  };
  return std::optional(PlannedEntry{*std::move(change), check});
}

}  // namespace collet::cli
