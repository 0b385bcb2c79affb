#include "cli/saved_contents.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/output.h"

namespace collet::cli {

std::string SavedContents::next_name() const {
  if (count_ == 0) return file_;
  const std::filesystem::path path = file_;
  const std::string name = fmt::format("{}-{}{}", path.stem().string(), count_ + 1, path.extension().string());
  return (path.parent_path() / name).string();
}

Result<std::string> SavedContents::save(std::string_view bytes) {
  const std::string name = next_name();
  const int how = O_WRONLY | O_CREAT | O_CLOEXEC | (count_ == 0 ? O_TRUNC : O_EXCL);
  const int opened = open(name.c_str(), how, 0666);
  if (opened < 0) return error("cannot write {}: {}", name, std::strerror(errno));
  const bool written = write_all(opened, bytes);
  const int wrong = errno;
  if (close(opened) != 0 && written) return error("cannot write {}: {}", name, std::strerror(errno));
  if (!written) return error("cannot write {}: {}", name, std::strerror(wrong));
  ++count_;
  return name;
}

}  // namespace collet::cli
