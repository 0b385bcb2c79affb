#include "service/state_keys.h"

#include <filesystem>
#include <fstream>

#include "base/limits.h"
#include "support/catch.h"

using namespace collet;
using service::read_state_keys;

namespace {

namespace fs = std::filesystem;

struct KeyFile {
  KeyFile() {
    char folder_name[] = "/tmp/collet-keys-XXXXXX";
    folder = mkdtemp(folder_name);
    path = folder / "keys";
  }
  ~KeyFile() { fs::remove_all(folder); }
  Result<std::vector<registry::StateSealer::Key>> read(const std::string& text, fs::perms mode = fs::perms::owner_read | fs::perms::owner_write) {
    std::ofstream(path) << text;
    fs::permissions(path, mode);
    return read_state_keys(path);
  }
  std::string problem(const std::string& text) {
    const auto keys = read(text);
    return keys ? "" : keys.message().substr(keys.message().find(path.string()) + path.string().size());
  }

  fs::path folder, path;
};

const std::string kZeros(64, '0');

}  // namespace

TEST_CASE("a file of keys has one a line, in their order") {
  KeyFile file;
  const auto keys = file.read("# the new one\n" + std::string(62, '0') + "fF\r\n\n" + kZeros);
  REQUIRE(keys.ok());
  REQUIRE(keys->size() == 2);
  CHECK(keys->front().back() == 0xff);
  CHECK(keys->back().back() == 0);
  const auto none = read_state_keys("");
  REQUIRE(none.ok());
  CHECK(none->empty());
}

TEST_CASE("what is no key, and a file that others may read, is refused") {
  KeyFile file;
  const std::string wrong = "a key is 64 hexadecimal digits, as `openssl rand -hex 32` prints them";
  CHECK(file.problem("\n" + kZeros.substr(1)) == ":2: " + wrong);
  CHECK(file.problem(kZeros + "0") == ":1: " + wrong);
  CHECK(file.problem(std::string(63, '0') + "g") == ":1: " + wrong);
  CHECK(file.problem(std::string(62, '0') + "-1") == ":1: " + wrong);
  CHECK(file.problem("# none\n") == " has no key: `openssl rand -hex 32` prints one");
  std::string many;
  for (unsigned i = 0; i < limits::kStateKeysMax; ++i) many += kZeros + "\n";
  CHECK(file.problem(many) == "");
  CHECK(file.problem(many + kZeros) == fmt::format(" has over {} keys", limits::kStateKeysMax));
  const std::string key = kZeros + "\n";
  CHECK(file.problem(key + std::string(limits::kStateKeyFileBytesMax - key.size(), '#')) == "");
  CHECK(file.problem(key + std::string(limits::kStateKeyFileBytesMax - key.size() + 1, '#')) == fmt::format(" is longer than {} bytes", limits::kStateKeyFileBytesMax));
  const auto shared = file.read(kZeros, fs::perms::owner_read | fs::perms::group_read);
  REQUIRE_FALSE(shared.ok());
  CHECK(shared.message().find("chmod 600") != std::string::npos);
  CHECK_FALSE(read_state_keys(file.folder).ok());
  CHECK_FALSE(read_state_keys(file.folder / "none").ok());
}
