// A TokenStore in one JSON file that only its owner may read.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "client/auth/file_locks.h"
#include "client/auth/token_records.h"
#include "client/auth/token_store.h"

namespace collet::client::auth {

// Any number of processes may use one file: it is read anew for each question, and replaced whole, under a lock. A
// failure leaves it as it was. Each `done` is called at once, unless another process holds the lock. To read a file that
// others may read, or that is not ours, is a failure.
class FileTokenStore final : public TokenStore {
 public:
  // Nothing is opened yet. Missing directories are created with the first write, for their owner alone. The locks
  // are borrowed.
  FileTokenStore(std::string path, FileLocks& locks) : path_(std::move(path)), locks_(locks) {}

  std::string place() const override { return path_; }

  void token(std::string remote, TokenDone done) override;
  void keep(StoredToken token, Done done) override;
  void forget(std::string remote, Done done) override;

  void client(std::string issuer, ClientDone done) override;
  void keep(StoredClient client, Done done) override;
  void forget_client(std::string issuer, std::string id, Done done) override;
  void forget_unused_client(std::string issuer, std::string id, Done done) override;

  // Null if no file can be made here, so that a token is renewed where nothing can be written.
  void lock(std::string remote, LockDone done) override;

 private:
  class HeldFile;

  static Result<TokenRecords> parse(std::string_view text, const std::string& path);
  static std::string print(const TokenRecords& records);
  Result<TokenRecords> read() const;
  void change(std::function<void(TokenRecords&)> edit, Done done);
  Result<void> change_now(const std::function<void(TokenRecords&)>& edit);

  const std::string path_;
  FileLocks& locks_;
};

}  // namespace collet::client::auth
