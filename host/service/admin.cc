#include "service/admin.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/json.h"
#include "base/json_members.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "collet/kit/fnv.hpp"
#include "service/listing.h"

namespace collet::service {
namespace {

namespace fs = std::filesystem;

std::string failure(std::string_view error) {
  return json::ObjectText().add_bool("ok", false).add_text("error", error).take();
}

std::string describe(const plugin::ItemChanges& changes) {
  return json::ObjectText()
      .add("added", text::json_strings(changes.added))
      .add("removed", text::json_strings(changes.removed))
      .add("changed", text::json_strings(changes.changed))
      .take();
}

std::string describe_reload(const ReloadOutcome& outcome) {
  if (!outcome.error.empty()) return failure("the configuration is not taken over:\n" + outcome.error);
  json::ArrayText plugins;
  for (const plugin::LoadReport& report : outcome.reports) {
    json::ObjectText plugin;
    plugin.add_text("id", report.id)
        .add_text("done", done_name(report.done))
        .add_number("generation", report.generation)
        .add_text("version", report.version);
    if (!report.ok()) plugin.add_text("error", report.error);
    if (!report.changes.empty()) plugin.add("changes", describe(report.changes));
    if (!report.place.empty()) plugin.add("place", text::json_strings(report.place));
    plugins.add(plugin.take());
  }
  return json::ObjectText().add_bool("ok", outcome.ok()).add("plugins", plugins.take()).take();
}

}  // namespace

std::string admin_socket_path(const config::Admin& admin, const std::string& config_file) {
  if (!admin.socket.empty()) return admin.socket;
  const fs::path file = config_file.empty() ? fs::path() : fs::absolute(config_file).lexically_normal();
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime && *runtime == '/' && access(runtime, W_OK) == 0) {
    const std::string folder = std::string(runtime) + "/collet";
    mkdir(folder.c_str(), 0700);
    return fmt::format("{}/{}.sock", folder, kit::fnv1a_hex(file.string()));
  }
  return file.empty() ? std::string() : file.string() + ".sock";
}

std::unique_ptr<AdminServer> AdminServer::open(const std::string& path, Host& host, Reloader& reloader) {
  if (path.empty()) return nullptr;
  auto socket = transport::ListenSocket::bind({transport::Address::Scheme::unix_socket, path, 0}, 1, nullptr);
  if (!socket) {
    log::warning("`collet reload` and `collet list` cannot speak to this server: {}", socket.message());
    return nullptr;
  }
  return std::unique_ptr<AdminServer>(new AdminServer(host, reloader, std::move(*socket)));
}

AdminServer::AdminServer(Host& host, Reloader& reloader, std::unique_ptr<transport::ListenSocket> socket)
    : host_(host),
      reloader_(reloader),
      socket_(std::move(socket)),
      server_(host.main_loop(), *socket_, 0, limits::kAdminLineBytesMax, limits::kAdminConnectionsMax,
              [this](std::string_view line, transport::LineServer::Answer answered) {
                answer(line, std::move(answered));
              }) {}

void AdminServer::answer(std::string_view line, transport::LineServer::Answer answered) {
  json::Document request;
  if (json::parse(line, request) || !request.IsObject()) return answered(failure("a request is a JSON object"));
  const auto what = json::find_string(request, "do").value_or("");
  if (what == "list") return answered(to_json(list(host_, true)));
  if (what != "reload") return answered(failure(R"("do" is "list" or "reload")"));
  const auto plugin = json::find_string(request, "plugin");
  const json::Value* accept = json::find(request, "accept");
  reload(plugin ? std::optional<std::string>(*plugin) : std::nullopt,
         accept && accept->IsTrue() ? plugin::ItemsMay::go : plugin::ItemsMay::not_go, std::move(answered));
}

void AdminServer::reload(std::optional<std::string> plugin, plugin::ItemsMay items_may,
                         transport::LineServer::Answer answered) {
  Reloader::Done done = [&loop = host_.main_loop(),
                         answered = std::move(answered)](const ReloadOutcome& outcome) mutable {
    loop.post([answered = std::move(answered), line = describe_reload(outcome)]() mutable { answered(line); });
  };
  if (plugin) {
    reloader_.reload(std::move(*plugin), std::move(done), items_may);
  } else {
    reloader_.reload_all(std::move(done), items_may);
  }
}

}  // namespace collet::service
