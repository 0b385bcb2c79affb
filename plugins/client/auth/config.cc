#include "client/auth/config.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "client/auth/json.h"
#include "client/auth/limits.h"
#include "client/net/private_file.h"
#include "client/net/text.h"
#include "client/net/url.h"

namespace collet::client::auth {
namespace {

constexpr std::array<std::string_view, 5> kTypes = {"oauth", "client_credentials", "enterprise",
                                                    "workload_identity", "none"};

struct Key {
  std::optional<AuthType> only;  // of this type; nothing: of all but "none"
  std::function<void(JsonReader&, Config&)> read;
};

std::function<void(JsonReader&, Config&)> text(std::string Config::*field) {
  return [field](JsonReader& reader, Config& config) { config.*field = read_text(reader); };
}
std::function<void(JsonReader&, Config&)> text(SecretSource Config::*source, std::string SecretSource::*field) {
  return [=](JsonReader& reader, Config& config) { config.*source.*field = read_text(reader); };
}

std::function<void(JsonReader&, Config&)> flag(bool Config::*field) {
  return [field](JsonReader& reader, Config& config) { config.*field = reader.read_bool(); };
}

void read_auth_method(JsonReader& reader, Config& config) {
  const std::string name = read_text(reader);
  config.auth_method = parse_auth_method(name);
  if (!config.auth_method) {
    reader.fail("expected none, client_secret_basic, client_secret_post or private_key_jwt, got " +
                in_quotes(name));
  }
}

void read_consent(JsonReader& reader, Config& config) {
  const std::string word = read_text(reader);
  if (word != "login" && word != "automatic") reader.fail("expected login or automatic, got " + in_quotes(word));
  config.automatic_consent = word == "automatic";
}

const std::map<std::string_view, Key>& keys() {
  using enum AuthType;
  static const std::map<std::string_view, Key> kKeys = {
      {"issuer", {{}, text(&Config::issuer)}},
      {"client_id", {{}, text(&Config::client_id)}},
      {"client_secret", {{}, text(&Config::client_secret)}},
      {"private_key", {{}, text(&Config::private_key, &SecretSource::text)}},
      {"private_key_file", {{}, text(&Config::private_key, &SecretSource::file)}},
      {"signing_algorithm", {{}, text(&Config::signing_algorithm)}},
      {"key_id", {{}, text(&Config::key_id)}},
      {"token_endpoint_auth_method", {{}, read_auth_method}},
      {"scopes", {{}, [](JsonReader& reader, Config& config) { add_scopes(config.scopes, read_texts(reader)); }}},
      {"dpop", {{}, [](JsonReader& reader, Config& config) { config.dpop = reader.read_bool(); }}},
      {"resource", {{}, text(&Config::resource)}},
      {"send_resource", {{}, flag(&Config::send_resource)}},
      {"assume_pkce", {oauth, flag(&Config::assume_pkce)}},
      {"client_metadata_url", {oauth, text(&Config::client_metadata_url)}},
      {"client_name", {oauth, text(&Config::client_name)}},
      {"redirect_port",
       {oauth,
        [](JsonReader& reader, Config& config) { config.redirect_port = reader.read_integer<std::uint16_t>(); }}},
      {"consent", {oauth, read_consent}},
      {"id_token", {enterprise, text(&Config::id_token, &SecretSource::text)}},
      {"id_token_file", {enterprise, text(&Config::id_token, &SecretSource::file)}},
      {"idp_token_endpoint", {enterprise, text(&Config::idp_token_endpoint)}},
      {"idp_client_id", {enterprise, text(&Config::idp_client_id)}},
      {"idp_client_secret", {enterprise, text(&Config::idp_client_secret)}},
      {"token", {workload_identity, text(&Config::token, &SecretSource::text)}},
      {"token_file", {workload_identity, text(&Config::token, &SecretSource::file)}},
  };
  return kKeys;
}

Result<AuthType> read_type(std::string_view json) {
  std::string name(kTypes.front());
  const Result<void> read = read_json(json, "auth", [&](std::string_view key, JsonReader& reader) {
    if (key == "type") {
      name = read_text(reader);
    } else {
      reader.read_raw();
    }
  });
  if (!read) return read.failure();
  const auto at = std::find(kTypes.begin(), kTypes.end(), name);
  if (at != kTypes.end()) return static_cast<AuthType>(at - kTypes.begin());
  return Error{"auth.type: expected oauth, client_credentials, enterprise, workload_identity or none, got " +
               in_quotes(name)};
}

void read_member(std::string_view key, JsonReader& reader, Config& config) {
  if (key == "type") {
    reader.read_raw();
    return;
  }
  const auto known = keys().find(key);
  if (known == keys().end()) reader.fail("no such key");
  const std::optional<AuthType> only = known->second.only;
  if (config.type == AuthType::none || only.value_or(config.type) != config.type) {
    reader.fail("is no key of type " + in_quotes(kTypes[static_cast<std::size_t>(config.type)]));
  }
  known->second.read(reader, config);
}

Error missing(const Config& config, const char* what) {
  return {"auth: type " + in_quotes(kTypes[static_cast<std::size_t>(config.type)]) + " needs " + what};
}

bool both(const SecretSource& source) { return !source.text.empty() && !source.file.empty(); }

Result<void> check_completeness(const Config& config) {
  const bool has_proof = !config.client_secret.empty() || config.private_key.is_set();
  if (both(config.private_key)) return Error{"auth: private_key and private_key_file exclude each other"};
  if (both(config.id_token)) return Error{"auth: id_token and id_token_file exclude each other"};
  if (both(config.token)) return Error{"auth: token and token_file exclude each other"};
  if (config.client_id.empty() && has_proof)
    return Error{"auth: a client_secret or private_key needs its client_id"};
  if (config.auth_method == AuthMethod::private_key_jwt && !config.private_key.is_set()) {
    return Error{"auth.token_endpoint_auth_method: private_key_jwt needs private_key or private_key_file"};
  }
  switch (config.type) {
    case AuthType::client_credentials:
      if (config.client_id.empty()) return missing(config, "client_id");
      if (!has_proof) return missing(config, "client_secret, private_key or private_key_file");
      return {};
    case AuthType::enterprise:
      if (config.client_id.empty()) return missing(config, "client_id");
      if (!config.id_token.is_set()) return missing(config, "id_token or id_token_file");
      if (config.idp_token_endpoint.empty()) return missing(config, "idp_token_endpoint");
      return {};
    case AuthType::workload_identity:
      if (config.client_id.empty()) return missing(config, "client_id");
      if (!config.token.is_set()) return missing(config, "token or token_file");
      return {};
    case AuthType::oauth:
    case AuthType::none:
      return {};
  }
  return {};
}

Result<void> check_urls(const Config& config) {
  if (!config.client_metadata_url.empty()) {
    const std::optional<Url> url = parse_url(config.client_metadata_url);
    if (!url || url->scheme != "https" || url->path.size() < 2) {
      return Error{"auth.client_metadata_url: expected an https URL with a path, got " +
                   in_quotes(config.client_metadata_url)};
    }
  }
  if (!config.idp_token_endpoint.empty()) {
    const std::optional<Url> url = parse_url(config.idp_token_endpoint);
    if (!url || (url->scheme != "https" && !url->is_loopback())) {
      return Error{"auth.idp_token_endpoint: expected an https URL, got " + in_quotes(config.idp_token_endpoint)};
    }
  }
  return {};
}

Result<void> read_private_key(Config& config) {
  const bool from_file = !config.private_key.file.empty();
  const std::string what = from_file ? "auth.private_key_file: " + config.private_key.file : "auth.private_key:";
  Result<std::string> pem = config.private_key.read();
  if (!pem) return Error{what + ": " + pem.message()};
  Result<SigningKey> key = SigningKey::from_pem(*pem, config.signing_algorithm);
  if (!key) return Error{what + " " + key.message()};
  config.key = std::make_shared<const SigningKey>(std::move(*key));
  return {};
}

}  // namespace

Result<std::string> SecretSource::read() const {
  Result<std::string> content = file.empty() ? Result(text) : read_secret(file, limits::kSecretFileBytesMax);
  if (!content) return content;
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = content->find_first_not_of(kSpace);
  if (first == content->npos) return Error{file.empty() ? "is empty" : file + " is empty"};
  return content->substr(first, content->find_last_not_of(kSpace) + 1 - first);
}

Result<Config> parse_config(std::string_view json) {
  Config config;
  const Result<AuthType> type = read_type(json);
  if (!type) return type.failure();
  config.type = *type;
  const Result<void> read =
      read_json(json, "auth", [&](std::string_view key, JsonReader& reader) { read_member(key, reader, config); });
  if (!read) return read.failure();
  if (Result<void> complete = check_completeness(config); !complete) return complete.failure();
  if (Result<void> urls = check_urls(config); !urls) return urls.failure();
  if (config.private_key.is_set()) {
    if (Result<void> key = read_private_key(config); !key) return key.failure();
  }
  return config;
}

}  // namespace collet::client::auth
