// One call, as a plugin sees it: what is known of it, what it says while it runs, and how it ends.
#ifndef COLLET_CALL_HPP
#define COLLET_CALL_HPP

#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <collet/ext/relay.h>
#include <collet/ext/stream.h>
#include <collet/runtime.hpp>
#include <collet/schema.hpp>

namespace collet::inline v1 {

// A tool's way to say no: the client's model reads the message.
struct ToolError : Error {
  using Error::Error;
};

// Ends the call with a JSON-RPC error instead of a result, as a resource that does not exist asks for.
struct RpcError : Error {
  RpcError(std::int32_t rpc_code, const std::string& message, Json more = {})
      : Error(message), code(rpc_code), data(std::move(more)) {}
  std::int32_t code;
  Json data;
};

// Thrown when round > 0 and the state is not understood: the host starts the call again at round 0.
struct StateNotUnderstood : Error {
  StateNotUnderstood() : Error("the state of an earlier round is not understood") {}
};

namespace detail {
class Handler;
}

// A buffer of the host's memory, to be filled in place and given to a result without another copy.
class Blob {
 public:
  Blob(Blob&& other) noexcept
      : host_(other.host_), id_(std::exchange(other.id_, 0)), data_(other.data_), size_(other.size_) {}
  Blob& operator=(Blob&& other) noexcept {
    std::swap(host_, other.host_), std::swap(id_, other.id_), std::swap(data_, other.data_),
        std::swap(size_, other.size_);
    return *this;
  }
  ~Blob() {
    if (id_) (*host_)(&collet_host::blob_drop, id_);
  }

  char* data() { return static_cast<char*>(data_); }
  std::size_t size() const { return size_; }

 private:
  friend class CallBase;
  Blob(const detail::Host& host, std::size_t size) : host_(&host), size_(size) {
    const std::int32_t status = host(&collet_host::blob_new, size, &id_, &data_);
    if (status < 0) throw Error("cannot get " + std::to_string(size) + " bytes: " + detail::status_text(status));
  }
  collet_blob release() { return std::exchange(id_, 0); }

  const detail::Host* host_;
  collet_blob id_ = 0;
  void* data_ = nullptr;
  std::size_t size_;
};

struct ResourceLink {
  std::string uri, name;
  std::string description = {}, mime_type = {};
};

namespace detail {

inline Json to_block(const ResourceLink& link) {
  JsonMembers block{"{"};
  block.add("type", "resource_link");
  block.add("uri", link.uri);
  block.add("name", link.name);
  if (!link.description.empty()) block.add("description", link.description);
  if (!link.mime_type.empty()) block.add("mimeType", link.mime_type);
  return {block.text + '}'};
}

inline Json to_message(std::string_view role, std::string_view text) {
  JsonMembers content{"{"}, message{"{"};
  content.add("type", "text");
  content.add("text", text);
  message.add("role", role);
  message.add_raw("content", content.text + '}');
  return {message.text + '}'};
}

}  // namespace detail

// A call that has not ended. The host holds what is said here; the first thing it refuses fails the call.
class CallBase {
 public:
  CallBase(const CallBase&) = delete;
  CallBase& operator=(const CallBase&) = delete;

  collet_call id() const { return id_; }
  // The C ABI underneath.
  const detail::Host& host() const { return runtime_->host; }

  // While it runs. `done` must increase, or it is not sent; total <= 0: unknown.
  void progress(double done, double total = 0, std::string_view message = {}) const {
    host()(&collet_host::progress, id_, done, total, message.data(), message.size());
  }
  void log(Level level, std::string_view text) const { host().log(id_, level, runtime_->logger, text); }
  // Lets the client go, who comes back after that time for what the call has to say; see collet/ext/stream.h. A
  // client that cannot come back stays.
  void close_stream(std::chrono::milliseconds retry) const {
    if (const auto* stream = host().template extension<collet_stream>(COLLET_EXT_STREAM)) {
      stream->close_stream(host().table(), id_, static_cast<std::uint32_t>(retry.count()));
    }
  }

