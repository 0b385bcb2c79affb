// A file descriptor that closes itself. POSIX.
//
// Ownership: a Descriptor owns what it was made of, and moves; the one moved from is empty. Threads: one at a time. Errors: a function
// that opens something gives an empty Descriptor, and errno says why.
#ifndef COLLET_KIT_DESCRIPTOR_HPP
#define COLLET_KIT_DESCRIPTOR_HPP

#include <cerrno>
#include <cstddef>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace collet::kit {

class Descriptor {
 public:
  Descriptor() = default;
  // A number below 0 makes an empty one, so that what open(2) returns can be passed on.
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  // What this had is closed with `other`, if not before.
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }

  explicit operator bool() const { return number_ >= 0; }
  // -1 if it is empty.
  int get() const { return number_; }
  // Its caller closes it.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  void close() {
    if (number_ >= 0) ::close(release());
  }

 private:
  int number_ = -1;
};

// Writes all of `bytes` to a descriptor that blocks, or returns false, and errno says why.
inline bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace collet::kit

#endif
