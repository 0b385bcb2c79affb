// A server with a fake plugin and a fake HTTP connection: everything of host/protocol runs, nothing of the network.
// Whatever the server says is held against the schema of its revision.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "protocol/http/http_endpoint.h"
#include "protocol/http/http_site.h"
#include "protocol/legacy/sse_endpoint.h"
#include "protocol/principals.h"
#include "protocol/server.h"
#include "protocol/server_loop.h"
#include "support/catch.h"
#include "support/wire_schema.h"

namespace collet::test {

inline constexpr registry::Traits kOptional{.task_optional = true};
inline constexpr registry::Traits kRequired{.task_required = true};

inline std::string unquoted(const std::string& json) {
  return json.size() < 2 ? json : json.substr(1, json.size() - 2);
}

class FakeReply final : public transport::HttpReply {
 public:
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
  bool streaming = false;
  bool ended = false;
  bool aborted = false;
  bool held = false;
  std::vector<std::string> events;  // those that carry a message
  std::string last_event_id;
  std::optional<unsigned> retry_ms;
  std::size_t waiting = 0;  // of what was sent: the client does not read
  std::vector<std::size_t> bodies_taken;
  transport::HttpReplyObserver* observer = nullptr;
  std::function<void(const void* known)> give_again;  // the request, to its handler
  Conversation conversation;

  void respond(int code, std::span<const transport::Header> with,
               std::span<const std::string_view> pieces) override {
    COLLET_ASSERT(!ended && !streaming);
    status = code;
    for (const auto& header : with) headers[std::string(header.name)] = header.value;
    for (std::string_view piece : pieces) body += piece;
    ended = true;
    if (headers["Content-Type"] == "application/json") judge(body);
  }
  void begin_events(std::span<const transport::Header> with) override {
    COLLET_ASSERT(!ended && !streaming);
    status = 200;
    streaming = true;
    for (const auto& header : with) headers[std::string(header.name)] = header.value;
  }
  void event(std::string_view data, const transport::EventFields& fields) override {
    COLLET_ASSERT(streaming && !ended);
    if (!data.empty()) {
      events.emplace_back(data);
      if (fields.type.empty()) judge(data);
    }
    last_event_id = fields.id;
    if (fields.retry_ms) retry_ms = fields.retry_ms;
  }
  void begin(int code, std::span<const transport::Header> with) override {
    begin_events(with);
    status = code;
  }
  using transport::HttpReply::write;
  void write(std::string_view bytes, bool) override {
    COLLET_ASSERT(streaming && !ended);
    body += bytes;
  }
  void end() override {
    COLLET_ASSERT(streaming && !ended);
    ended = true;
  }
  void abort() override {
    COLLET_ASSERT(!ended);
    ended = aborted = true;
  }
  void hold() override { held = true; }
  void release(std::shared_ptr<const void> known) override {
    COLLET_ASSERT(held);
    held = false;
    observer = nullptr;
    give_again(known.get());
  }
  void observe(transport::HttpReplyObserver* who) override { observer = who; }
  void body_taken(std::size_t bytes) override { bodies_taken.push_back(bytes); }
  std::size_t room() const override { return limits::kStreamAheadBytes - std::min(waiting, limits::kStreamAheadBytes); }

  void leave() {
    ended = true;
    if (observer) observer->on_gone();
  }

 private:
  void judge(std::string_view message) {
    const std::string why = conversation.server_sent(message);
    if (!why.empty()) FAIL_CHECK(why);
  }
};

// A tool is a function; one that does not end its call leaves it in `waiting`.
class FakeProvider final : public registry::Provider {
 public:
  using Tool = std::function<void(const registry::Call&, registry::Listener&)>;
  std::vector<Tool> tools;
  std::map<registry::CallId, registry::Listener*> waiting;
  std::vector<registry::CancelReason> cancelled;
  std::size_t bytes_taken = 0;
  std::string streamed;  // of a request's body, as it came
  bool body_is_whole = false;

