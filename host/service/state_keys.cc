#include "service/state_keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/descriptor.h"
#include "base/limits.h"

namespace collet::service {
namespace {

using Key = registry::StateSealer::Key;

std::optional<Key> read_key(std::string_view digits) {
  Key key;
  if (digits.size() != 2 * key.size()) return std::nullopt;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char* at = digits.data() + 2 * i;
    if (std::from_chars(at, at + 2, key[i], 16).ptr != at + 2) return std::nullopt;
  }
  return key;
}

// As the file that is open says, whatever lies at its path by then.
Result<std::string> read_secret(const std::string& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status;
  if (!descriptor || fstat(descriptor.get(), &status) != 0) return error("cannot read {}: {}", file, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return error("{} is no file", file);
  if (status.st_uid != geteuid() && status.st_uid != 0) return error("{} is another user's", file);
  if (status.st_mode & 077) return error("{} can be read by others than its owner: chmod 600 {}", file, file);
  std::string text(limits::kStateKeyFileBytesMax + 1, '\0');
  std::size_t size = 0;
  for (ssize_t read = 1; read != 0 && size < text.size(); size += static_cast<std::size_t>(std::max<ssize_t>(read, 0))) {
    read = ::read(descriptor.get(), text.data() + size, text.size() - size);
    if (read < 0 && errno != EINTR) return error("cannot read {}: {}", file, std::strerror(errno));
  }
  if (size == text.size()) return error("{} is longer than {} bytes", file, limits::kStateKeyFileBytesMax);
  text.resize(size);
  return text;
}

}  // namespace

Result<std::vector<Key>> read_state_keys(const std::string& file) {
  std::vector<Key> keys;
  if (file.empty()) return keys;
  auto text = read_secret(file);
  if (!text) return text.failure();
  std::string_view rest = *text;
  for (unsigned number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const auto key = read_key(line);
    if (!key) return error("{}:{}: a key is 64 hexadecimal digits, as `openssl rand -hex 32` prints them", file, number);
    keys.push_back(*key);
  }
  if (keys.empty()) return error("{} has no key: `openssl rand -hex 32` prints one", file);
  if (keys.size() > limits::kStateKeysMax) return error("{} has over {} keys", file, limits::kStateKeysMax);
  return keys;
}

}  // namespace collet::service
