#include "transport/lines.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "support/catch.h"

using namespace collet;
using transport::LineStream;

namespace {

struct Ends {
  explicit Ends(std::array<int, 2> pair) : read(pair[0]), write(pair[1]) {}
  ~Ends() {
    close_read();
    close_write();
  }
  void close_read() {
    if (read >= 0) ::close(std::exchange(read, -1));
  }
  void close_write() {
    if (write >= 0) ::close(std::exchange(write, -1));
  }
  int read;
  int write;
};

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends;
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  return ends;
}

std::array<int, 2> make_socket_pair() {
  std::array<int, 2> ends;
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return ends;
}

void put(int descriptor, std::string_view bytes) {
  REQUIRE(::write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

std::string take(int descriptor) {
  char bytes[65536];
  const ssize_t got = ::read(descriptor, bytes, sizeof(bytes));
  return {bytes, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

// Notes what it is told, and stops the loop at the end or after so many lines.
struct Notes : transport::LineHandler {
  explicit Notes(loop::Loop& on) : loop(on) {}
  virtual ~Notes() = default;
  void on_line(std::string_view line) override {
    lines.emplace_back(line);
    if (echo) {
      const std::string_view piece = lines.back();
      echo->write({&piece, 1});
    }
    if (lines.size() == stop_after) loop.stop();
  }
  void on_long_line(std::string_view piece, bool last) override {
    too_long += !std::exchange(within_long, !last);
    long_line += piece;
  }
  void on_end() override {
    ++ends;
    loop.stop();
  }

  loop::Loop& loop;
  std::vector<std::string> lines;
  unsigned too_long = 0;
  bool within_long = false;
  std::string long_line;  // all of them
  unsigned ends = 0;
  std::size_t stop_after = 0;
  LineStream* echo = nullptr;
};

struct Fixture {
  loop::Loop loop;
  Notes notes{loop};
  Ends in{make_pipe()};
  Ends out{make_pipe()};
};

}  // namespace

TEST_CASE("lines end with either line end; empty ones are skipped; the last needs none") {
  Fixture f;
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes);
  put(f.in.write, "one\n\r\n\ntwo\r\nthree \r x\nlast");
  f.in.close_write();
  f.loop.run();
  CHECK(f.notes.lines == std::vector<std::string>{"one", "two", "three \r x", "last"});
  CHECK(f.notes.ends == 1);
}

TEST_CASE("a line may come byte by byte") {
  Fixture f;
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes);
  const std::string bytes = "a line\r\nanother\n";
  std::size_t sent = 0;
  loop::Timer feeder(f.loop);
  feeder.repeat(1, [&] {
    put(f.in.write, bytes.substr(sent++, 1));
    if (sent == bytes.size()) {
      feeder.stop();
      f.in.close_write();
    }
  });
  f.loop.run();
  CHECK(f.notes.lines == std::vector<std::string>{"a line", "another"});
}

TEST_CASE("a line of the limit passes, one past it is skipped, the next is read") {
  const std::string line_end = GENERATE("\n", "\r\n");
  Fixture f;
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes, 10);
  for (const std::string& line :
       {std::string(10, 'a'), std::string(11, 'b'), std::string(5000, 'c'), std::string("d")}) {
    put(f.in.write, line);
    put(f.in.write, line_end);
  }
  put(f.in.write, std::string(11, 'e'));
  f.in.close_write();
  f.loop.run();
  CHECK(f.notes.lines == std::vector<std::string>{std::string(10, 'a'), "d"});
  CHECK(f.notes.too_long == 3);
  CHECK_FALSE(f.notes.within_long);
  CHECK(f.notes.long_line == std::string(11, 'b') + std::string(5000, 'c') + std::string(11, 'e'));
}

