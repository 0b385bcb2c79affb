// HTTP as a client, by the host's engine: collet.fetch.draft/1, whose header says where to, and within which limits.
//
//   auto& fetcher = plugin.keep<collet::Fetcher>(plugin);
//   plugin.tool<Place>("weather", "Looks the weather up", [&fetcher](const Place& in, collet::Call& call) {
//     return fetcher.fetch(call, {.url = "https://api.example.org/weather/" + in.city}).body;
//   });
//
// A draft, as that is.
#ifndef COLLET_FETCH_HPP
#define COLLET_FETCH_HPP

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <collet/answering.hpp>
#include <collet/ext/draft/fetch.h>
#include <collet/http.hpp>
#include <collet/kit/text.hpp>
#include <collet/peers.hpp>

namespace collet::inline v1 {

// What is to be asked.
struct FetchRequest {
  std::string url;
  std::string method = "GET";
  HttpFields fields = {};
  std::string content = {};
  std::chrono::milliseconds timeout{0};  // of the whole exchange; 0: none
  std::uint64_t bytes_max = 16u << 20;   // of the answer's body; 0: none
  unsigned redirects = 0;                // that are followed
};

struct FetchHead {
  unsigned status = 0;
  std::string url = {};  // that has answered
  HttpFields fields = {};

  // The first field of that name, in any case.
  std::optional<std::string_view> header(std::string_view name) const {
    for (const auto& [each, value] : fields) {
      if (kit::equals_ignoring_case(each, name)) return value;
    }
    return std::nullopt;
  }
};

// A whole answer, whatever its status says.
struct FetchAnswer : FetchHead {
  std::string body = {};
};

// How an exchange has ended; see collet_fetch_end.
struct FetchEnd {
  std::uint32_t how = COLLET_FETCH_FAILED;
  bool sent = true;
  std::string message = {};
  bool whole() const { return how == COLLET_FETCH_COMPLETED; }
};

// Who hears of an exchange [answer].
struct FetchHearer {
  std::function<void(FetchHead head)> head = {};
  std::function<void(std::string_view bytes)> body = {};  // when it has returned they are taken
  std::function<void(FetchEnd end)> ended = {};           // exactly once
};

// [any] where nothing else is said. Made while the plugin is created, by plugin.keep<Fetcher>(plugin), before whatever uses it. Functions
// throw Error for what the host refuses, such as a URL that is none, and everything while there is only a trial.
//
// fetch() waits. It is for executors and threads of the plugin's own; not for tools that are nonblocking, nor for callbacks.
class Fetcher {
 public:
  explicit Fetcher(const Plugin& plugin)
      : host_(plugin.host()), fetch_(host_.extension<collet_fetch>(COLLET_EXT_FETCH)),
        logger_(detail::view(collet_plugin_entry_v1()->id)) {}
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // Asks, and waits for the whole answer. Error: there is none; the message says why, also where what would allow it stands.
  FetchAnswer fetch(const Inside& inside, FetchRequest request) const {
    struct Gathering {
      FetchAnswer answer;
      detail::Slot<FetchEnd> end;
    };
    detail::Answering::refuse();
    const std::string what = request.method + " " + request.url;
    auto gathering = std::make_shared<Gathering>();
    begin(inside, std::move(request),
          {.head = [gathering](FetchHead head) { static_cast<FetchHead&>(gathering->answer) = std::move(head); },
           .body = [gathering](std::string_view bytes) { gathering->answer.body += bytes; },
           .ended = [gathering](FetchEnd end) { gathering->end.put(std::move(end)); }});
    const FetchEnd end = gathering->end.take();
    if (!end.whole()) throw Error("cannot " + what + ": " + end.message);
    return std::move(gathering->answer);
  }

