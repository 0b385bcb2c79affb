// Pages and other answers over HTTP, below /plugins/<id>/: collet.http.draft/1, whose header says who may come, and what is
// refused.
//
//   collet::route(plugin, "/", [](const collet::HttpRequest&) { return collet::HttpAnswer::html("<h1>Hello</h1>"); });
//
// A draft, as that is.
#ifndef COLLET_HTTP_HPP
#define COLLET_HTTP_HPP

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <collet/ext/draft/http.h>
#include <collet/kit/text.hpp>
#include <collet/plugin.hpp>

namespace collet::inline v1 {

// What is asked of a route. Valid until the route's function returns.
class HttpRequest {
 public:
  std::string_view method() const { return detail::view(request_.method); }
  // Below /plugins/<id>, percent-encoded where that is needed and nowhere else.
  std::string_view path() const { return path_; }
  // Behind the '?'; empty: there is none.
  std::string_view query() const { return detail::view(request_.query); }
  std::string_view body() const { return detail::view(request_.body); }  // empty in a streamed_route(): see HttpBody
  std::span<const collet_http_field> fields() const { return {request_.fields, request_.field_count}; }
  // The first field of that name, in any case.
  std::optional<std::string_view> header(std::string_view name) const {
    for (const collet_http_field& field : fields()) {
      if (kit::equals_ignoring_case(detail::view(field.name), name)) return detail::view(field.value);
    }
    return std::nullopt;
  }

 private:
  friend struct detail::RouteMaker;
  HttpRequest(const collet_http_request& request, std::string path) : request_(request), path_(std::move(path)) {}

  collet_http_request request_;
  std::string path_;
};

using HttpFields = std::vector<std::pair<std::string, std::string>>;

// A whole answer.
struct HttpAnswer {
  unsigned status = 200;
  HttpFields fields = {};
  std::string body = {};

  static HttpAnswer html(std::string body) { return of("text/html; charset=utf-8", std::move(body)); }
  static HttpAnswer text(std::string body, unsigned status = 200) {
    return of("text/plain; charset=utf-8", std::move(body), status);
  }
  static HttpAnswer json(Json body) { return of("application/json", std::move(body.text)); }
  static HttpAnswer of(std::string type, std::string body, unsigned status = 200) {
    return {status, {{"Content-Type", std::move(type)}}, std::move(body)};
  }
};

// An answer in pieces, of a call of a route that runs. [any], one thread at a time. write() and event() throw Error once the client
// has left. They wait for the client to take what is ahead of it; in a route that is nonblocking they throw instead. Hold no lock
// meanwhile that an on_cancel() takes.
class HttpStream {
 public:
  explicit HttpStream(const CallBase& call, unsigned status = 200, const HttpFields& fields = {})
      : host_(call.host().table()), http_(call.host().extension<collet_http>(COLLET_EXT_HTTP)), call_(call.id()) {
    if (!http_) throw Error("this host serves no routes");
    std::vector<collet_http_field> given;
    for (const auto& [name, value] : fields) given.push_back({detail::str(name), detail::str(value)});
    expect(http_->respond(host_, call_, status, given.data(), given.size()), "begin an answer");
  }
  // text/event-stream
  static HttpStream events(const CallBase& call) { return HttpStream(call, 200, {{"Content-Type", "text/event-stream"}}); }

  void write(std::string_view bytes) {
    constexpr std::size_t kPiece = 256u << 10;
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, kPiece);
      say(piece.size(), [&] { return http_->write(host_, call_, piece.data(), piece.size()); });
      bytes.remove_prefix(piece.size());
    }
  }
  void event(std::string_view data, std::string_view type = {}, std::string_view id = {}) {
    collet_http_event event{};
    event.struct_size = sizeof event;
    event.data = detail::str(data);
    if (!type.empty()) event.type = detail::str(type);
    if (!id.empty()) event.id = detail::str(id);
    say(data.size(), [&] { return http_->event(host_, call_, &event); });
  }

 private:
  static void expect(std::int32_t status, const char* action) {
    if (status < 0) throw Error(std::string("cannot ") + action + ": " + detail::status_text(status));
  }
  template <class Say>
  void say(std::size_t size, Say&& say_it) const {
    constexpr const char* kAction = "go on with an answer";
    constexpr std::size_t kMost = 1u << 20;
    if (host_->is_cancelled(host_, call_) != 0) throw Error("cannot go on with an answer: its client has left");
    std::int32_t status = say_it();
    std::size_t wanted = std::clamp(size, std::size_t{1}, kMost);  // an event is larger than its data
    for (std::size_t waited = 0; status == COLLET_E_LIMIT && waited < kMost; wanted = std::min(2 * wanted, kMost)) {
      expect(http_->wait_for_room(host_, call_, wanted), kAction);
      waited = wanted;
      status = say_it();
    }
    expect(status, kAction);
  }

  const collet_host* host_;
  const collet_http* http_;
  collet_call call_;
};