TEST_CASE("a line that is too long is reported when it is, not when it ends") {
  Fixture f;
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes, 10);
  f.notes.stop_after = 1;
  put(f.in.write, std::string(1000, 'x'));
  loop::Timer later(f.loop);
  later.repeat(1, [&] {
    if (f.notes.too_long == 0) return;
    later.stop();
    put(f.in.write, std::string(1000, 'x'));
    put(f.in.write, "\nnext\n");
  });
  f.loop.run();
  CHECK(f.notes.too_long == 1);
  CHECK(f.notes.lines == std::vector<std::string>{"next"});
}

TEST_CASE("a line that is too long is shown whole, a piece at a time, whose last one says so") {
  Fixture f;
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes, 10);
  std::string line;
  for (int i = 0; i < 20'000; ++i) line += std::to_string(i);
  fcntl(f.in.write, F_SETFL, O_NONBLOCK);
  const std::string bytes = line + "\nnext\n";
  std::size_t sent = 0;
  f.notes.stop_after = 1;
  loop::Timer peer(f.loop);
  peer.repeat(1, [&] {
    const std::string_view part = std::string_view(bytes).substr(sent, 7'777);
    const ssize_t wrote = ::write(f.in.write, part.data(), part.size());
    if (wrote > 0) sent += static_cast<std::size_t>(wrote);
  });
  f.loop.run();
  CHECK(f.notes.too_long == 1);
  CHECK(f.notes.long_line == line);
  CHECK(f.notes.lines == std::vector<std::string>{"next"});
}

TEST_CASE("a large line is read whole and answered whole, though the pipe takes it in parts") {
  Fixture f;
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes);
  f.notes.echo = &stream;
  const std::string large(3'000'000, 'x');
  std::string back;
  std::size_t sent = 0;
  fcntl(f.in.write, F_SETFL, O_NONBLOCK);
  fcntl(f.out.read, F_SETFL, O_NONBLOCK);
  const std::string bytes = large + "\n";
  loop::Timer peer(f.loop);
  peer.repeat(1, [&] {
    const ssize_t wrote = ::write(f.in.write, bytes.data() + sent, bytes.size() - sent);
    if (wrote > 0) sent += static_cast<std::size_t>(wrote);
    back += take(f.out.read);
    if (back.size() == bytes.size()) f.loop.stop();
  });
  f.loop.run();
  CHECK(back == bytes);
  CHECK(f.notes.ends == 0);
}

TEST_CASE("while the other side does not read, no further line is taken") {
  Fixture f;
  struct Amplifier final : Notes {
    using Notes::Notes;
    void on_line(std::string_view) override {
      ++taken;
      const std::string_view piece = large;
      stream->write({&piece, 1});
    }
    std::string large = std::string(limits::kWriteBufferBytesMax / 2, 'x');
    LineStream* stream = nullptr;
    unsigned taken = 0;
  } amplifier(f.loop);
  LineStream stream(f.loop, f.in.read, f.out.write, amplifier);
  amplifier.stream = &stream;
  for (int i = 0; i < 8; ++i) put(f.in.write, "more\n");
  f.in.close_write();
  fcntl(f.out.read, F_SETFL, O_NONBLOCK);
  unsigned choked_at = 0;
  std::size_t back = 0;
  loop::Timer peer(f.loop);
  peer.start(0, [&] {
    peer.repeat(1, [&] {
      if (choked_at == 0) choked_at = amplifier.taken;
      for (std::string got = take(f.out.read); !got.empty(); got = take(f.out.read)) back += got.size();
      if (back == 8 * (amplifier.large.size() + 1)) f.loop.stop();
    });
  });
  f.loop.run();
  CHECK(choked_at >= 2);
  CHECK(choked_at <= 4);
  CHECK(amplifier.taken == 8);
  CHECK(amplifier.ends == 1);
}

