#include "cli/loaded.h"

#include <atomic>
#include <memory>
#include <utility>

#include "base/display.h"
#include "base/json.h"
#include "cli/output.h"
#include "service/interruption.h"
#include "service/while_loading.h"

namespace collet::cli {
namespace {

// From before the plugins are loaded until the remotes are there, or time is up. Main loop.
class Awaited {
 public:
  Awaited(service::Host& host, const CommonOptions& options)
      : host_(host),
        loop_(host.main_loop()),
        is_one_(options.name_server()),
        name_(!is_one_ ? "the remotes" : options.url.empty() ? options.command : display::redact_url(options.url)),
        // One that was asked for by name is waited for as long as it may take to start.
        patience_ms_(options.timeout_ms.value_or(is_one_ ? limits::kServerStartMs : limits::kRemotesReadyMs)),
        quiet_(loop_),
        patience_(loop_),
        interruption_(loop_, [this] {
          interrupted_ = true;
          finish();
        }) {
    host_.on_status_changed([news = news_] { news->arrive(); });
  }
  ~Awaited() {
    host_.on_status_changed({});
    news_->awaited = nullptr;
  }
  Awaited(const Awaited&) = delete;
  Awaited& operator=(const Awaited&) = delete;

  Result<void> wait() {
    quiet_.start(limits::kQuietMs, [this] {
      say(fmt::format("collet: waiting for {}, for up to {:.3g} s", name_, static_cast<double>(patience_ms_) / 1e3));
    });
    patience_.start(patience_ms_, [this] {
      look();  // it may be that of the changes none was told
      finish();
    });
    waiting_ = look() == Look::pending && !interrupted_;
    if (waiting_) loop_.run();
    if (!interrupted_) return outcome();
    host_.unload_timeout_ms = limits::kHurriedUnloadMs;
    return error("interrupted while waiting for {}", name_);
  }

 private:
  enum class Look : std::uint8_t { pending, settled, unknown };

  // Shared by this and what tells of changes, on any thread and after the end of this.
  struct News {
    News(loop::Loop& its_loop, Awaited* told) : loop(its_loop), awaited(told) {}

    loop::Loop& loop;
    Awaited* awaited;  // main loop; null: nobody waits any more
    std::atomic<bool> posted = false;
    std::weak_ptr<News> self = {};

    void arrive() {
      if (posted.exchange(true)) return;
      loop.post([news = self.lock()] {
        news->posted = false;
        if (news->awaited && news->awaited->look() != Look::pending) news->awaited->finish();
      });
    }
  };

  void finish() {
    if (std::exchange(waiting_, false)) loop_.stop();
  }

  Look look() {
    const std::string text = host_.remotes_status();
    if (text.empty() || json::parse(text, health_)) return seen_ = Look::unknown;
    const json::Value* pending = json::find(health_, "pending");
    return seen_ = pending && pending->IsTrue() ? Look::pending : Look::settled;
  }

  Result<void> outcome() const {
    if (!is_one_) return {};
    if (seen_ == Look::unknown) return error("{} cannot be reached: no plugin that imports from servers is there", name_);
    const json::Value* remotes = json::find(health_, "remotes");
    if (!remotes || !remotes->IsArray() || remotes->Empty() || !(*remotes)[0].IsObject()) return {};
    const json::Value& remote = (*remotes)[0];
    if (json::find_string(remote, "state") == "up") return {};
    return error("{} cannot be reached: {}", name_,
                 display::printable(json::find_string(remote, "problem").value_or("it does not answer")));
  }

  service::Host& host_;
  loop::Loop& loop_;
  const bool is_one_;  // the server that the options name
  const std::string name_;
  const std::uint64_t patience_ms_;
  loop::Timer quiet_;
  loop::Timer patience_;
  bool waiting_ = false;  // the loop runs for this
  bool interrupted_ = false;
  const service::Interruption interruption_;
  json::Document health_;
  Look seen_ = Look::unknown;
  const std::shared_ptr<News> news_ = [this] {
    auto news = std::make_shared<News>(loop_, this);
    news->self = news;
    return news;
  }();
};

}  // namespace

Result<void> load_and_await_remotes(service::Host& host, const CommonOptions& options) {
  Awaited awaited(host, options);
  host.exit_code = kUnreachable;  // if it has to be left on the way
  {
    const service::WhileLoading loading(host, limits::kHurriedUnloadMs);
    host.load();
  }
  auto reached = awaited.wait();
  if (reached) host.exit_code = kOk;
  return reached;
}

}  // namespace collet::cli