  // Whether the client has gone, or time is up.
  bool cancelled() const {
    const std::int32_t status = host()(&collet_host::is_cancelled, id_);
    return status == 1 || status == COLLET_E_STALE;
  }
  // `callback` is called, on any thread, when the call is cancelled, at once if it already is; never after the call
  // has ended. It must not block. It may end the call, if nobody else could at the same time. A second callback is
  // an error.
  void on_cancel(std::function<void()> callback) {
    if (cancellation_) throw Error("on_cancel() is for one callback a call");
    cancellation_ = runtime_->watch(id_, std::move(callback));
    if (cancelled()) std::shared_ptr(cancellation_)->run();
  }
  // What is known of the caller: the keys of collet_host.call_info. Valid until the call ends.
  std::optional<std::string_view> info(std::string_view key) const {
    collet_str out{};
    host()(&collet_host::call_info, id_, key.data(), key.size(), &out);
    if (!out.data) return std::nullopt;
    return detail::view(out);
  }

  // Parts of the result, in order.
  void text(std::string_view text) const { host()(&collet_host::add_text, id_, text.data(), text.size()); }
  // One MCP content object (of a tool), contents object (resource) or message (prompt).
  void json(const Json& block) const { host()(&collet_host::add_json, id_, block.text.data(), block.text.size()); }
  void image(std::string_view data, std::string_view mime_type) const { bytes("image", mime_type, data); }
  void audio(std::string_view data, std::string_view mime_type) const { bytes("audio", mime_type, data); }
  // `type` is "image", "audio" or "resource"; of the contents of a resource it is ignored.
  void bytes(std::string_view type, std::string_view mime_type, std::string_view data) const {
    Blob copy = new_blob(data.size());
    if (!data.empty()) std::memcpy(copy.data(), data.data(), data.size());
    blob(type, mime_type, std::move(copy));
  }
  void blob(std::string_view type, std::string_view mime_type, Blob bytes) const {
    host()(&collet_host::add_blob, id_, type.data(), type.size(), mime_type.data(), mime_type.size(),
           bytes.release());
  }
  void resource_link(const ResourceLink& link) const { json(detail::to_block(link)); }
  // Of a prompt: role "user" or "assistant".
  void message(std::string_view role, std::string_view text) const { json(detail::to_message(role, text)); }
  void structured(const Json& object) const {
    host()(&collet_host::set_structured, id_, object.text.data(), object.text.size());
  }
  void meta(const Json& object) const {
    host()(&collet_host::set_meta, id_, object.text.data(), object.text.size());
  }
  // One more member of the result object, such as "ttlMs".
  void field(std::string_view key, const Json& value) const {
    host()(&collet_host::set_field, id_, key.data(), key.size(), value.text.data(), value.text.size());
  }

  // A buffer to fill and give to blob().
  Blob new_blob(std::size_t size) const { return Blob(host(), size); }

  // Asks the client something: a request {"method":…,"params":…} under a key of your choice, before suspend().
  void need_input(std::string_view key, const Json& request) const {
    expect(host()(&collet_host::need_input, id_, key.data(), key.size(), request.text.data(), request.text.size()),
           "ask the client for input");
  }
  // Ends this round. The tool runs again with round() + 1, input_responses() and this state().
  void suspend(std::string_view state, std::uint32_t state_version = 0) {
    unwatch();
    expect(host()(&collet_host::suspend, id_, state.data(), state.size(), state_version), "suspend the call");
    leave();
  }

 protected:
  CallBase(detail::Runtime& runtime, collet_call id) : runtime_(&runtime), id_(id) {}
  CallBase(CallBase&& other) noexcept
      : runtime_(other.runtime_), id_(std::exchange(other.id_, 0)), cancellation_(std::move(other.cancellation_)) {}
  ~CallBase() { leave(); }
  void swap(CallBase& other) noexcept {
    std::swap(runtime_, other.runtime_), std::swap(id_, other.id_), cancellation_.swap(other.cancellation_);
  }

  // False once the call has ended or is another's to end.
  bool open() const { return id_ != 0; }
  // Throws Error for a value that JSON cannot say; the call is then still open.
  template <class R>
  void finish_with(R&& result);

