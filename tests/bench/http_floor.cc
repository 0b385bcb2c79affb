// A server that answers every request with the same bytes, on the transport alone: the most that the host can
// reach.
//
// http_floor [PORT [BODY]] prints its port and serves with one loop until it is killed.
#include <cstdio>
#include <cstdlib>

#include "transport/http.h"

using namespace collet;

namespace {

struct FixedAnswer final : transport::HttpHandler {
  void on_request(const transport::HttpRequest&, transport::HttpReply& reply) override {
    const transport::Header type{"Content-Type", "application/json"};
    reply.respond(200, {&type, 1}, {&body, 1});
  }
  std::string_view body = R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"hello"}]}})";
};

}  // namespace

int main(int argc, char** argv) {
  transport::Address address;
  address.host = "127.0.0.1";
  address.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  auto socket = transport::ListenSocket::bind(address, 1, nullptr);
  if (!socket) {
    std::fprintf(stderr, "%s\n", socket.message().c_str());
    return 1;
  }
  FixedAnswer handler;
  if (argc > 2) handler.body = argv[2];
  loop::Loop loop;
  transport::HttpServer server(loop, {}, handler);
  server.listen(**socket, 0);
  std::printf("%u\n", socket.value()->address().port);
  std::fflush(stdout);
  loop.run();
}
