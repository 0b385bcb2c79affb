#include "foreign/reference.h"

#include <algorithm>
#include <filesystem>

#include "collet/kit/text.hpp"

namespace collet::foreign {
namespace {

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }

std::string environment(std::string_view name, Met& met) {
  met.variables.emplace(name);
  return fmt::format("${{env:{}}}", name);
}

// A default ends at the first brace, there as here.
Result<std::string> environment(std::string_view name, std::string_view otherwise) {
  if (otherwise.find("${") != std::string_view::npos) {
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

// What stands in ${{…}: Continue takes secrets from its .env files and the environment.
Result<std::string> translate_secret(std::string_view key, Met& met) {
  constexpr std::string_view kSecrets = "secrets.";
  const std::string_view name = kit::trimmed(key.substr(1), " ");
  if (name.starts_with(kSecrets) && is_variable_name(name.substr(kSecrets.size())))
    return environment(name.substr(kSecrets.size()), met);
  return error("${{{}}}}} is not known here; write what it stands for, or ${{NAME}} of the environment", key);
}

// What stands in ${…}.
Result<std::string> translate_key(std::string_view key, const Surroundings& surroundings, Met& met) {
  if (key == "userHome") return environment("HOME", met);
  if (key == "workspaceFolder") return literal(surroundings.workspace, met);
  if (key == "workspaceFolderBasename") {
    return literal(std::filesystem::path(surroundings.workspace).filename().string(), met);
  }
  if (key == "pathSeparator" || key == "/") return std::string("/");
  if (key.starts_with("{")) return translate_secret(key, met);
  if (key.starts_with("input:")) return translate_input(key.substr(6), surroundings, met);
  const std::string_view variable = key.starts_with("env:") ? key.substr(4) : key;
  const std::size_t otherwise = variable.find(":-");
  const std::string_view name = variable.substr(0, otherwise);
  if (!is_variable_name(name)) {
    return error("${{{}}} is not known here; write what it stands for, or ${{NAME}} of the environment", key);
  }
  if (otherwise == std::string_view::npos) return environment(name, met);
  return environment(name, variable.substr(otherwise + 2));
}

// What stands in {…} that opencode would replace.
Result<std::string> translate_single(std::string_view key, Met& met) {
  if (!key.starts_with("env:")) {
    return error("{{{}}} is not known here; Collet puts no files in; write ${{NAME}} of the environment", key);
  }
  const std::string_view name = key.substr(4);
  if (!is_variable_name(name)) return error("{{{}}} is no variable of the environment", key);
  return environment(name, met);
}

// Finds the references of a text one after the other, in a time by its length.
class Finder {
 public:
  Finder(std::string_view text, References references)
      : text_(text), references_(references), last_brace_(text.rfind('}')) {}

  // Where the next one begins and ends, and what stands in it; npos if there is none.
  struct Found {
    std::size_t begin = std::string_view::npos;
    std::size_t end = std::string_view::npos;
    std::string_view key;
  };
  Found next(std::size_t from) const {
    if (references_ == References::none) return {};
    const char opens = references_ == References::single_brace ? '{' : '$';
    for (std::size_t begin = text_.find(opens, from); begin != std::string_view::npos; begin = text_.find(opens, begin + 1)) {
      const std::string_view rest = text_.substr(begin);
      const bool closes = last_brace_ != std::string_view::npos && begin < last_brace_;
      if (rest.starts_with("${") && closes) return braces(begin);
      if (references_ == References::dollars && rest.size() > 1 && starts_name(rest[1])) return dollar(begin);
      if ((rest.starts_with("{env:") || rest.starts_with("{file:")) && closes) {
        const std::size_t end = text_.find('}', begin);
        return {begin, end + 1, text_.substr(begin + 1, end - begin - 1)};
      }
    }
    return {};
  }

 private:
  Found braces(std::size_t begin) const {
    const std::size_t end = text_.find('}', begin);
    const bool is_double = text_.substr(begin, 3) == "${{" && text_.substr(end, 2) == "}}";
    return {begin, end + (is_double ? 2 : 1), text_.substr(begin + 2, end - begin - 2)};
  }
  Found dollar(std::size_t begin) const {
    std::size_t end = begin + 1;
    while (end < text_.size() && continues_name(text_[end])) ++end;
    return {begin, end, text_.substr(begin + 1, end - begin - 1)};
  }

  const std::string_view text_;
  const References references_;
  const std::size_t last_brace_;
};

}  // namespace

bool is_variable_name(std::string_view name) {
  return !name.empty() && starts_name(name[0]) && std::all_of(name.begin(), name.end(), continues_name);
}

bool has_bare_variable(std::string_view text) {
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    if (at + 1 < text.size() && starts_name(text[at + 1])) return true;
  }
  return false;
}

Result<std::string> translate(std::string_view text, References references, const Surroundings& surroundings,
                              Met& met) {
  const bool takes_braces = references == References::braces || references == References::dollars;
  const Finder finder(text, references);
  std::string out;
  for (std::size_t at = 0;;) {
    const Finder::Found found = finder.next(at);
    const std::string_view before = text.substr(at, found.begin == std::string_view::npos ? std::string_view::npos : found.begin - at);
    out += takes_braces ? std::string(before) : literal(before, met);
    if (found.begin == std::string_view::npos) return out;
    Result<std::string> translated = references == References::single_brace
                                         ? translate_single(found.key, met)
                                         : translate_key(found.key, surroundings, met);
    if (!translated) return translated;
    out += *translated;
    at = found.end;
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