  void finish(bool is_error) {
    const collet_call id = leave();
    host()(&collet_host::complete, id, is_error ? 1u : 0u);
  }
  void finish_with_error(std::string_view message) {
    text(message);
    finish(true);
  }
  void finish_with_rpc_error(std::int32_t code, std::string_view message, const Json& data) {
    const collet_call id = leave();
    host()(&collet_host::fail, id, code, message.data(), message.size(),
           data.text.empty() ? nullptr : data.text.data(), data.text.size());
  }

  // Of a function that throws when the call is no longer its own to end.
  void log_late_failure(std::string_view message) const noexcept {
    host().log(0, Level::error, runtime_->logger, message);
  }

  // From here on no callback runs, and the id is no longer used.
  collet_call leave() {
    unwatch();
    return std::exchange(id_, 0);
  }

 private:
  void unwatch() {
    if (const auto cancellation = std::move(cancellation_)) runtime_->unwatch(id_, *cancellation);
  }
  static void expect(std::int32_t status, const char* action) {
    if (status < 0) throw Error(std::string("cannot ") + action + ": " + detail::status_text(status));
  }

  detail::Runtime* runtime_;
  collet_call id_;
  std::shared_ptr<detail::Cancellation> cancellation_;
};

// A result of several parts, made before the call ends: return Content().text("a chart").image(png, "image/png").
class Content {
 public:
  Content&& text(std::string text) { return add({Kind::text, std::move(text), {}, {}, {}}); }
  Content&& json(Json block) { return add({Kind::json, std::move(block.text), {}, {}, {}}); }
  Content&& image(std::string bytes, std::string mime_type) {
    return add_bytes("image", std::move(bytes), std::move(mime_type));
  }
  Content&& audio(std::string bytes, std::string mime_type) {
    return add_bytes("audio", std::move(bytes), std::move(mime_type));
  }
  Content&& resource(std::string bytes, std::string mime_type) {
    return add_bytes("resource", std::move(bytes), std::move(mime_type));
  }
  // `type` as in CallBase::blob; from CallBase::new_blob, so that nothing is copied.
  Content&& blob(const char* type, std::string mime_type, Blob bytes) {
    return add({Kind::blob, {}, type, std::move(mime_type), std::move(bytes)});
  }
  Content&& resource_link(const ResourceLink& link) { return json(detail::to_block(link)); }
  Content&& message(std::string_view role, std::string_view text) { return json(detail::to_message(role, text)); }
  Content&& structured(Json object) { return add({Kind::structured, std::move(object.text), {}, {}, {}}); }
  Content&& meta(Json object) { return add({Kind::meta, std::move(object.text), {}, {}, {}}); }
  // Marks the result as an error.
  Content&& error() { return is_error_ = true, std::move(*this); }

  bool is_error() const { return is_error_; }

  // Hands everything to the host.
  void write_to(const CallBase& call) && {
    for (Part& part : parts_) {
      switch (part.kind) {
        case Kind::text:
          call.text(part.data);
          break;
        case Kind::json:
          call.json({std::move(part.data)});
          break;
        case Kind::bytes:
          call.bytes(part.type, part.mime_type, part.data);
          break;
        case Kind::blob:
          call.blob(part.type, part.mime_type, std::move(*part.blob));
          break;
        case Kind::structured:
          call.structured({std::move(part.data)});
          break;
        case Kind::meta:
          call.meta({std::move(part.data)});
          break;
      }
    }
  }

 private:
  enum class Kind { text, json, bytes, blob, structured, meta };
  struct Part {
    Kind kind;
    std::string data;
    const char* type;
    std::string mime_type;
    std::optional<Blob> blob;
  };

  Content&& add(Part part) {
    parts_.push_back(std::move(part));
    return std::move(*this);
  }
  Content&& add_bytes(const char* type, std::string bytes, std::string mime_type) {
    return add({Kind::bytes, std::move(bytes), type, std::move(mime_type), {}});
  }

