#include "base/json.h"
#include "base/text.h"
#include "cli/admin_client.h"
#include "cli/verbs.h"
#include "plugin/replace/item_changes.h"
#include "service/admin.h"

namespace collet::cli {
namespace {

// The texts of that member, if it is an array.
std::vector<std::string> strings_at(const json::Value& object, std::string_view key) {
  std::vector<std::string> strings;
  const json::Value* array = json::find(object, key);
  if (!array || !array->IsArray()) return strings;
  for (const json::Value& text : array->GetArray()) {
    if (text.IsString()) strings.emplace_back(json::view(text));
  }
  return strings;
}

// As of describe_reload() in service/admin.cc.
plugin::ItemChanges changes_of(const json::Value& plugin) {
  const json::Value* changes = json::find(plugin, "changes");
  if (!changes) return {};
  return {.added = strings_at(*changes, "added"),
          .removed = strings_at(*changes, "removed"),
          .changed = strings_at(*changes, "changed"),
          .lost = {}};
}

void print_text(const json::Value& answer, Output& out) {
  const json::Value* plugins = json::find(answer, "plugins");
  if (!plugins || !plugins->IsArray()) return;
  if (plugins->Empty()) out.write("nothing has changed\n");
  for (const json::Value& plugin : plugins->GetArray()) {
    const auto text = [&](std::string_view key) {
      return std::string(json::find_string(plugin, key).value_or(""));
    };
    if (const std::string problem = text("error"); !problem.empty()) {
      std::string why = fmt::format("plugin {} is not replaced: {}", text("id"), problem);
      for (const std::string& line : strings_at(plugin, "place")) why += '\n' + line;
      complain(why);
    } else {
      const std::string version = text("version").empty() ? "" : " (" + text("version") + ")";
      const std::string changes = changes_of(plugin).to_text();
      out.print("{}: {}{}{}{}\n", text("id"), text("done"), version, changes.empty() ? "" : " ", changes);
    }
  }
}

}  // namespace

int reload(const ReloadOptions& options, Output& out) {
  const auto config = load_config(options.common);
  if (!config) return complain(config.message());
  const std::string path = service::admin_socket_path(config->admin, options.common.config_file);
  std::string request = R"({"do":"reload")";
  if (!options.plugin.empty()) {
    request += R"(,"plugin":)";
    text::append_json_string(request, options.plugin);
  }
  if (options.accept) request += R"(,"accept":true)";
  if (path.empty()) return complain("no server can be found without its configuration: say --config", kUnreachable);
  const auto answer = ask_server(path, request + '}', options.common.timeout_ms.value_or(limits::kAdminSilenceMs),
                                 AtSilence::probe);
  if (!answer) {
    return complain(fmt::format("no server of this configuration is running (nobody listens on {})", path),
                    kUnreachable);
  }
  if (!*answer) return complain(answer->message(), kUnreachable);
  json::Document document;
  if (json::parse(**answer, document) || !document.IsObject()) {
    return complain(fmt::format("the server at {} answers {}", path, **answer), kUnreachable);
  }
  if (options.common.json) {
    out.print("{}\n", **answer);
  } else {
    print_text(document, out);
    if (const auto problem = json::find_string(document, "error"))
      return complain(std::string(*problem), kNotReplaced);
  }
  const json::Value* ok = json::find(document, "ok");
  return ok && ok->IsTrue() ? kOk : kNotReplaced;
}

}  // namespace collet::cli
