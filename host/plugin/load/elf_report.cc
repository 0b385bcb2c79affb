// How an ElfReport is shown.
#include "base/json_members.h"
#include "base/text.h"
#include "plugin/load/elf_file.h"

namespace collet::plugin {
namespace {

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : " ") + part;
  return out.empty() ? "none" : out;
}

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
  return out;
}

std::string ElfReport::to_json() const {
  return json::ObjectText()
      .add_text("machine", machine)
      .add_number("bits", bits)
      .add_number("bytes", bytes)
      .add_text("soname", soname)
      .add("needed", text::json_strings(needed))
      .add_text("glibc", glibc)
      .add_text("glibcxx", glibcxx)
      .add_text("rpath", rpath)
      .add_text("runpath", runpath)
      .add("exports", text::json_strings(exports))
      .add("uniqueSymbols", text::json_strings(unique))
      .add_bool("nodelete", nodelete)
      .add_bool("staticTls", static_tls)
      .add_bool("unloadable", unloadable())
      .add_bool("inlineAllowed", inline_allowed())
      .take();
}

}  // namespace collet::plugin