  std::vector<Part> parts_;
  bool is_error_ = false;
};

// A whole result object, as an MCP server or another item has given it: that of tools/call for a tool, of resources/read or
// prompts/get for these. Takes the place of all that the call has said before.
struct Whole {
  Json result;
};

namespace detail {

// Results that are objects: their JSON is structured content, their schema the tool's outputSchema.
template <class R>
concept Structured = (Struct<R> && !std::same_as<R, Json> && !std::same_as<R, Whole>) || requires {
  typename R::mapped_type;
};

template <class R>
std::string result_text(const R& result) {
  std::string out;
  if constexpr (std::is_enum_v<R>) {
    out = Codec<R>::name(result);
  } else {
    Codec<R>::write(out, result);
  }
  return out;
}

}  // namespace detail

template <class R>
void CallBase::finish_with(R&& result) {
  using Value = std::remove_cvref_t<R>;
  bool is_error = false;
  if constexpr (std::same_as<Value, Content>) {
    is_error = result.is_error();
    std::move(result).write_to(*this);
  } else if constexpr (std::same_as<Value, Whole>) {
    const auto* relay = host().template extension<collet_relay>(COLLET_EXT_RELAY);
    if (!relay) throw Error("this host takes no whole results");
    const collet_call id = leave();
    relay->complete_with(host().table(), id, result.result.text.data(), result.result.text.size());
    return;
  } else if constexpr (std::convertible_to<const Value&, std::string_view>) {
    text(result);
  } else if constexpr (std::same_as<Value, Json>) {
    text(result.text);
    if (const auto first = result.text.find_first_not_of(" \t\r\n");
        first != result.text.npos && result.text[first] == '{') {
      structured(result);
    }
  } else {
    const std::string out = detail::result_text(result);
    text(out);
    if constexpr (detail::Structured<Value>) structured({out});
  }
  finish(is_error);
}

// A call whose tool has returned. Whoever holds it ends it, on any thread, one at a time; destroyed before that, it
// fails the call.
class PendingCall : public CallBase {
 public:
  PendingCall(PendingCall&&) noexcept = default;
  PendingCall& operator=(PendingCall&& other) noexcept {
    PendingCall taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~PendingCall() {
    if (open()) finish_with_error("the tool ended without an answer");
  }

  // As returning `result` from the tool does. Throws Error for what JSON cannot say; the call is then still open.
  template <class R>
  void finish(R&& result) {
    finish_with(std::forward<R>(result));
  }
  // With what was said by text() and the like.
  void finish() { CallBase::finish(false); }
  // As throwing from the tool does.
  void fail(const ToolError& error) { finish_with_error(error.what()); }
  void fail(const RpcError& error) { finish_with_rpc_error(error.code, error.what(), error.data); }

 private:
  friend class Call;
  explicit PendingCall(CallBase&& call) : CallBase(std::move(call)) {}
};

// A call while its tool runs: what came with it, borrowed until the tool returns.
class Call : public CallBase {
 public:
  std::uint32_t kind() const { return params_.kind; }
  collet_item item() const { return params_.item; }
  // The item's name; for a resource the URI that is read.
  std::string_view name() const { return detail::view(params_.name); }
  // JSON text. Absent: "{}".
  std::string_view arguments() const { return params_.arguments.data ? detail::view(params_.arguments) : "{}"; }
  std::string_view variables() const { return params_.variables.data ? detail::view(params_.variables) : "{}"; }
  // Time left when the call began.
  std::optional<std::chrono::milliseconds> deadline() const {
    if (params_.deadline_ms == 0) return std::nullopt;
    return std::chrono::milliseconds(params_.deadline_ms);
  }

  // What earlier rounds left: see need_input() and suspend().
  std::uint32_t round() const { return params_.round; }
  std::string_view input_responses() const { return detail::view(params_.input_responses); }
  // The client's answer to the question asked under `key`, if there is one.
  std::optional<Json> input_response(std::string_view key) const {
    std::optional<Json> found;
    if (!params_.input_responses.data) return found;
    JsonReader in(input_responses());
    in.read_object([&](std::string_view name) {
      const std::string_view answer = in.read_raw();
      if (name == key) found = Json{std::string(answer)};
    });
    return found;
  }
  std::string_view state() const { return detail::view(params_.state); }
  std::uint32_t state_version() const { return params_.state_version; }

  // The call outlives the tool's function, whose result is then ignored.
  [[nodiscard]] PendingCall defer() { return PendingCall(std::move(*this)); }

 private:
  friend class detail::Handler;
  Call(detail::Runtime& runtime, collet_call id, const collet_call_params& params)
      : CallBase(runtime, id), params_(params) {}

  const collet_call_params& params_;
};

}  // namespace collet::inline v1

#endif
