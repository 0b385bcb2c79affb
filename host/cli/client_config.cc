#include "foreign/client_config.h"

#include <filesystem>

#include "cli/verbs.h"
#include "foreign/client.h"
#include "service/program.h"

namespace collet::cli {
namespace {

using transport::Address;

// How a client on this machine reaches what listens there.
Result<std::string> url_of(const config::Server& server) {
  Address address = server.listen.front();
  if (address.scheme == Address::Scheme::unix_socket || address.port == 0) {
    return error("clients cannot be told to connect to {}; say --url, or --stdio", address.url());
  }
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return address.url() + server.path;
}

Result<foreign::Endpoint> endpoint_of(const ClientConfigOptions& options, const config::Server& server) {
  foreign::Endpoint endpoint;
  endpoint.name = options.name.empty() ? server.name : options.name;
  if (options.stdio) {
    endpoint.command = service::program_file();
    endpoint.args = {"stdio"};
    if (!options.common.config_file.empty()) {
      endpoint.args.push_back("--config");
      endpoint.args.push_back(std::filesystem::absolute(options.common.config_file).lexically_normal().string());
    }
    return endpoint;
  }
  endpoint.needs_token = options.token || !server.token.empty();
  endpoint.url = options.url;
  if (endpoint.url.empty()) {
    auto url = url_of(server);
    if (!url) return url.failure();
    endpoint.url = *std::move(url);
  }
  return endpoint;
}

}  // namespace

int client_config(const ClientConfigOptions& options, Output& out) {
  if (!foreign::find_client(options.client)) {
    return complain(fmt::format("there is no client {}; known: {}", options.client, foreign::known_clients()));
  }
  const auto config = load_config(options.common);
  if (!config) return complain(config.message());
  ClientConfigOptions how = options;
  how.stdio = how.stdio || (how.url.empty() && foreign::is_stdio_only(how.client));
  const auto endpoint = endpoint_of(how, config->server);
  if (!endpoint) return complain(endpoint.message());
  const auto made = foreign::client_config(how.client, *endpoint);
  if (!made) return complain(made.message());
  say(fmt::format("This goes into {}:", made->file));
  out.write(made->text);
  if (!made->token.empty()) say(fmt::format("The token, which `collet token` makes, {}.", made->token));
  return kOk;
}

}  // namespace collet::cli