TEST_CASE("pieces become one line; the output still leaves after the input has ended") {
  Fixture f;
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes);
  f.in.close_write();
  f.loop.run();
  REQUIRE(f.notes.ends == 1);
  const std::array<std::string_view, 3> few = {"a", "", "b"};
  stream.write(few);
  const std::vector<std::string_view> many(40, "x");
  stream.write(many);
  bool flushed = false;
  stream.flush([&] {
    flushed = true;
    f.loop.stop();
  });
  CHECK_FALSE(flushed);
  f.loop.run();
  CHECK(take(f.out.read) == "ab\n" + std::string(40, 'x') + "\n");
}

TEST_CASE("a reader that has gone ends the stream once, and a flush is done") {
  Fixture f;
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes);
  f.out.close_read();
  const std::string_view piece = "x";
  stream.write({&piece, 1});
  stream.write({&piece, 1});
  CHECK(f.notes.ends == 0);  // never from inside write()
  f.loop.run();
  CHECK(f.notes.ends == 1);
  stream.flush([&] { f.loop.stop(); });
  f.loop.run();
}

TEST_CASE("a reader that goes while output waits ends the stream") {
  Fixture f;
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes);
  const std::string large(1'000'000, 'x');
  const std::string_view piece = large;
  stream.write({&piece, 1});
  f.out.close_read();
  f.loop.run();
  CHECK(f.notes.ends == 1);
}

// Of the heap, in use.
std::size_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST_CASE("a reader that is slow but steady costs memory for what it has not read, not for what it has") {
  Fixture f;
  fcntl(f.out.read, F_SETFL, O_NONBLOCK);
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes);
  constexpr std::size_t kLag = 1'000'000;
  const std::string line(60'000, 'x');
  const std::string_view piece = line;
  std::size_t written = 0;
  std::size_t back = 0;
  std::size_t heap_max = 0;
  const std::size_t heap_before = heap_bytes();
  loop::Timer peer(f.loop);
  peer.repeat(1, [&] {
    for (; written - back < kLag; written += line.size() + 1) stream.write({&piece, 1});
    back += take(f.out.read).size();
    heap_max = std::max(heap_max, heap_bytes());
    if (back > 20 * kLag) f.loop.stop();
  });
  f.loop.run();
  CHECK(heap_max < heap_before + 3 * kLag);
  CHECK(stream.taken_bytes() > 19 * kLag);
}

TEST_CASE("lines that were not taken whole are counted, also after the reader has gone") {
  Fixture f;
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes);
  const std::string line(100'000, 'x');
  const std::string_view piece = line;
  CHECK(stream.undelivered() == 0);
  for (int i = 0; i < 3; ++i) stream.write({&piece, 1});
  CHECK(stream.undelivered() == 3);  // a pipe holds less than one
  f.out.close_read();
  f.loop.run();
  CHECK(f.notes.ends == 1);
  stream.write({&piece, 1});
  CHECK(stream.undelivered() == 4);
}

TEST_CASE("a reader that goes while nothing is written ends the stream") {
  Fixture f;
  LineStream stream(f.loop, f.in.read, f.out.write, f.notes);
  f.out.close_read();
  f.loop.run();
  CHECK(f.notes.ends == 1);
}

TEST_CASE("a client that resets its connection within a line ends the stream, and half a line is none") {
  loop::Loop loop;
  Notes notes(loop);
  Ends ends(make_socket_pair());
  LineStream stream(loop, ends.read, ends.read, notes);
  notes.echo = &stream;
  put(ends.write, "whole\nha");
  loop::Timer peer(loop);
  peer.repeat(1, [&] {
    if (notes.lines.empty()) return;
    peer.stop();
    put(ends.write, "lf");
    ends.close_write();  // with an answer that it has not read
  });
  loop.run();
  CHECK(notes.ends == 1);
  CHECK(notes.lines == std::vector<std::string>{"whole"});
}