  registry::CallId start(const registry::Call& call, registry::Listener& listener) override {
    const registry::CallId id = ++last_;
    waiting[id] = &listener;
    current_ = id;
    tools[call.handle](call, listener);
    return waiting.contains(id) ? id : 0;
  }
  void taken(registry::CallId, std::size_t bytes) override { bytes_taken += bytes; }
  void body(registry::CallId, std::string_view bytes, bool last) override {
    streamed += bytes;
    body_is_whole = last;
  }
  void cancel(registry::CallId id, registry::CancelReason reason) override {
    if (waiting.contains(id)) cancelled.push_back(reason);
  }

  // Ends the call that runs, or the only one that waits.
  void end(registry::Ending ending) {
    const registry::CallId id = waiting.contains(current_) ? current_ : waiting.begin()->first;
    registry::Listener* listener = waiting.at(id);
    waiting.erase(id);
    listener->on_end(ending);
  }
  void end_with_text(std::string text) {
    registry::Ending ending;
    ending.content = R"({"type":"text","text":")" + std::move(text) + "\"}";
    end(std::move(ending));
  }

 private:
  registry::CallId last_ = 0;
  registry::CallId current_ = 0;
};

struct Post {
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string method = "POST";
  std::string path = "/mcp";
  std::string host = "127.0.0.1:8765";
  bool body_follows = false;
};

class Harness {
 public:
  explicit Harness(protocol::ServerOptions options = {}, protocol::AccessRules rules = {})
      : access(std::move(rules)), server(named(std::move(options)), registry, {&loop}) {
    registry.declare("fake", {});
    site.add(protocol::route_to("/mcp", mcp));
    site.add(protocol::route_to("/sse", sse));
  }

  // Adds a tool and publishes. `definition` as JSON text.
  void add_tool(std::string name, FakeProvider::Tool tool, std::string definition = "{}",
                registry::Traits traits = {}, std::uint32_t timeout_ms = 0) {
    add(registry::Kind::tool, std::move(name), std::move(tool), std::move(definition), traits, timeout_ms);
  }
  void add(registry::Kind kind, std::string name, FakeProvider::Tool tool, std::string definition = "{}",
           registry::Traits traits = {}, std::uint32_t timeout_ms = 0) {
    registry::ItemDef def;
    def.kind = kind;
    def.name = std::move(name);
    def.definition = std::move(definition);
    def.traits = traits;
    def.timeout_ms = timeout_ms;
    def.handle = provider.tools.size();
    provider.tools.push_back(std::move(tool));
    defs_.push_back(std::move(def));
    registry.replace("fake", &provider, defs_);
    turn();
  }

  // Runs what has been posted to the loop.
  void turn() {
    loop.post([this] { loop.stop(); });
    loop.run();
  }

  FakeReply& send(const Post& post) {
    FakeReply& reply = replies.emplace_back();
    reply.give_again = [this, post, &reply](const void* known) { give(post, reply, known); };
    give(post, reply, nullptr);
    for (int i = 0; i < 2 && reply.held; ++i) turn();  // what it waits for may be here by then
    return reply;
  }

  void give(const Post& post, FakeReply& reply, const void* known) {
    std::vector<transport::Header> headers;
    for (const auto& [name, value] : post.headers) headers.push_back({name, value});
    headers.push_back({"Host", post.host});
    transport::HttpRequest request;
    request.method = post.method;
    const std::string_view target = post.path;
    request.path = target.substr(0, target.find('?'));
    if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
    request.host = post.host;
    request.headers = headers;
    request.body = post.body;
    request.body_follows = post.body_follows;
    request.known = known;
    reply.conversation = Conversation(revision_of(request));
    reply.conversation.client_sent(post.body);
    site.on_request(request, reply);
    if (reply.headers.contains("Mcp-Session-Id")) {
      revisions_[reply.headers["Mcp-Session-Id"]] = reply.conversation.revision();
    }
  }

