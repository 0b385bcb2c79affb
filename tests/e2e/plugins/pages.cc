// Pages over HTTP, one of which lists and calls the tools of others, as whoever looks at it.
#include <collet/http.hpp>
#include <collet/peers.hpp>

#include <condition_variable>
#include <mutex>

namespace {

// Streams that stay open until somebody says something, or the client leaves.
class Feed {
 public:
  void say(std::string text) {
    const std::lock_guard lock(mutex_);
    last_ = std::move(text);
    ++said_;
    changed_.notify_all();
  }
  void follow(collet::Call& call) {
    auto stream = collet::HttpStream::events(call);
    call.on_cancel([this] {
      const std::lock_guard lock(mutex_);
      changed_.notify_all();
    });
    stream.event("hello");
    const Follower counted(*this);
    std::unique_lock lock(mutex_);
    for (std::uint64_t seen = said_;;) {
      changed_.wait(lock, [&] { return said_ != seen || call.cancelled(); });
      if (call.cancelled()) return;
      seen = said_;
      const std::string text = last_;
      lock.unlock();  // as the client may be slow
      stream.event(text, "said", std::to_string(seen));
      lock.lock();
    }
  }
  unsigned followers() {
    const std::lock_guard lock(mutex_);
    return followers_;
  }
  std::uint64_t said() {
    const std::lock_guard lock(mutex_);
    return said_;
  }
  // Until somebody has said more than that.
  void wait_for_more(std::uint64_t seen, collet::Call& call) {
    call.on_cancel([this] {
      const std::lock_guard lock(mutex_);
      changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return said_ != seen || call.cancelled(); });
  }
  // Bodies that have not come whole.
  void lose() {
    const std::lock_guard lock(mutex_);
    ++lost_;
  }
  unsigned lost() {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  struct Follower {
    explicit Follower(Feed& to) : feed(to) { count(1); }
    ~Follower() { count(-1); }
    void count(int by) {
      const std::lock_guard lock(feed.mutex_);
      feed.followers_ += static_cast<unsigned>(by);
    }
    Feed& feed;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string last_;
  std::uint64_t said_ = 0;
  unsigned followers_ = 0;
  unsigned lost_ = 0;
};

// The names in a page of items.
std::vector<std::string> names_in(const collet::Json& page) {
  std::vector<std::string> names;
  collet::JsonReader in(page.text);
  in.read_object([&](std::string_view member) {
    if (member != "items") return void(in.read_raw());
    in.read_array([&] {
      in.read_object([&](std::string_view key) {
        if (key != "name") return void(in.read_raw());
        std::string room;
        names.emplace_back(in.read_string(room));
      });
    });
  });
  return names;
}

}  // namespace

COLLET_PLUGIN("org.example.pages", "1.0.0", plugin, .flags = COLLET_PLUGIN_CONCURRENT, .max_concurrency = 8) {
  using collet::HttpAnswer;
  using collet::HttpRequest;
  auto& peers = plugin.keep<collet::Peers>(plugin);
  auto& feed = plugin.keep<Feed>();
  const std::string generation = std::to_string(plugin.generation());

  collet::route(plugin, "/", [&peers](const HttpRequest&, collet::Call& call) {
    std::string page = "<!doctype html><title>Tools</title><ul>";
    for (const std::string& name : names_in(peers.list(call))) page += "<li>" + name;
    return HttpAnswer::html(page + "</ul>");
  });
  collet::route(
      plugin, "/call/*",
      [&peers](const HttpRequest& request, collet::Call& call) {
        const std::string tool(request.path().substr(6));
        const collet::Outcome outcome = peers.call(call, {.name = tool, .arguments = {std::string(request.body())}});
        return outcome.completed() ? HttpAnswer::json(outcome.result) : HttpAnswer::text(outcome.message, 502);
      },
      {}, "POST");
  collet::route(plugin, "/feed", [&feed](const HttpRequest&, collet::Call& call) { feed.follow(call); });
  collet::route(
      plugin, "/say", [&feed](const HttpRequest& request) { feed.say(std::string(request.body())); return HttpAnswer{204}; }, {},
      "POST");
  collet::route(plugin, "/followers", [&feed] { return HttpAnswer::text(std::to_string(feed.followers())); });
  collet::route(plugin, "/generation", [generation] { return HttpAnswer::text(generation); }, {.nonblocking = true});
  collet::route(plugin, "/large", [](const HttpRequest& request, collet::Call& call) {
    collet::HttpStream stream(call);
    for (std::size_t left = std::stoul(std::string(request.query())); left > 0;) {
      const std::size_t size = std::min<std::size_t>(left, 1'000'000);
      stream.write(std::string(size, 'x'));
      left -= size;
    }
  });
  collet::route(plugin, "/size", [](const HttpRequest& request) { return HttpAnswer::text(std::to_string(request.body().size())); },
                {}, "PUT");
  collet::streamed_route(
      plugin, "/hash",
      [](const HttpRequest& request, collet::Call& call) {
        if (request.query() == "no") return HttpAnswer::text("no", 403);
        std::size_t size = 0;
        std::uint32_t low = 1, high = 0;  // Adler-32
        collet::HttpBody(call).each([&](std::string_view piece) {
          size += piece.size();
          for (const char byte : piece) {
            low = (low + static_cast<unsigned char>(byte)) % 65'521;
            high = (high + low) % 65'521;
          }
        });
        return HttpAnswer::text(std::to_string(size) + " " + std::to_string(high << 16 | low));
      },
      {}, "PUT POST");
  collet::streamed_route(
      plugin, "/back",
      [](const HttpRequest&, collet::Call& call) {
        collet::HttpStream back(call);
        collet::HttpBody(call).each([&](std::string_view piece) { back.write(piece); });
      },
      {}, "PUT");
  const auto keep = [&feed](const HttpRequest&, collet::Call& call) {
    try {
      collet::HttpBody(call).each([](std::string_view) {});
    } catch (const collet::Error&) {
      feed.lose();
      throw;
    }
    return HttpAnswer{204};
  };
  collet::streamed_route(plugin, "/kept", keep, {}, "PUT", 1'000'000);
  collet::streamed_route(plugin, "/hurried", keep, {.timeout_ms = 1500}, "PUT");
  collet::streamed_route(
      plugin, "/stuck",
      [&feed](const HttpRequest&, collet::Call& call) {
        const std::uint64_t seen = feed.said();
        collet::HttpStream begun(call);
        begun.write("begun");
        feed.wait_for_more(seen, call);
        std::size_t size = 0;
        collet::HttpBody(call).each([&](std::string_view piece) { size += piece.size(); });
        begun.write(std::to_string(size));
      },
      {}, "PUT");
  collet::route(plugin, "/lost", [&feed] { return HttpAnswer::text(std::to_string(feed.lost())); });
  collet::route(plugin, "/crash", []() -> HttpAnswer { std::abort(); });
}
