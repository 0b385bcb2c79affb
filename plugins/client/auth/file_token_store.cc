#include "client/auth/file_token_store.h"

#include <memory>
#include <optional>
#include <vector>

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

}  // namespace

// The lock of one file as a store gives it away.
class FileTokenStore::HeldFile final : public Lock {
 public:
  explicit HeldFile(FileLock file) : file_(std::move(file)) {}

 private:
  const FileLock file_;
};

void FileTokenStore::token(std::string remote, TokenDone done) {
  const Result<TokenRecords> records = read();
  if (!records) return done(records.failure());
  done(records->token(remote));
}

void FileTokenStore::keep(StoredToken token, Done done) {
  change([token = std::move(token)](TokenRecords& records) { records.keep(token); }, std::move(done));
}

void FileTokenStore::forget(std::string remote, Done done) {
  change([remote = std::move(remote)](TokenRecords& records) { records.forget(remote); }, std::move(done));
}

void FileTokenStore::client(std::string issuer, ClientDone done) {
  const Result<TokenRecords> records = read();
  if (!records) return done(records.failure());
  done(records->client(issuer));
}

void FileTokenStore::keep(StoredClient client, Done done) {
  change([client = std::move(client)](TokenRecords& records) { records.keep(client); }, std::move(done));
}

void FileTokenStore::forget_client(std::string issuer, std::string id, Done done) {
  change([issuer = std::move(issuer), id = std::move(id)](
             TokenRecords& records) { records.forget_client(issuer, id); },
         std::move(done));
}

void FileTokenStore::forget_unused_client(std::string issuer, std::string id, Done done) {
  change([issuer = std::move(issuer), id = std::move(id)](
             TokenRecords& records) { records.forget_unused_client(issuer, id); },
         std::move(done));
}

void FileTokenStore::lock(std::string remote, LockDone done) {
  std::string path = path_ + "." + percent_encode(remote);
  if (!FileLock::try_take(path)) return done(LockPtr());
  locks_.take(std::move(path), limits::kRenewalLockMs, [done = std::move(done)](Result<FileLock> lock) {
    if (!lock) return done(lock.failure());
    done(LockPtr(std::make_unique<HeldFile>(std::move(*lock))));
  });
}

Result<TokenRecords> FileTokenStore::parse(std::string_view text, const std::string& path) {
  TokenRecords records;
  const Result<void> read =
      read_json(text, "the token store " + path, [&](std::string_view key, JsonReader& reader) {
        if (key == "version") {
          if (reader.read_integer<int>() != kVersion) reader.fail("is not a version that this program knows");
        } else if (key == "tokens") {
          reader.read_array([&] { records.tokens.push_back(read_token(reader)); });
        } else if (key == "clients") {
          reader.read_array([&] { records.clients.push_back(read_client(reader)); });
        } else {
          reader.read_raw();
        }
      });
  if (!read) return Error{read.message() + "; remove the file to log in anew"};
  return records;
}

std::string FileTokenStore::print(const TokenRecords& records) {
  std::string tokens = "[", clients = "[";
  for (const StoredToken& token : records.tokens) {
    JsonMembers element = print_fields(kTokenFields, token);
    element.add("expires_at", token.expires_at);
    append_element(tokens, std::move(element));
  }
  for (const StoredClient& client : records.clients) {
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

Result<TokenRecords> FileTokenStore::read() const {
  const Result<std::optional<std::string>> text = read_private_file(path_, limits::kStoreBytesMax);
  if (!text) return text.failure();
  return *text ? parse(**text, path_) : TokenRecords();
}

void FileTokenStore::change(std::function<void(TokenRecords&)> edit, Done done) {
  locks_.take(path_, limits::kStoreLockMs,
              [this, edit = std::move(edit), done = std::move(done)](Result<FileLock> lock) {
                if (!lock) return done(lock.failure());
                const Result<void> changed = [&, held = std::move(*lock)] { return change_now(edit); }();
                done(changed);
              });
}

Result<void> FileTokenStore::change_now(const std::function<void(TokenRecords&)>& edit) {
  Result<TokenRecords> records = read();
  if (!records) return records.failure();
  edit(*records);
  const std::string text = print(*records);
  if (text.size() > limits::kStoreBytesMax) {
    return Error{"the token store " + path_ + " would grow beyond " + std::to_string(limits::kStoreBytesMax) +
                 " bytes; remove the file to log in anew"};
  }
  return replace_private_file(path_, text);
}

}  // namespace collet::client::auth
