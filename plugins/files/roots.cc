#include "files/roots.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>

#include "files/utf8.h"

namespace files {
namespace {

constexpr std::size_t kPathBytesMax = 4'000;  // below the system's PATH_MAX
constexpr std::size_t kPathBytesShown = 200;  // of a path that is quoted in a message

bool is_root_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find_first_of("/\\*?\"") == name.npos &&
         std::none_of(name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

std::string last_component(const std::string& path) {
  const auto normal = (std::filesystem::path(path) / "").lexically_normal().parent_path();
  return normal.filename().string();
}

const char* advice(int error) {
  switch (error) {
    case ENOENT:
      return ". files_list shows what is there";
    case EXDEV:
      return ": a symbolic link on the way leads out of its root";
    case ELOOP:
      return ": symbolic links are not followed here";
    case EACCES:
      return ": the server's user has no right to";
    case ENOSPC:
    case EDQUOT:
      return ". What was there before is unchanged; free some space and try again";
    default:
      return "";
  }
}

}  // namespace

std::string in_quotes(std::string_view path) {
  if (path.size() <= kPathBytesShown) return '"' + std::string(path) + '"';
  return '"' + std::string(whole_characters(path.substr(0, kPathBytesShown))) + "…\"";
}

Failure failed(std::string_view action, const Location& location, int error) {
  return Failure("cannot " + std::string(action) + ' ' + in_quotes(location.shown()) + ": " +
                 std::generic_category().message(error) + advice(error));
}

Location Location::child(std::string_view name) const {
  return {root, relative.empty() ? std::string(name) : relative + '/' + std::string(name)};
}

Location Location::parent() const {
  const auto slash = relative.rfind('/');
  return {root, slash == relative.npos ? std::string() : relative.substr(0, slash)};
}

std::string_view Location::leaf() const { return std::string_view(relative).substr(relative.rfind('/') + 1); }

Descriptor Location::try_open(int flags, Links links) const {
  const Descriptor base(::open(root->path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!base) {
    throw Failure("cannot enter root " + in_quotes(root->name) + ", which the configuration says is " + root->path +
                  ": " + std::generic_category().message(errno));
  }
  return open_beneath(base.get(), relative, flags, links);
}

Descriptor Location::open_directory(int flags) const {
  Descriptor directory = try_open(flags | O_DIRECTORY | O_NONBLOCK, Links::inside);
  if (!directory) throw failed("open directory", *this, errno);
  return directory;
}

Descriptor Location::open_file() const {
  const auto require_regular = [&](const Descriptor& file) {
    struct stat status;
    if (!file || ::fstat(file.get(), &status) != 0) throw failed("read", *this, errno);
    if (S_ISDIR(status.st_mode)) throw Failure(in_quotes(shown()) + " is a directory: use files_list");
    if (!S_ISREG(status.st_mode))
      throw Failure(in_quotes(shown()) + " is not a regular file; only those can be read");
  };
  require_regular(try_open(O_PATH, Links::inside));
  Descriptor file = try_open(O_RDONLY | O_NONBLOCK | O_NOCTTY, Links::inside);
  require_regular(file);  // it may have been replaced in between
  return file;
}

Roots::Roots(std::vector<Root> roots) : roots_(std::move(roots)) {
  for (Root& root : roots_) {
    if (root.name.empty()) root.name = last_component(root.path);
    if (root.path.empty()) throw Failure("root " + in_quotes(root.name) + " has no path");
    root.path = std::filesystem::absolute(root.path).string();
    if (!is_root_name(root.name)) {
      throw Failure(in_quotes(root.name) + " cannot name the root " + root.path +
                    ": set a name without spaces, '/' and wildcards");
    }
    const auto same = [&](const Root& other) { return other.name == root.name; };
    if (std::count_if(roots_.begin(), roots_.end(), same) > 1) {
      throw Failure("two roots are called " + in_quotes(root.name) + ": give one of them another name");
    }
  }
}

Location Roots::locate(std::string_view path) const {
  if (path.size() > kPathBytesMax) throw Failure("the path " + in_quotes(path) + " is too long");
  if (path.find('\0') != path.npos) throw Failure("a path cannot contain a NUL character");
  const std::string_view whole = path;
  const auto next_component = [&] {
    const auto slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    path.remove_prefix(slash == path.npos ? path.size() : slash + 1);
    return component;
  };
  const std::string_view name = next_component();
  const auto root = std::find_if(roots_.begin(), roots_.end(), [&](const Root& r) { return r.name == name; });
  if (root == roots_.end()) {
    throw Failure("the path " + in_quotes(whole) +
                  " is outside of what can be seen: a path starts with the name of a root, " + names());
  }
  Location location{&*root, ""};
  while (!path.empty()) {
    const std::string_view component = next_component();
    if (component.empty() || component == ".") continue;
    if (component == "..") throw Failure("\"..\" is not allowed in a path: " + in_quotes(whole));
    location = location.child(component);
  }
  return location;
}

std::string Roots::names() const {
  if (roots_.empty()) {
    return "but none is configured: add roots = [\"/srv/docs\"] to [plugin.files.config]";
  }
  std::string text;
  for (const Root& root : roots_) text += (text.empty() ? "and these exist: " : ", ") + root.name;
  return text;
}

}  // namespace files
