#include "client/auth/token_store.h"

#include <algorithm>

#include "client/auth/json.h"
#include "client/auth/limits.h"
#include "client/net/private_file.h"
#include "client/net/url.h"

namespace collet::client::auth {
namespace {

constexpr int kVersion = 1;

struct TokenField {
  std::string_view key;
  std::string StoredToken::*text;
};
constexpr TokenField kTokenFields[] = {
    {"remote", &StoredToken::remote},
    {"issuer", &StoredToken::issuer},
    {"resource", &StoredToken::resource},
    {"client_id", &StoredToken::client_id},
    {"access_token", &StoredToken::access_token},
    {"token_type", &StoredToken::token_type},
    {"refresh_token", &StoredToken::refresh_token},
    {"scope", &StoredToken::scope},
    {"dpop_key", &StoredToken::dpop_key},
};

struct ClientField {
  std::string_view key;
  std::string StoredClient::*text;
};
constexpr ClientField kClientFields[] = {
    {"issuer", &StoredClient::issuer}, {"redirect_uri", &StoredClient::redirect_uri}, {"id", &StoredClient::id},
    {"secret", &StoredClient::secret}, {"auth_method", &StoredClient::auth_method},
};

// Whether `key` was one of the fields, whose text is then taken.
template <class Fields, class Record>
bool read_field(const Fields& fields, std::string_view key, JsonReader& reader, Record& record) {
  for (const auto& field : fields) {
    if (field.key != key) continue;
    record.*field.text = read_text(reader);
    return true;
  }
  return false;
}

template <class Fields, class Record>
JsonMembers print_fields(const Fields& fields, const Record& record) {
  JsonMembers out{"{"};
  for (const auto& field : fields) {
    if (!(record.*field.text).empty()) out.add(field.key, record.*field.text);
  }
  return out;
}

StoredToken read_token(JsonReader& reader) {
  StoredToken token;
  reader.read_object([&](std::string_view key) {
    if (key == "expires_at") {
      token.expires_at = reader.read_integer<std::int64_t>();
    } else if (!read_field(kTokenFields, key, reader, token)) {
      reader.read_raw();
    }
  });
  return token;
}

StoredClient read_client(JsonReader& reader) {
  StoredClient client;
  reader.read_object([&](std::string_view key) {
    if (key == "secret_expires_at") {
      client.secret_expires_at = reader.read_integer<std::int64_t>();
    } else if (!read_field(kClientFields, key, reader, client)) {
      reader.read_raw();
    }
  });
  return client;
}

void append_element(std::string& array, JsonMembers element) {
  if (array.size() > 1) array += ",";
  array += "\n" + element.text + "}";
}

bool same_place(const StoredToken& a, const StoredToken& b) {
  return a.remote == b.remote && a.issuer == b.issuer && a.resource == b.resource;
}

template <class Record>
void keep_newest(std::vector<Record>& records, std::size_t count) {
  if (records.size() > count) records.erase(records.begin(), records.end() - static_cast<std::ptrdiff_t>(count));
}

template <class Record, class Which>
std::optional<Record> last_of(std::vector<Record>& records, Which&& which) {
  const auto at = std::find_if(records.rbegin(), records.rend(), which);
  if (at == records.rend()) return std::nullopt;
  return std::move(*at);
}

template <class Record, class Which>
void erase_of(std::vector<Record>& records, Which&& which) {
  records.erase(std::remove_if(records.begin(), records.end(), which), records.end());
}

void erase_client(std::vector<StoredClient>& clients, std::string_view issuer, std::string_view id) {
  erase_of(clients, [&](const StoredClient& client) { return client.issuer == issuer && client.id == id; });
}

bool has_tokens(const std::vector<StoredToken>& tokens, std::string_view issuer, std::string_view client) {
  return std::any_of(tokens.begin(), tokens.end(),
                     [&](const StoredToken& token) { return token.issuer == issuer && token.client_id == client; });
}

}  // namespace

Result<std::optional<StoredToken>> TokenStore::token(std::string_view remote) const {
  Result<Content> content = read();
  if (!content) return content.failure();
  return last_of(content->tokens, [&](const StoredToken& token) { return token.remote == remote; });
}

Result<std::optional<StoredToken>> TokenStore::token(std::string_view remote, std::string_view issuer,
                                                     std::string_view resource) const {
  Result<Content> content = read();
  if (!content) return content.failure();
  return last_of(content->tokens, [&](const StoredToken& token) {
    return token.remote == remote && token.issuer == issuer && token.resource == resource;
  });
}

void TokenStore::keep(StoredToken token, Done done) {
  change(
      [token = std::move(token)](Content& content) {
        erase_of(content.tokens, [&](const StoredToken& other) { return same_place(other, token); });
        content.tokens.push_back(token);
        keep_newest(content.tokens, limits::kStoreTokensMax);
      },
      std::move(done));
}

void TokenStore::forget(std::string remote, Done done) {
  change(
      [remote = std::move(remote)](Content& content) {
        std::vector<StoredToken> gone;
        for (const StoredToken& token : content.tokens) {
          if (token.remote == remote) gone.push_back(token);
        }
        erase_of(content.tokens, [&](const StoredToken& token) { return token.remote == remote; });
        for (const StoredToken& token : gone) {
          if (has_tokens(content.tokens, token.issuer, token.client_id)) continue;
          erase_client(content.clients, token.issuer, token.client_id);
        }
      },
      std::move(done));
}

Result<std::optional<StoredClient>> TokenStore::client(std::string_view issuer) const {
  Result<Content> content = read();
  if (!content) return content.failure();
  return last_of(content->clients, [&](const StoredClient& client) { return client.issuer == issuer; });
}

void TokenStore::keep(StoredClient client, Done done) {
  change(
      [client = std::move(client)](Content& content) {
        erase_of(content.clients, [&](const StoredClient& other) { return other.issuer == client.issuer; });
        content.clients.push_back(client);
        keep_newest(content.clients, limits::kStoreClientsMax);
      },
      std::move(done));
}

void TokenStore::forget_client(std::string issuer, std::string id, Done done) {
  change([issuer = std::move(issuer),
          id = std::move(id)](Content& content) { erase_client(content.clients, issuer, id); },
         std::move(done));
}

void TokenStore::forget_unused_client(std::string issuer, std::string id, Done done) {
  change(
      [issuer = std::move(issuer), id = std::move(id)](Content& content) {
        if (!has_tokens(content.tokens, issuer, id)) erase_client(content.clients, issuer, id);
      },
      std::move(done));
}

void TokenStore::lock(std::string_view remote, FileLocks::Done done) {
  std::string path = path_ + "." + percent_encode(remote);
  if (!FileLock::try_take(path)) return done(FileLock());
  locks_.take(std::move(path), limits::kRenewalLockMs, std::move(done));
}

Result<TokenStore::Content> TokenStore::parse(std::string_view text, const std::string& path) {
  Content content;
  const Result<void> read =
      read_json(text, "the token store " + path, [&](std::string_view key, JsonReader& reader) {
        if (key == "version") {
          if (reader.read_integer<int>() != kVersion) reader.fail("is not a version that this program knows");
        } else if (key == "tokens") {
          reader.read_array([&] { content.tokens.push_back(read_token(reader)); });
        } else if (key == "clients") {
          reader.read_array([&] { content.clients.push_back(read_client(reader)); });
        } else {
          reader.read_raw();
        }
      });
  if (!read) return Error{read.message() + "; remove the file to log in anew"};
  return content;
}

std::string TokenStore::print(const Content& content) {
  std::string tokens = "[", clients = "[";
  for (const StoredToken& token : content.tokens) {
    JsonMembers element = print_fields(kTokenFields, token);
    element.add("expires_at", token.expires_at);
    append_element(tokens, std::move(element));
  }
  for (const StoredClient& client : content.clients) {
    JsonMembers element = print_fields(kClientFields, client);
    element.add("secret_expires_at", client.secret_expires_at);
    append_element(clients, std::move(element));
  }
  JsonMembers out{"{"};
  out.add("version", kVersion);
  out.add_raw("clients", clients + "]");
  out.add_raw("tokens", tokens + "]");
  return out.text + "}\n";
}

Result<TokenStore::Content> TokenStore::read() const {
  const Result<std::optional<std::string>> text = read_private_file(path_, limits::kStoreBytesMax);
  if (!text) return text.failure();
  return *text ? parse(**text, path_) : Content();
}

void TokenStore::change(std::function<void(Content&)> edit, Done done) {
  locks_.take(path_, limits::kStoreLockMs,
              [this, edit = std::move(edit), done = std::move(done)](Result<FileLock> lock) {
                if (!lock) return done(lock.failure());
                const Result<void> changed = [&, held = std::move(*lock)] { return change_now(edit); }();
                done(changed);
              });
}

Result<void> TokenStore::change_now(const std::function<void(Content&)>& edit) {
  Result<Content> content = read();
  if (!content) return content.failure();
  edit(*content);
  const std::string text = print(*content);
  if (text.size() > limits::kStoreBytesMax) {
    return Error{"the token store " + path_ + " would grow beyond " + std::to_string(limits::kStoreBytesMax) +
                 " bytes; remove the file to log in anew"};
  }
  return replace_private_file(path_, text);
}

}  // namespace collet::client::auth