TEST_CASE("a client that has only closed its own direction is still answered, later too") {
  loop::Loop loop;
  Notes notes(loop);
  Ends ends(make_socket_pair());
  LineStream stream(loop, ends.read, ends.read, notes);
  ::shutdown(ends.write, SHUT_WR);
  loop.run();
  CHECK(notes.ends == 1);
  const std::string_view piece = "late";
  stream.write({&piece, 1});
  stream.flush([&] { loop.stop(); });
  loop.run();
  CHECK(take(ends.write) == "late\n");
}

TEST_CASE("one socket serves both directions") {
  loop::Loop loop;
  Notes notes(loop);
  Ends ends(make_socket_pair());
  LineStream stream(loop, ends.read, ends.read, notes);
  notes.echo = &stream;
  put(ends.write, "hello\n");
  ::shutdown(ends.write, SHUT_WR);
  loop.run();
  CHECK(take(ends.write) == "hello\n");
}

TEST_CASE("regular files and /dev/null can be input and output") {
  loop::Loop loop;
  Notes notes(loop);
  char in_path[] = "/tmp/collet_lines_XXXXXX";
  char out_path[] = "/tmp/collet_lines_XXXXXX";
  const int in = mkstemp(in_path);
  const int out = mkstemp(out_path);
  std::string expected;
  for (int i = 0; i < 20'000; ++i) expected += "line " + std::to_string(i) + "\n";
  put(in, expected);
  lseek(in, 0, SEEK_SET);
  {
    LineStream stream(loop, in, out, notes);
    notes.echo = &stream;
    loop.run();
  }
  CHECK(notes.lines.size() == 20'000);
  std::string written;
  lseek(out, 0, SEEK_SET);
  for (std::string got = take(out); !got.empty(); got = take(out)) written += got;
  CHECK(written == expected);
  ::close(in);
  ::close(out);
  unlink(in_path);
  unlink(out_path);

  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  Notes nothing(loop);
  LineStream stream(loop, null, null, nothing);
  loop.run();
  CHECK(nothing.ends == 1);
  ::close(null);
}

TEST_CASE("a terminal can be input and output") {
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
    WARN("no pseudo-terminal can be had: skipped");
    return;
  }
  const int terminal = ::open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(terminal >= 0);
  loop::Loop loop;
  Notes notes(loop);
  notes.stop_after = 1;
  LineStream stream(loop, terminal, terminal, notes);
  put(master, "typed\n");
  loop.run();
  CHECK(notes.lines == std::vector<std::string>{"typed"});
  ::close(terminal);
  ::close(master);
}

TEST_CASE("the descriptors are left as they were found") {
  Fixture f;
  const int in_flags = fcntl(f.in.read, F_GETFL);
  const int out_flags = fcntl(f.out.write, F_GETFL);
  {
    LineStream stream(f.loop, f.in.read, f.out.write, f.notes);
    CHECK((fcntl(f.in.read, F_GETFL) & O_NONBLOCK) != 0);
  }
  CHECK(fcntl(f.in.read, F_GETFL) == in_flags);
  CHECK(fcntl(f.out.write, F_GETFL) == out_flags);
}

TEST_CASE("a handler may destroy its stream from any function") {
  struct Destroyer final : transport::LineHandler {
    void on_line(std::string_view) override { destroy(); }
    void on_long_line(std::string_view, bool) override { destroy(); }
    void on_end() override { destroy(); }
    void destroy() {
      ++calls;
      stream.reset();
      loop->stop();
    }
    loop::Loop* loop = nullptr;
    std::unique_ptr<LineStream> stream;
    unsigned calls = 0;
  };
  const std::string input = GENERATE("a\nb\n", "too long a line\nb\n", "");
  Fixture f;
  Destroyer destroyer;
  destroyer.loop = &f.loop;
  destroyer.stream = std::make_unique<LineStream>(f.loop, f.in.read, f.out.write, destroyer, 5);
  put(f.in.write, input);
  f.in.close_write();
  f.loop.run();
  CHECK(destroyer.calls == 1);
}
