// A plugin that fetches, in C++.
//   "get"     how it is answered: status, X-Test and body; an error says why it is not
//   "stream"  how many bytes have come, piece by piece, and how it has ended
//   "stop"    the same, but it throws at the first piece
//   "inside"  waits inside of a callback, and says what that says
#include <collet/fetch.hpp>

struct Order {
  std::string url;
  std::optional<std::int64_t> redirects;
};

COLLET_PLUGIN("org.example.fetcher-cpp", "1.0.0", plugin, .flags = COLLET_PLUGIN_CONCURRENT) {
  auto& fetcher = plugin.keep<collet::Fetcher>(plugin);
  plugin.tool<Order>("get", "Fetches", [&fetcher](const Order& in, collet::Call& call) {
    const auto answer = fetcher.fetch(call, {.url = in.url, .redirects = static_cast<unsigned>(in.redirects.value_or(0))});
    return std::to_string(answer.status) + " " + std::string(answer.header("x-test").value_or("-")) + " " + answer.body;
  });
  const auto stream = [&fetcher](const Order& in, collet::Call& call, bool throws) {
    collet::detail::Slot<collet::FetchEnd> end;
    std::size_t bytes = 0;
    fetcher.begin(call, {.url = in.url},
                  {.body =
                       [&](std::string_view piece) {
                         bytes += piece.size();
                         if (throws) throw collet::Error("that is enough");
                       },
                   .ended = [&](collet::FetchEnd how) { end.put(std::move(how)); }});
    const collet::FetchEnd how = end.take();
    return (throws ? std::string(bytes > 0 ? "some" : "none") : std::to_string(bytes)) + " " + std::to_string(how.how) + how.message;
  };
  plugin.tool<Order>("stream", "Fetches", [stream](const Order& in, collet::Call& call) { return stream(in, call, false); });
  plugin.tool<Order>("stop", "Fetches", [stream](const Order& in, collet::Call& call) { return stream(in, call, true); });
  plugin.tool<Order>("inside", "Waits where it must not", [&fetcher](const Order& in, collet::Call& call) {
    collet::detail::Slot<std::string> said;
    fetcher.begin(call, {.url = in.url}, {.ended = [&](collet::FetchEnd) {
                    try {
                      fetcher.fetch(collet::as_plugin, {.url = in.url});
                      said.put("it waited");
                    } catch (const collet::Error& error) {
                      said.put(error.what());
                    }
                  }});
    return said.take();
  });
}
