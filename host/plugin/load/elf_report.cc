// How an ElfReport is shown.
#include "base/text.h"
#include "plugin/load/elf_file.h"

namespace collet::plugin {
namespace {

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : " ") + part;
  return out.empty() ? "none" : out;
}

void append_member(std::string& out, std::string_view key, std::string_view json) {
  out += out.empty() ? '{' : ',';
  text::append_json_string(out, key);
  out += ':';
  out += json;
}

std::string array(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const std::string& value : values) out += (out.size() > 1 ? "," : "") + text::json_string(value);
  return out + ']';
}

const char* boolean(bool value) { return value ? "true" : "false"; }

}  // namespace

std::string ElfReport::inline_obstacle() const {
  if (thread_exit_hooks) return "it has thread_local objects with destructors (imports __cxa_thread_atexit)";
  if (thread_keys) return "it makes thread-specific keys (imports pthread_key_create)";
  return {};
}

std::string ElfReport::to_text() const {
  std::string out;
  const auto line = [&](std::string_view name, std::string_view value) {
    out += fmt::format("{:<16}{}\n", name, value);
  };
  line("built for", fmt::format("{}, {} bits", machine, bits));
  line("size", fmt::format("{} bytes", bytes));
  if (!soname.empty()) line("soname", soname);
  line("needs", join(needed));
  if (!glibc.empty()) line("glibc", glibc + " or later");
  if (!glibcxx.empty()) line("libstdc++", "GLIBCXX " + glibcxx + " or later");
  if (!rpath.empty()) line("rpath", rpath);
  if (!runpath.empty()) line("runpath", runpath);
  line("exports", join(exports));
  line("unique symbols", join(unique));
  line("nodelete", nodelete ? "yes" : "no");
  line("static TLS", static_tls ? "yes" : "no");
  line("unloadable", unloadable() ? "yes" : "no");
  line("inline", inline_allowed() ? "allowed" : "no: " + inline_obstacle());
  for (const std::string& text : warnings) line("warning", text);
  for (const std::string& text : errors) line("error", text);
  return out;
}

std::string ElfReport::to_json() const {
  std::string out;
  append_member(out, "machine", text::json_string(machine));
  append_member(out, "bits", std::to_string(bits));
  append_member(out, "bytes", std::to_string(bytes));
  append_member(out, "soname", text::json_string(soname));
  append_member(out, "needed", array(needed));
  append_member(out, "glibc", text::json_string(glibc));
  append_member(out, "glibcxx", text::json_string(glibcxx));
  append_member(out, "rpath", text::json_string(rpath));
  append_member(out, "runpath", text::json_string(runpath));
  append_member(out, "exports", array(exports));
  append_member(out, "uniqueSymbols", array(unique));
  append_member(out, "nodelete", boolean(nodelete));
  append_member(out, "staticTls", boolean(static_tls));
  append_member(out, "unloadable", boolean(unloadable()));
  append_member(out, "inlineAllowed", boolean(inline_allowed()));
  append_member(out, "warnings", array(warnings));
  append_member(out, "errors", array(errors));
  return out + '}';
}

}  // namespace collet::plugin