  // As a well-behaved modern client sends it. `params` are members, with a comma behind each.
  FakeReply& modern(std::string method, std::string params = "", std::string name = "",
                    std::string capabilities = "{}", std::string more_meta = "",
                    const std::string& token = "") {
    Post post;
    post.headers = {{"Content-Type", "application/json"},
                    {"Accept", "application/json, text/event-stream"},
                    {"MCP-Protocol-Version", "2026-07-28"},
                    {"Mcp-Method", method}};
    if (!name.empty()) post.headers.push_back({"Mcp-Name", name});
    if (!token.empty()) post.headers.push_back({"Authorization", "Bearer " + token});
    post.body = R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":{)" + params +
                R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)" +
                R"("io.modelcontextprotocol/clientCapabilities":)" + capabilities + more_meta + "}}}";
    return send(post);
  }

  // As a legacy client sends it, in the session if there is one.
  FakeReply& legacy(std::string body, std::string session = "") {
    Post post;
    post.headers = {{"Content-Type", "application/json"}, {"MCP-Protocol-Version", "2025-11-25"}};
    if (!session.empty()) post.headers.push_back({"Mcp-Session-Id", session});
    post.body = std::move(body);
    return send(post);
  }

  std::string initialize(std::string version = "2025-11-25", std::string capabilities = R"({"roots":{}})") {
    FakeReply& reply =
        legacy(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" + version +
               R"(","capabilities":)" + capabilities + R"(,"clientInfo":{"name":"t","version":"1"}}})");
    COLLET_ASSERT(reply.status == 200);
    return reply.headers["Mcp-Session-Id"];
  }

  std::deque<FakeReply> replies;  // first: the server may answer as long as it lives
  loop::Loop loop;
  // On the heap: on the stack ThreadSanitizer takes its mutexes for those that another test had at the same place.
  const std::unique_ptr<registry::Registry> registry_on_heap = std::make_unique<registry::Registry>();
  registry::Registry& registry = *registry_on_heap;
  FakeProvider provider;
  protocol::Access access;
  protocol::Server server;
  protocol::HttpEndpoint mcp{server.at(0)};
  protocol::SseEndpoint sse{server.at(0)};
  protocol::HttpSite site{loop, access, server.options().observers};

 private:
  static protocol::ServerOptions named(protocol::ServerOptions options) {
    options.version = "9.9";
    return options;
  }
  // Of its session, or what it says itself.
  std::string_view revision_of(const transport::HttpRequest& request) const {
    const auto session = revisions_.find(request.header("mcp-session-id"));
    if (session != revisions_.end()) return session->second;
    const std::string_view version = request.stated("mcp-protocol-version").value;
    return version.data() ? version : protocol::kVersionWithoutHeader;
  }

  std::vector<registry::ItemDef> defs_;
  std::map<std::string, std::string, std::less<>> revisions_;  // by session
};

// A value in a JSON text by its RFC 6901 pointer, as text; "" if there is none.
inline std::string at(std::string_view json_text, const char* pointer) {
  json::Document document;
  if (json::parse(json_text, document)) return "(not JSON)";
  const json::Value* value = &document;
  std::string_view rest = pointer;
  while (!rest.empty() && value) {
    rest.remove_prefix(1);
    std::string key(rest.substr(0, rest.find('/')));
    rest.remove_prefix(key.size());
    for (std::size_t tilde; (tilde = key.find("~1")) != std::string::npos;) key.replace(tilde, 2, "/");
    if (value->IsArray()) {
      const unsigned index = static_cast<unsigned>(std::stoul(key));
      value = index < value->Size() ? &(*value)[index] : nullptr;
    } else {
      value = json::find(*value, key);
    }
  }
  return value ? json::to_text(*value) : "";
}

}  // namespace collet::test
