#include "cli/admin_client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "support/catch.h"

using namespace collet;
using cli::AtSilence;

namespace {

// Answers each connection in a thread of its own, once, by `answer`; an empty answer is none.
class Server {
 public:
  using Answer = std::string (*)(Server& server, const std::string& request);

  explicit Server(Answer answer) : answer_(answer), listening_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    char folder[] = "/tmp/collet-admin-XXXXXX";
    REQUIRE(mkdtemp(folder));
    folder_ = folder;
    path_ = folder_ + "/s";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    REQUIRE(bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listening_, 8) == 0);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~Server() {
    shutdown(listening_, SHUT_RDWR);
    lists = 1'000'000;  // nobody waits any more
    lists.notify_all();
    accepting_.join();
    for (std::thread& thread : threads_) thread.join();
    close(listening_);
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& path() const { return path_; }
  std::atomic<int> lists{0};
  void wait_for_lists(int count) {
    for (int seen; (seen = lists) < count;) lists.wait(seen);
  }

 private:
  void accept_all() {
    for (int connection; (connection = accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      threads_.emplace_back([this, connection] { serve(connection); });
    }
  }
  void serve(int connection) {
    std::string request(256, '\0');
    const ssize_t count = recv(connection, request.data(), request.size(), 0);
    request.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    const std::string answer = answer_(*this, request);
    if (!answer.empty()) {
      send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
    } else {
      while (recv(connection, request.data(), request.size(), 0) > 0) {  // until the other side has gone
      }
    }
    close(connection);
  }

  const Answer answer_;
  const int listening_;
  std::string folder_, path_;
  std::thread accepting_;
  std::vector<std::thread> threads_;  // of accepting_ until that has ended
};

}  // namespace

TEST_CASE("an answer comes whole, without its newline") {
  Server server([](Server&, const std::string& request) { return "you said " + request; });
  const auto answer = cli::ask_server(server.path(), R"({"do":"list"})", 10'000);
  REQUIRE(answer);
  REQUIRE(answer->ok());
  CHECK(**answer == R"(you said {"do":"list"})");
}

TEST_CASE("where no server is there is no answer") {
  CHECK_FALSE(cli::ask_server("", "{}", 10'000));
  CHECK_FALSE(cli::ask_server("/nonexistent/s", "{}", 10'000));
  CHECK_FALSE(cli::ask_server(std::string(200, 'x'), "{}", 10'000));
}

TEST_CASE("a server that takes a request and says nothing is given up") {
  Server server([](Server&, const std::string&) { return std::string(); });
  for (const AtSilence at_silence : {AtSilence::give_up, AtSilence::probe}) {
    const auto answer = cli::ask_server(server.path(), R"({"do":"reload"})", 20, at_silence);
    REQUIRE(answer);
    REQUIRE_FALSE(answer->ok());
    CHECK_THAT(answer->message(), Catch::Contains("does not answer"));
  }
}

TEST_CASE("half an answer is none") {
  Server server([](Server&, const std::string&) { return std::string("{\"ok\":"); });
  const auto answer = cli::ask_server(server.path(), "{}", 10'000);
  REQUIRE(answer);
  REQUIRE_FALSE(answer->ok());
  CHECK_THAT(answer->message(), Catch::Contains("ended the conversation"));
}

TEST_CASE("a server at work is waited for as long as it answers others") {
  Server server([](Server& self, const std::string& request) -> std::string {
    if (request.find("list") == std::string::npos) {
      self.wait_for_lists(3);
      return "done\n";
    }
    ++self.lists;
    self.lists.notify_all();
    return "{}\n";
  });
  const auto answer = cli::ask_server(server.path(), R"({"do":"reload"})", 200, AtSilence::probe);
  REQUIRE(answer);
  REQUIRE(answer->ok());
  CHECK(**answer == "done");
  CHECK(server.lists >= 3);
}
