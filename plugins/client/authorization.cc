#include "client/authorization.h"

#include <cstdlib>

#include "client/headers.h"

namespace collet::client {
namespace {

void append_expanded(std::string& out, JsonReader& reader, const RemoteConfig& remote) {
  const std::string_view type = reader.peek();
  if (type == "object") {
    JsonMembers members{"{"};
    reader.read_object([&](std::string_view key) {
      members.key(key);
      append_expanded(members.text, reader, remote);
    });
    out += members.text + "}";
  } else if (type == "array") {
    out += '[';
    reader.read_array([&] {
      if (out.back() != '[') out += ',';
      append_expanded(out, reader, remote);
    });
    out += ']';
  } else if (type == "string") {
    std::string scratch;
    const auto text = expand(reader.read_string(scratch), remote);
    if (!text) reader.fail(text.message());
    append_json(out, *text);
  } else {
    out += reader.read_raw();
  }
}

bool gives_authorization(const RemoteConfig& remote) {
  if (remote.forward_token) return true;
  for (const auto& [name, value] : remote.headers) {
    if (equals_ignoring_case(name, "authorization")) return true;
  }
  return false;
}

}  // namespace

std::string token_file() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state && *state == '/') return std::string(state) + "/collet/tokens.json";
  const char* const home = std::getenv("HOME");
  return std::string(home ? home : "") + "/.local/state/collet/tokens.json";
}

Result<std::string> expanded_auth(const RemoteConfig& remote) {
  std::string out;
  try {
    JsonReader reader(remote.auth ? std::string_view(remote.auth->text) : "{}", "auth");
    append_expanded(out, reader, remote);
    return out;
  } catch (const Error& error) {
    return Failure{error.what()};
  }
}

Result<std::unique_ptr<Authorizer>> make_authorizer(const RemoteConfig& remote, Fetcher& fetcher, const Host& host,
                                                    auth::UserAgent& agent, auth::TokenStore& store,
                                                    auth::Hooks hooks) {
  if (remote.url.empty() || (!remote.auth && gives_authorization(remote))) return std::unique_ptr<Authorizer>();
  auto url = expand(remote.url, remote);
  if (!url) return url.failure();
  auto config = expanded_auth(remote);
  if (!config) return config.failure();
  hooks.warn = [&host](std::string_view text) { host.log(COLLET_LOG_WARNING, text); };
  return auth::make(*config, remote.name, *url, fetcher, agent, store, std::move(hooks));
}

}  // namespace collet::client
