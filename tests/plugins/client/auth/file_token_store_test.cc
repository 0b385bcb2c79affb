#include "client/auth/file_token_store.h"

#include <csignal>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "client/auth/file_locks.h"
#include "client/auth/limits.h"
#include "client/net/private_file.h"
#include "plugins/temporary_directory.h"
#include "support/catch.h"

using namespace collet::client;
using namespace collet::client::auth;
using Catch::Contains;
using collet::client::Result;

namespace {

StoredToken token(std::string remote, std::string issuer, std::string access) {
  StoredToken out;
  out.remote = std::move(remote);
  out.issuer = std::move(issuer);
  out.resource = "https://mcp.example";
  out.client_id = "c";
  out.access_token = std::move(access);
  out.token_type = "bearer";
  out.expires_at = 1'700'000'000;
  return out;
}

// Runs `work` with a loop of its own, until it has called back.
template <class T>
Result<T> waited(const std::function<void(FileLocks&, std::function<void(Result<T>)>)>& work) {
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  std::optional<Result<T>> result;
  {
    LoopFileLocks locks(&loop);
    work(locks, [&](Result<T> done) { result.emplace(std::move(done)); });
    while (!result) uv_run(&loop, UV_RUN_ONCE);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  REQUIRE(uv_loop_close(&loop) == 0);
  return std::move(*result);
}

// A store whose changes are waited for.
class Store {
 public:
  explicit Store(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  auto token(std::string remote) const {
    std::optional<Result<std::optional<StoredToken>>> read;
    FileTokenStore(path_, nobody_).token(std::move(remote), [&](auto found) { read.emplace(std::move(found)); });
    return std::move(*read);  // at once
  }
  auto client(std::string issuer) const {
    std::optional<Result<std::optional<StoredClient>>> read;
    FileTokenStore(path_, nobody_).client(std::move(issuer), [&](auto found) { read.emplace(std::move(found)); });
    return std::move(*read);
  }
  template <class Record>
  Result<void> keep(Record record) {
    return change([&](TokenStore& store, auto done) { store.keep(record, done); });
  }
  Result<void> forget(const std::string& remote) {
    return change([&](TokenStore& store, auto done) { store.forget(remote, done); });
  }
  Result<void> forget_client(const std::string& issuer, const std::string& id) {
    return change([&](TokenStore& store, auto done) { store.forget_client(issuer, id, done); });
  }

 private:
  struct Nobody final : FileLocks {
    void take(std::string, std::uint64_t, Done) override { FAIL("reading takes no lock"); }
  };

  Result<void> change(const std::function<void(TokenStore&, TokenStore::Done)>& how) {
    std::optional<FileTokenStore> store;
    return waited<void>([&](FileLocks& locks, TokenStore::Done done) {
      store.emplace(path_, locks);
      how(*store, std::move(done));
    });
  }

  const std::string path_;
  static inline Nobody nobody_;
};

mode_t mode_of(const std::string& path) {
  struct stat info;
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

}  // namespace

TEST_CASE("tokens and clients come back as they were kept, in a file and directories of their owner alone") {
  const TemporaryDirectory directory;
  Store store(directory.path("state/collet/tokens.json"));
  CHECK_FALSE(*store.token("r"));
  StoredToken kept = token("r", "https://as", "secret\n\"token\"");
  kept.refresh_token = "refresh";
  kept.scope = "a b";
  kept.dpop_key = "-----BEGIN PRIVATE KEY-----\n";
  REQUIRE(store.keep(kept));
  REQUIRE(
      store.keep(StoredClient{"https://as", "http://127.0.0.1:1/callback", "id", "s", "client_secret_post", 7}));
  CHECK(mode_of(store.path()) == 0600);
  CHECK(mode_of(directory.path("state/collet")) == 0700);
  CHECK(mode_of(directory.path("state")) == 0700);

  const Store other(store.path());
  const auto back = other.token("r");
  REQUIRE(*back);
  CHECK((*back)->access_token == "secret\n\"token\"");
  CHECK((*back)->refresh_token == "refresh");
  CHECK((*back)->scope == "a b");
  CHECK((*back)->dpop_key == kept.dpop_key);
  CHECK((*back)->expires_at == 1'700'000'000);
  const auto client = other.client("https://as");
  REQUIRE(*client);
  CHECK((*client)->redirect_uri == "http://127.0.0.1:1/callback");
  CHECK((*client)->secret_expires_at == 7);
  CHECK_FALSE(*other.client("https://other"));
}

TEST_CASE("a token is of one remote, issuer and resource; the last one kept is a remote's") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  REQUIRE(store.keep(token("r", "https://as1", "one")));
  REQUIRE(store.keep(token("r", "https://as2", "two")));
  REQUIRE(store.keep(token("s", "https://as1", "three")));
  CHECK((*store.token("r"))->access_token == "two");
  CHECK_THAT(directory.get("tokens.json"), Contains("\"one\"") && Contains("\"two\""));
  REQUIRE(store.keep(token("r", "https://as1", "four")));
  CHECK((*store.token("r"))->access_token == "four");
  CHECK_THAT(directory.get("tokens.json"), !Contains("\"one\"") && Contains("\"two\""));
  REQUIRE(store.forget("r"));
  CHECK_FALSE(*store.token("r"));
  CHECK((*store.token("s"))->access_token == "three");
  REQUIRE(store.keep(StoredClient{"https://as1", "", "id", "", "none", 0}));
  REQUIRE(store.forget_client("https://as1", "another that was registered since"));
  CHECK(*store.client("https://as1"));
  REQUIRE(store.forget_client("https://as1", "id"));
  CHECK_FALSE(*store.client("https://as1"));
}

TEST_CASE("a store that others may read is neither read nor written") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  REQUIRE(store.keep(token("r", "https://as", "t")));
  for (const mode_t bit : {0040, 0004, 0020, 0002}) {
    REQUIRE(::chmod(store.path().c_str(), 0600 | bit) == 0);
    CHECK_THAT(store.token("r").message(), Contains("others may read it; run: chmod 600 " + store.path()));
    CHECK_THAT(store.keep(token("r", "https://as", "u")).message(), Contains("chmod 600"));
  }
  REQUIRE(::chmod(store.path().c_str(), 0600) == 0);
  CHECK((*store.token("r"))->access_token == "t");
}

TEST_CASE("a store that belongs to another user is not read") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  REQUIRE(store.keep(token("r", "https://as", "t")));
  if (::geteuid() != 0) return;  // nobody else can give a file away
  REQUIRE(::chown(store.path().c_str(), 12'345, 0) == 0);
  CHECK_THAT(store.token("r").message(), Contains("belongs to another user"));
}

TEST_CASE("a store does not grow beyond what can be read again") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  REQUIRE(store.keep(token("r", "https://as", std::string(auth::limits::kStoreBytesMax - 1'000, 't'))));
  CHECK_THAT(store.keep(token("s", "https://as", std::string(1'000, 't'))).message(),
             Contains("would grow beyond"));
  CHECK(*store.token("r"));
}

TEST_CASE("a store that is damaged is said to be, and is not overwritten") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  const std::string content = GENERATE("{\"tokens\":[{\"remote\":3}]}", "{", "{\"version\":2}", "");
  directory.put("tokens.json", content);
  REQUIRE(::chmod(store.path().c_str(), 0600) == 0);
  CHECK_THAT(store.token("r").message(), Contains("the token store " + store.path()));
  CHECK_FALSE(store.keep(token("r", "https://as", "t")));
  CHECK(directory.get("tokens.json") == content);
}

TEST_CASE("what a killed process left half written does no harm") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  REQUIRE(store.keep(token("r", "https://as", "t")));
  directory.put("tokens.json.new", "{\"tok");
  CHECK((*store.token("r"))->access_token == "t");
  REQUIRE(store.keep(token("r", "https://as", "u")));
  CHECK((*store.token("r"))->access_token == "u");
  CHECK_FALSE(directory.has("tokens.json.new"));
}

TEST_CASE("a process killed while it writes leaves the old store or the new one") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  REQUIRE(store.keep(token("r", "https://as", "0")));
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int i = 1;; ++i) {
        if (!store.keep(token("r", "https://as", std::to_string(i)))) ::_exit(1);
        if (i == 1 + round && ::write(ready[1], "x", 1) != 1) ::_exit(1);
      }
    }
    char byte;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    const auto back = store.token("r");
    REQUIRE(back);
    CHECK(std::stoi((**back).access_token) >= 1);
  }
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("a disk without room leaves the store as it was") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  REQUIRE(store.keep(token("r", "https://as", "t")));
  // A file size limit fails a write midway, as a full disk does.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{100, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto kept = store.keep(token("r", "https://as", std::string(1'000, 'u')));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, SIG_DFL);
  CHECK_THAT(kept.message(), Contains("writing " + store.path()));
  CHECK((*store.token("r"))->access_token == "t");
  CHECK_FALSE(directory.has("tokens.json.new"));
}

TEST_CASE("two processes that write at a time both have their say") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  constexpr int kEach = 20;
  const pid_t child = ::fork();
  for (int i = 0; i < kEach; ++i) {
    const std::string name = (child == 0 ? "child-" : "parent-") + std::to_string(i);
    const bool kept = store.keep(token(name, "https://as", "t")).ok();
    if (child == 0 && !kept) ::_exit(1);
    if (child != 0) CHECK(kept);
  }
  if (child == 0) ::_exit(0);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  for (int i = 0; i < kEach; ++i) {
    CHECK(*store.token("child-" + std::to_string(i)));
    CHECK(*store.token("parent-" + std::to_string(i)));
  }
}

TEST_CASE("a lock that is not given up is not waited for without end, and holds up nobody") {
  const TemporaryDirectory directory;
  const auto held = FileLock::try_take(directory.path("f"));
  REQUIRE((held && *held));
  CHECK_FALSE(*FileLock::try_take(directory.path("f")));
  uv_loop_t loop;
  REQUIRE(uv_loop_init(&loop) == 0);
  std::string refused;
  bool others_go_on = false;
  {
    LoopFileLocks locks(&loop);
    locks.take(directory.path("f"), 20, [&](Result<FileLock> lock) { refused = lock.message(); });
    locks.take(directory.path("g"), 20, [&](Result<FileLock> lock) { others_go_on = lock && refused.empty(); });
    while (refused.empty()) uv_run(&loop, UV_RUN_ONCE);
  }
  CHECK(others_go_on);
  CHECK_THAT(refused, Contains("has held it for 20 ms"));
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
}

TEST_CASE("a lock that is given up goes to who waits for it") {
  const TemporaryDirectory directory;
  std::optional<FileLock> held = std::move(*FileLock::try_take(directory.path("f")));
  REQUIRE(held);
  bool got = false;
  const auto lock = waited<FileLock>([&](FileLocks& locks, FileLocks::Done done) {
    locks.take(directory.path("f"), 60'000, [&got, done](Result<FileLock> taken) {
      got = true;
      done(std::move(taken));
    });
    CHECK_FALSE(got);
    held.reset();
  });
  CHECK(lock);
  CHECK_FALSE(*FileLock::try_take(directory.path("f")));
}

TEST_CASE("who logs out leaves no client behind that nobody uses") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  REQUIRE(store.keep(StoredClient{"https://as", "", "c", "", "none", 0}));
  REQUIRE(store.keep(token("r", "https://as", "t")));
  REQUIRE(store.keep(token("s", "https://as", "t")));
  REQUIRE(store.forget("r"));
  CHECK(*store.client("https://as"));
  REQUIRE(store.forget("s"));
  CHECK_FALSE(*store.client("https://as"));
}