  // Begins an exchange; the hearer is told, perhaps before this returns. What it throws in `head` or `body` cancels the exchange.
  collet_exchange begin(const Inside& inside, FetchRequest request, FetchHearer hearer) const {
    if (inside.is_gone()) throw Error("cannot fetch: the call that it was to be made inside of has ended or was deferred");
    auto waiting = std::make_unique<Waiting>(Waiting{this, std::move(request), std::move(hearer)});
    const FetchRequest& wanted = waiting->request;
    std::vector<collet_http_field> fields;
    for (const auto& [name, value] : wanted.fields) fields.push_back({detail::str(name), detail::str(value)});
    collet_fetch_params params{};
    params.struct_size = sizeof params;
    params.flags = inside.flags() ? COLLET_FETCH_AS_PLUGIN : 0u;
    params.inside_of = inside.id();
    const auto ms = wanted.timeout.count();
    params.timeout_ms = ms < 0 ? 1u : static_cast<std::uint64_t>(ms);  // what is over is over at once
    params.bytes_max = wanted.bytes_max;
    params.redirects_max = wanted.redirects;
    params.method = detail::str(wanted.method);
    params.url = detail::str(wanted.url);
    params.fields = fields.data();
    params.field_count = fields.size();
    params.content = detail::str(wanted.content);
    params.context = waiting.get();
    params.head = Waiting::on_head;
    params.body = Waiting::on_body;
    params.ended = Waiting::on_end;
    collet_exchange out = 0;
    const std::int32_t status = fetch_ ? fetch_->fetch(host_.table(), &params, &out) : COLLET_E_UNSUPPORTED;
    if (status < 0) throw Error("cannot fetch " + wanted.url + ": " + detail::status_text(status));
    static_cast<void>(waiting.release());  // the callback's, which may have freed it
    return out;
  }
  // Asks that it end soon.
  void cancel(collet_exchange exchange) const {
    if (fetch_) fetch_->cancel(host_.table(), exchange);
  }

 private:
  struct Waiting {
    const Fetcher* fetcher;
    FetchRequest request;
    FetchHearer hearer;
    collet_exchange exchange = 0;  // once its head has come

    static void on_head(void* context, const collet_fetch_head* head) noexcept {
      Waiting& its = *static_cast<Waiting*>(context);
      its.exchange = head->exchange;
      its.tell([&] {
        FetchHead out{head->status, std::string(detail::view(head->url)), {}};
        for (std::size_t i = 0; i < head->field_count; ++i) {
          out.fields.emplace_back(detail::view(head->fields[i].name), detail::view(head->fields[i].value));
        }
        if (its.hearer.head) its.hearer.head(std::move(out));
      });
    }
    static void on_body(void* context, const void* data, std::size_t size) noexcept {
      Waiting& its = *static_cast<Waiting*>(context);
      its.tell([&] {
        if (its.hearer.body) its.hearer.body(std::string_view(static_cast<const char*>(data), size));
      });
      its.fetcher->fetch_->taken(its.fetcher->host_.table(), its.exchange, size);
    }
    static void on_end(void* context, const collet_fetch_end* end) noexcept {
      const std::unique_ptr<Waiting> its(static_cast<Waiting*>(context));
      FetchEnd out;
      try {
        out = {end->how, end->sent != 0, std::string(detail::view(end->message))};
      } catch (...) {
        out.how = COLLET_FETCH_FAILED;
      }
      if (its->hearer.ended) its->guard([&] { its->hearer.ended(std::move(out)); });
    }

    template <class Body>
    void tell(Body&& body) noexcept {
      if (!guard(body)) fetcher->cancel(exchange);
    }
    template <class Body>
    bool guard(Body&& body) noexcept {
      const detail::Answering answering;
      return fetcher->host_.guard(fetcher->logger_, [&] { return body(), COLLET_OK; }) == COLLET_OK;
    }
  };

  const detail::Host host_;
  const collet_fetch* fetch_;  // null in a trial, and where the host has no such draft
  const std::string_view logger_;
};

}  // namespace collet::inline v1

#endif