// The body of a request to a streamed_route(), as it comes, of a call that runs. [any], one thread at a time. What is read throws Error
// once the body cannot come any more: its client has left, or the call was cancelled for another reason.
class HttpBody {
 public:
  explicit HttpBody(const CallBase& call)
      : host_(call.host().table()), http_(call.host().extension<collet_http>(COLLET_EXT_HTTP)), call_(call.id()) {
    if (!http_ || !COLLET_HAS(http_, collet_http, read_body)) throw Error("this host has no bodies as they come");
  }

  // Fills in the next bytes, as many as are here; how many. None: the body is over, and whole. Waits for the client; in a route that
  // is nonblocking it throws instead.
  std::size_t read(std::span<char> into) {
    for (;;) {
      if (const auto size = try_read(into)) return *size;
      expect(http_->wait_for_body(host_, call_));
    }
  }
  // Likewise, without waiting: nothing if none are here.
  std::optional<std::size_t> try_read(std::span<char> into) {
    std::size_t size = 0;
    const std::int32_t status = http_->read_body(host_, call_, into.data(), into.size(), &size);
    if (status == COLLET_E_STATE && host_->is_cancelled(host_, call_) == 0) return std::nullopt;
    expect(status);
    return size;
  }
  // Calls `take(std::string_view)` with each piece, to the end.
  template <class Take>
  void each(Take&& take) {
    std::vector<char> piece(kPieceBytes);
    while (const std::size_t size = read(piece)) take(std::string_view(piece.data(), size));
  }

 private:
  static constexpr std::size_t kPieceBytes = 64u << 10;
  static void expect(std::int32_t status) {
    if (status < 0) throw Error(std::string("cannot read on in a body: ") + detail::status_text(status));
  }

  const collet_host* host_;
  const collet_http* http_;
  collet_call call_;
};

namespace detail {

struct RouteMaker {
  // Calls `function` with as much of (const HttpRequest&, Call&) as it takes.
  template <class F>
  class RouteHandler final : public Handler {
   public:
    explicit RouteHandler(F function) : function_(std::move(function)) {}

    void serve(Call& call) override {
      const auto* http = call.host().template extension<collet_http>(COLLET_EXT_HTTP);
      collet_http_request asked{};
      asked.struct_size = sizeof asked;
      if (!http || http->request(call.host().table(), call.id(), &asked) < 0) throw Error("this is no request to a route");
      const HttpRequest request(asked, std::string(call.name()));
      using R = ResultOf<const HttpRequest, F>;
      if constexpr (std::is_void_v<R>) {
        invoke<const HttpRequest>(function_, request, call);
      } else {
        say(call, invoke<const HttpRequest>(function_, request, call));
      }
      answer(call);
    }

   private:
    static void say(const Call& call, const HttpAnswer& answer) {
      HttpStream(call, answer.status, answer.fields).write(answer.body);
    }

    F function_;
  };

  template <class F>
  static collet_item make(Registry& registry, std::string_view path, F function, const Options& options, std::string_view methods,
                          const std::string& more = {}) {
    collet_item_def def{};
    def.struct_size = sizeof def;
    def.kind = COLLET_ROUTE;
    def.flags = Registry::flags(options);
    def.timeout_ms = options.timeout_ms;
    def.name = str(path);
    const std::string definition = definition_of(methods, more);
    def.definition = str(definition);
    return registry.add(def, std::make_unique<RouteHandler<F>>(std::move(function)));
  }

 private:
  // "GET POST"; `more` are members with a comma before each.
  static std::string definition_of(std::string_view methods, const std::string& more) {
    std::string list;
    for (std::size_t end; !methods.empty(); methods.remove_prefix(std::min(end + 1, methods.size()))) {
      end = std::min(methods.find(' '), methods.size());
      if (!list.empty()) list += ',';
      append_json(list, methods.substr(0, end));
    }
    return R"({"methods":[)" + list + "]" + more + "}";
  }
};

}  // namespace detail

// Serves a path below /plugins/<id>: "/", "/status", "/files/*"; `registry` is the plugin or its Items. `function` takes
// (const HttpRequest&, Call&), or less, and returns an HttpAnswer; or nothing, having answered by an HttpStream, or deferred
// the call. What it throws is a 400 if it is an Error, else a 500. `methods` has blanks between them; HEAD comes with GET. Of
// the options, a route has nonblocking and timeout_ms, the time for an answer to begin.
template <class F>
collet_item route(Registry& registry, std::string_view path, F function, const Options& options = {},
                  std::string_view methods = "GET") {
  return detail::RouteMaker::make(registry, path, std::move(function), options, methods);
}

// Likewise, but that `function` is called as soon as the head of a request is there, and reads the body by an HttpBody, of
// `body_bytes_max` at most; 0: as many as the host allows.
template <class F>
collet_item streamed_route(Registry& registry, std::string_view path, F function, const Options& options = {},
                           std::string_view methods = "POST", std::uint64_t body_bytes_max = 0) {
  std::string more = R"(,"streamed":true)";
  if (body_bytes_max > 0) more += R"(,"bodyBytesMax":)" + std::to_string(body_bytes_max);
  return detail::RouteMaker::make(registry, path, std::move(function), options, methods, more);
}

}  // namespace collet::inline v1

#endif