TEST_CASE("the oldest tokens make room for new ones") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  std::string all = R"({"version":1,"tokens":[)";
  for (std::size_t i = 0; i < auth::limits::kStoreTokensMax; ++i) {
    all += (i ? "," : "") + (R"({"remote":"r)" + std::to_string(i) + R"(","access_token":"t"})");
  }
  directory.put("tokens.json", all + "]}");
  REQUIRE(::chmod(store.path().c_str(), 0600) == 0);
  CHECK(*store.token("r0"));
  REQUIRE(store.keep(token("one more", "https://as", "t")));
  CHECK_FALSE(*store.token("r0"));
  CHECK(*store.token("r1"));
  CHECK(*store.token("one more"));
}

TEST_CASE("the oldest clients make room for new ones") {
  const TemporaryDirectory directory;
  Store store(directory.path("tokens.json"));
  const auto client_of = [](const std::string& issuer) { return StoredClient{issuer, "", "id", "", "none", 0}; };
  std::string all = R"({"version":1,"clients":[)";
  for (std::size_t i = 1; i < auth::limits::kStoreClientsMax; ++i) {
    all += (i > 1 ? "," : "") + (R"({"issuer":"i)" + std::to_string(i) + R"(","client_id":"id"})");
  }
  directory.put("tokens.json", all + "]}");
  REQUIRE(::chmod(store.path().c_str(), 0600) == 0);
  REQUIRE(store.keep(client_of("as many as there may be")));
  CHECK(*store.client("i1"));
  REQUIRE(store.keep(client_of("one more")));
  CHECK_FALSE(*store.client("i1"));
  CHECK(*store.client("i2"));
  CHECK(*store.client("one more"));
}

TEST_CASE("a private file is read up to the limit and not beyond") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("f");
  REQUIRE(replace_private_file(path, std::string(100, 'x')));
  CHECK((*read_private_file(path, 100))->size() == 100);
  CHECK_THAT(read_private_file(path, 99).message(), Contains("larger than 99 bytes"));
  CHECK_FALSE(*read_private_file(directory.path("none"), 99));
  CHECK_THAT(read_private_file(directory.path(), 99).message(), Contains("not a regular file"));
}
