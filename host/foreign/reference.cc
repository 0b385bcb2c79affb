#include "foreign/reference.h"

#include <algorithm>
#include <filesystem>

namespace collet::foreign {
namespace {

constexpr auto npos = std::string_view::npos;

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }

std::string environment(std::string_view name, Met& met) {
  met.variables.emplace(name);
  return fmt::format("${{env:{}}}", name);
}

// A default ends at the first brace, there as here.
Result<std::string> environment(std::string_view name, std::string_view otherwise) {
  if (otherwise.find("${") != npos) {
    return error("${{{}:-{}}} has a reference within a reference; write it without", name, otherwise);
  }
  return fmt::format("${{env:{}:-{}}}", name, otherwise);
}

Result<std::string> translate_input(std::string_view id, const Surroundings& surroundings, Met& met) {
  const auto input = surroundings.inputs.find(id);
  if (input == surroundings.inputs.end()) return error("${{input:{}}} is not among the inputs of the file", id);
  met.inputs.emplace(id);
  const auto& [variable, otherwise, says] = input->second;
  return otherwise.empty() ? environment(variable, met) : environment(variable, otherwise);
}

// What stands in ${…}.
Result<std::string> translate_key(std::string_view key, const Surroundings& surroundings, Met& met) {
  if (key == "userHome") return environment("HOME", met);
  if (key == "workspaceFolder") return literal(surroundings.workspace, met);
  if (key == "workspaceFolderBasename") {
    return literal(std::filesystem::path(surroundings.workspace).filename().string(), met);
  }
  if (key == "pathSeparator" || key == "/") return std::string("/");
  if (key.starts_with("input:")) return translate_input(key.substr(6), surroundings, met);
  const std::string_view variable = key.starts_with("env:") ? key.substr(4) : key;
  const std::size_t otherwise = variable.find(":-");
  const std::string_view name = variable.substr(0, otherwise);
  if (!is_variable_name(name)) {
    return error("${{{}}} is not known here; write what it stands for, or ${{NAME}} of the environment", key);
  }
  if (otherwise == npos) return environment(name, met);
  return environment(name, variable.substr(otherwise + 2));
}

}  // namespace

bool is_variable_name(std::string_view name) {
  return !name.empty() && starts_name(name[0]) && std::all_of(name.begin(), name.end(), continues_name);
}

bool has_bare_variable(std::string_view text) {
  for (std::size_t at = text.find('$'); at != npos; at = text.find('$', at + 1)) {
    if (at + 1 < text.size() && starts_name(text[at + 1])) return true;
  }
  return false;
}

Result<std::string> translate(std::string_view text, const Surroundings& surroundings, Met& met) {
  std::string out;
  while (true) {
    const std::size_t begin = text.find("${");
    const std::size_t end = begin == npos ? npos : text.find('}', begin);
    if (end == npos) return out.append(text);
    Result<std::string> translated = translate_key(text.substr(begin + 2, end - begin - 2), surroundings, met);
    if (!translated) return translated;
    out.append(text.substr(0, begin)).append(*translated);
    text.remove_prefix(end + 1);
  }
}

std::string literal(std::string_view text, Met& met) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_reference = text.substr(i, 2) == "${";
    out += is_reference ? "${dollar}" : text.substr(i, 1);
    met.literal = met.literal || is_reference;
  }
  return out;
}

}  // namespace collet::foreign
