#include <cstdio>

#include "base/json.h"
#include "base/text.h"
#include "cli/admin.h"
#include "cli/verbs.h"

namespace collet::cli {
namespace {

void print_text(const json::Value& answer) {
  const json::Value* plugins = json::find(answer, "plugins");
  if (!plugins || !plugins->IsArray()) return;
  if (plugins->Empty()) std::puts("nothing has changed");
  for (const json::Value& plugin : plugins->GetArray()) {
    const auto text = [&](std::string_view key) {
      return std::string(json::find_string(plugin, key).value_or(""));
    };
    if (const std::string problem = text("error"); !problem.empty()) {
      std::fprintf(stderr, "collet: plugin %s is not replaced: %s\n", text("id").c_str(), problem.c_str());
    } else {
      const std::string version = text("version").empty() ? "" : " (" + text("version") + ")";
      std::printf("%s: %s%s\n", text("id").c_str(), text("done").c_str(), version.c_str());
    }
  }
}

}  // namespace

int reload(const ReloadOptions& options) {
  const auto config = load_config(options.common);
  if (!config) return complain(config.message());
  const std::string path = admin_socket_path(config->admin, options.common.config_file);
  std::string request = R"({"do":"reload")";
  if (!options.plugin.empty()) {
    request += R"(,"plugin":)";
    text::append_json_string(request, options.plugin);
  }
  const auto answer = ask_server(path, request + '}');
  if (!answer) {
    return complain(fmt::format("no server of this configuration is running ({} does not answer)", path),
                    kUnreachable);
  }
  if (!*answer) return complain(answer->message(), kUnreachable);
  json::Document document;
  if (json::parse(**answer, document) || !document.IsObject()) {
    return complain(fmt::format("the server at {} answers {}", path, **answer), kUnreachable);
  }
  if (options.common.json) {
    std::puts((*answer)->c_str());
  } else {
    print_text(document);
    if (const auto problem = json::find_string(document, "error"))
      return complain(std::string(*problem), kNotReplaced);
  }
  const json::Value* ok = json::find(document, "ok");
  return ok && ok->IsTrue() ? kOk : kNotReplaced;
}

}  // namespace collet::cli
