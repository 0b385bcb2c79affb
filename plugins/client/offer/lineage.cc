#include "client/offer/lineage.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include <collet/json.hpp>
#include <collet/kit/fnv.hpp>

#include "client/limits.h"
#include "client/mcp/message.h"

namespace collet::client {
namespace {

constexpr std::string_view kVia = "collet/via";
constexpr const char* kAncestors = "COLLET_ANCESTORS";

std::string contents_of(const char* file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string nth_word(std::string_view text, unsigned n) {
  std::istringstream in{std::string(text)};
  std::string word;
  while (n-- > 0) in >> word;
  return word;
}

// What tells one process from all others: the machine's start, the namespace, the number, and the process's start.
std::string identity() {
  constexpr unsigned kStartTime = 20;  // of the fields behind the name, proc(5)
  std::error_code ignored;
  const std::string stat = contents_of("/proc/self/stat");
  return contents_of("/proc/sys/kernel/random/boot_id") +
         std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string() + std::to_string(getpid()) +
         nth_word(stat.substr(std::min(stat.rfind(')') + 1, stat.size())), kStartTime);
}

std::filesystem::path real_path(const std::filesystem::path& path) {
  std::error_code failed;
  const auto found = std::filesystem::canonical(path, failed);
  return failed ? path : found;
}

std::filesystem::path program_of(const Command& command) {
  if (command.program.find('/') != std::string::npos) return real_path(command.program);
  const auto given = std::find_if(command.environment.begin(), command.environment.end(),
                                  [](const auto& variable) { return variable.first == "PATH"; });
  const char* ours = std::getenv("PATH");
  std::string_view folders = ours ? ours : "";
  if (given != command.environment.end()) folders = given->second;
  while (!folders.empty()) {
    const std::string_view folder = folders.substr(0, folders.find(':'));
    const auto candidate = std::filesystem::path(folder) / command.program;
    if (access(candidate.c_str(), X_OK) == 0) return real_path(candidate);
    folders.remove_prefix(std::min(folder.size() + 1, folders.size()));
  }
  return {};
}

// The configuration that a command line of this program names; empty: the usual one.
std::filesystem::path configuration_in(const std::vector<std::string>& words, const std::filesystem::path& folder) {
  constexpr std::string_view kLong = "--config=";
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool next = (words[i] == "--config" || words[i] == "-c") && i + 1 < words.size();
    if (next) return real_path(folder / words[i + 1]);
    if (words[i].starts_with(kLong)) return real_path(folder / words[i].substr(kLong.size()));
  }
  return {};
}

std::vector<std::string> own_words() {
  std::vector<std::string> words;
  std::string line = contents_of("/proc/self/cmdline");
  for (std::size_t at = 0, end; (end = line.find('\0', at)) != std::string::npos; at = end + 1) {
    words.push_back(line.substr(at, end - at));
  }
  return words;
}

bool is_this_gateway(const Command& command) {
  if (program_of(command) != real_path("/proc/self/exe")) return false;
  const auto serves = [](const std::string& word) { return word == "stdio" || word == "serve"; };
  if (std::none_of(command.arguments.begin(), command.arguments.end(), serves)) return false;
  std::error_code ignored;
  const auto here = std::filesystem::current_path(ignored);
  const auto there = command.folder.empty() ? here : std::filesystem::path(command.folder);
  return configuration_in(command.arguments, there) == configuration_in(own_words(), here);
}

std::string digest_of(const Command& command) {
  std::string all = command.program + std::string(1, '\0') + command.folder;
  for (const std::string& argument : command.arguments) all.append(1, '\0').append(argument);
  return kit::fnv1a_hex(all);
}

std::vector<std::string> ancestors() {
  const char* given = std::getenv(kAncestors);
  std::vector<std::string> out;
  std::string_view rest = given ? given : "";
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(','));
    out.emplace_back(word);
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  return out;
}

}  // namespace

const std::string& gateway_id() {
  static const std::string id = kit::fnv1a_hex(identity());
  return id;
}

std::vector<std::string> via_of(std::string_view definition) {
  std::vector<std::string> out;
  if (definition.find(kVia) == std::string_view::npos) return out;
  for_each_element(find_member(find_member(definition, "_meta"), kVia), [&](std::string_view each) {
    if (auto id = to_string(each)) out.push_back(std::move(*id));
  });
  return out;
}

std::string with_via(std::string_view definition, std::string_view gateway) {
  std::string via = "[";
  for (const std::string& id : via_of(definition)) {
    append_json(via, id);
    via += ',';
  }
  append_json(via, gateway);
  std::string meta, out;
  const auto copy = [](std::string& into, std::string_view left_out) {
    return [&into, left_out](std::string_view key, std::string_view value) {
      if (key != left_out) append_member(into, key, value);
    };
  };
  for_each_member(find_member(definition, "_meta"), copy(meta, kVia));
  append_member(meta, kVia, via + "]");
  for_each_member(definition, copy(out, "_meta"));
  append_member(out, "_meta", "{" + meta + "}");
  return "{" + out + "}";
}

std::string leads_back(const Command& command) {
  if (is_this_gateway(command)) return "it is this gateway itself, with the same configuration";
  const std::vector<std::string> started = ancestors();
  if (std::find(started.begin(), started.end(), digest_of(command)) != started.end()) {
    return "it leads back to this gateway, which was started by it";
  }
  return started.size() >= limits::kHopsMax ? "too many gateways have started one another" : "";
}

std::pair<std::string, std::string> ancestry(const Command& command) {
  const char* given = std::getenv(kAncestors);
  return {kAncestors, (given && *given ? std::string(given) + "," : std::string()) + digest_of(command)};
}

}  // namespace collet::client
