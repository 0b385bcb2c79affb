// Some of the routes of web.c, in C++.
#include <collet/http.hpp>

#include <atomic>
#include <mutex>
#include <thread>

namespace {

// The call that is to be ended when it is cancelled.
struct Left {
  std::mutex mutex;
  std::optional<collet::PendingCall> call;
};

std::string echo(const collet::HttpRequest& request, const collet::Call& call) {
  std::string text = "method " + std::string(request.method()) + "\npath " + std::string(request.path()) + "\n";
  text += request.query().empty() ? "no query\n" : "query " + std::string(request.query()) + "\n";
  if (const auto test = request.header("x-test")) text += "test " + std::string(*test) + "\n";
  if (const auto secret = request.header("authorization")) text += "a secret " + std::string(*secret) + "\n";
  if (const auto who = call.info("principal")) text += "for " + std::string(*who) + "\n";
  return text + "body " + std::string(request.body()) + "\n";
}

}  // namespace

COLLET_PLUGIN("org.example.web", "1.0.0", plugin, .flags = COLLET_PLUGIN_CONCURRENT) {
  using collet::HttpAnswer;
  using collet::HttpRequest;
  const auto page = [] { return HttpAnswer{200, {{"Content-Type", "text/html"}}, "<!doctype html><title>Hi</title><p>Hello"}; };
  collet::route(plugin, "/", page);
  collet::route(plugin, "/fast", page, {.nonblocking = true});
  collet::route(
      plugin, "/echo",
      [](const HttpRequest& request, collet::Call& call) {
        return HttpAnswer{200, {{"Content-Type", "text/plain"}}, echo(request, call)};
      },
      {}, "GET POST");
  collet::route(plugin, "/files/*", [](const HttpRequest& request) {
    return HttpAnswer{200, {{"Content-Type", "text/plain"}}, std::string(request.path())};
  });
  collet::route(plugin, "/events", [](const HttpRequest&, collet::Call& call) {
    auto stream = collet::HttpStream::events(call);
    stream.event("one\ntwo");
    stream.event("", "end", "7");
  });
  collet::route(plugin, "/rest", [](const HttpRequest&, collet::Call& call) {
    collet::HttpStream(call, 200, {{"Content-Type", "text/plain"}}).write("half");
    throw std::runtime_error("broken");
  });
  collet::route(plugin, "/silent", [] {});
  collet::route(plugin, "/fail", []() -> HttpAnswer { throw collet::Error("no such page"); });
  collet::route(plugin, "/bytes", [](const HttpRequest& request, collet::Call& call) {
    collet::HttpStream stream(call, 200, {{"Content-Type", "application/octet-stream"}});
    stream.write(std::string(std::stoul(std::string(request.query())), 'x'));
  });
  collet::route(plugin, "/ticks", [](const HttpRequest&, collet::Call& call) {
    for (auto stream = collet::HttpStream::events(call);; std::this_thread::yield()) stream.event("");
  });
  collet::streamed_route(
      plugin, "/upload",
      [](const HttpRequest&, collet::Call& call) {
        std::size_t size = 0;
        unsigned sum = 0;
        collet::HttpBody(call).each([&](std::string_view piece) {
          size += piece.size();
          for (const char byte : piece) sum = sum * 31 + static_cast<unsigned char>(byte);
        });
        return HttpAnswer::text(std::to_string(size) + " bytes, " + std::to_string(sum));
      },
      {}, "PUT", 6'000'000);
  auto& left = plugin.keep<Left>();
  collet::route(plugin, "/leave", [&left](const HttpRequest&, collet::Call& call) {
    collet::HttpStream(call, 200, {{"Content-Type", "text/plain"}}).write("begun");
    call.on_cancel([&left] {
      const std::lock_guard lock(left.mutex);
      if (left.call) left.call->fail(collet::RpcError(-32603, "cancelled"));
      left.call.reset();
    });
    const std::lock_guard lock(left.mutex);
    left.call = call.defer();
  });
}
