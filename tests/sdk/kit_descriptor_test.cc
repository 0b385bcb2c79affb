#include <collet/kit/descriptor.hpp>

#include <cerrno>
#include <string>
#include <thread>
#include <type_traits>

#include <fcntl.h>

#include "support/catch.h"

using namespace collet::kit;

namespace {

bool is_open(int number) { return fcntl(number, F_GETFD) >= 0; }

Descriptor opened() { return Descriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC)); }

}  // namespace

static_assert(!std::is_copy_constructible_v<Descriptor> && !std::is_copy_assignable_v<Descriptor>);

TEST_CASE("a descriptor is closed by its end, or before") {
  int number = -1;
  {
    const Descriptor file = opened();
    REQUIRE(file);
    number = file.get();
    CHECK(is_open(number));
  }
  CHECK_FALSE(is_open(number));
  Descriptor file = opened();
  number = file.get();
  file.close();
  CHECK_FALSE(is_open(number));
  CHECK_FALSE(file);
  file.close();  // closes nothing
}

TEST_CASE("a descriptor that is empty closes nothing") {
  CHECK_FALSE(Descriptor());
  CHECK(Descriptor().get() == -1);
  CHECK_FALSE(Descriptor(::open("/does/not/exist", O_RDONLY)));
  CHECK(errno == ENOENT);
}

TEST_CASE("a descriptor moves, and is released to its caller") {
  Descriptor first = opened();
  const int number = first.get();
  Descriptor second = std::move(first);
  CHECK_FALSE(first);
  CHECK(second.get() == number);
  first = std::move(second);
  CHECK(first.get() == number);
  const int released = first.release();
  CHECK(released == number);
  CHECK_FALSE(first);
  CHECK(is_open(number));
  ::close(number);
}

TEST_CASE("all bytes are written, also more than a pipe takes at once") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  const std::string bytes(1 << 20, 'x');
  std::string read_back;
  std::thread reader([&] {
    char piece[4096];
    for (ssize_t size; (size = read(from.get(), piece, sizeof piece)) > 0;) read_back.append(piece, static_cast<std::size_t>(size));
  });
  CHECK(write_all(to.get(), bytes));
  to.close();
  reader.join();
  CHECK(read_back == bytes);
}

TEST_CASE("what cannot be written is said") {
  const Descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(write_all(file.get(), ""));
  CHECK_FALSE(write_all(file.get(), "x"));
  CHECK(errno == EBADF);
}
