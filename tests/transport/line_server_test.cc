#include "transport/line_server.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <future>
#include <string>
#include <thread>

#include "support/catch.h"
#include "transport/listen_socket.h"

using namespace collet;

using transport::LineServer;

namespace {

constexpr unsigned kConnectionsMax = 2;

// Answers each line with itself, on a thread of its own.
class ServedLines {
 public:
  ServedLines() : folder_(make_folder()), socket_(bind(folder_ + "/socket")) {
    server_ = std::make_unique<LineServer>(loop_, *socket_, 0, 100, kConnectionsMax,
                                           [this](std::string_view line, LineServer::Answer answer) {
                                             ++asked_;
                                             answer(line);
                                           });
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~ServedLines() {
    run([this] { server_.reset(); });
    loop_.stop();
    thread_.join();
    socket_.reset();
    rmdir(folder_.c_str());
  }

  Descriptor connect() const {
    Descriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    std::strcpy(path.sun_path, (folder_ + "/socket").c_str());
    if (::connect(client.get(), reinterpret_cast<sockaddr*>(&path), sizeof path) != 0) client.close();
    return client;
  }
  unsigned asked() {
    return run([this] { return asked_; });
  }

  template <class Task>
  std::invoke_result_t<Task&> run(Task task) {
    std::packaged_task<std::invoke_result_t<Task&>()> wrapped(std::move(task));
    auto done = wrapped.get_future();
    loop_.post([&wrapped] { wrapped(); });
    return done.get();
  }
  loop::Loop& loop() { return loop_; }

 private:
  static std::string make_folder() {
    char folder[] = "/tmp/collet_lines_XXXXXX";
    REQUIRE(mkdtemp(folder));
    return folder;
  }
  static std::unique_ptr<transport::ListenSocket> bind(const std::string& path) {
    auto bound = transport::ListenSocket::bind({transport::Address::Scheme::unix_socket, path, 0}, 1, nullptr);
    REQUIRE(bound);
    return std::move(*bound);
  }

  const std::string folder_;
  loop::Loop loop_;
  std::unique_ptr<transport::ListenSocket> socket_;
  unsigned asked_ = 0;
  std::unique_ptr<LineServer> server_;
  std::thread thread_;
};

void put(const Descriptor& to, std::string_view bytes) {
  REQUIRE(::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

// Empty if the server has closed.
std::string take(const Descriptor& from) {
  char bytes[1000];
  const ssize_t got = ::recv(from.get(), bytes, sizeof bytes, 0);
  return {bytes, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

std::string answer_to_another(const ServedLines& served) {
  for (;;) {
    const Descriptor client = served.connect();
    if (::send(client.get(), "again\n", 6, MSG_NOSIGNAL) != 6) continue;
    if (std::string answer = take(client); !answer.empty()) return answer;
  }
}

}  // namespace

TEST_CASE("clients that ask, send half a line and leave without reading do not use up the connections") {
  ServedLines served;
  for (unsigned i = 1; i <= 3 * kConnectionsMax; ++i) {
    while (served.asked() < i) {
      const Descriptor client = served.connect();
      static_cast<void>(::send(client.get(), "ask\n", 4, MSG_NOSIGNAL));
      char byte;
      // Its answer has come, or it was turned away; it is not taken.
      static_cast<void>(::recv(client.get(), &byte, 1, MSG_PEEK));
      static_cast<void>(::send(client.get(), "half", 4, MSG_NOSIGNAL));
    }
  }
  CHECK(answer_to_another(served) == "again\n");
}

TEST_CASE("a line that is too long ends its connection alone") {
  ServedLines served;
  const Descriptor client = served.connect();
  put(client, std::string(200, 'x'));
  CHECK(take(client).empty());
  CHECK(answer_to_another(served) == "again\n");
}

TEST_CASE("without a descriptor a client is turned away, and its place in the queue wakes the loop no more") {
  ServedLines served;
  const Descriptor waiting(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Descriptor client = served.connect();
  put(client, "one\n");
  REQUIRE(take(client) == "one\n");
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int lowest_free = ::dup(0);
  ::close(lowest_free);
  std::string turned_away;
  std::string served_still;
  {
    const rlimit none{static_cast<rlim_t>(lowest_free), before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    sockaddr_un path{};
    socklen_t size = sizeof path;
    getpeername(client.get(), reinterpret_cast<sockaddr*>(&path), &size);
    ::connect(waiting.get(), reinterpret_cast<sockaddr*>(&path), size);
    turned_away = take(waiting);
    ::send(client.get(), "two\n", 4, MSG_NOSIGNAL);
    served_still = take(client);
    setrlimit(RLIMIT_NOFILE, &before);
  }
  CHECK(turned_away.empty());
  CHECK(served_still == "two\n");
  CHECK(answer_to_another(served) == "again\n");
}
