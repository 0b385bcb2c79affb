#include "client/remote/login.h"

#include "client/mcp/message.h"
#include "client/net/url.h"
#include "client/remote/authorization.h"

namespace collet::client {
namespace {

// Some request that a server would answer to whom it knows.
constexpr const char* kProbe =
    R"({"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{)"
    R"("io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}})";

enum Key : std::uint64_t { kLogIn, kLogOut };

struct Tool {
  Key key;
  std::string_view name;
  std::string what;
};
const Tool kTools[] = {{kLogIn, "login", "Log in to "}, {kLogOut, "logout", "Log out of "}};

// A server that has understood us, or one of a version before that of the probe: no guard in front of it.
bool lets_in(int status) {
  return status / 100 == 2 || status == 400 || status == 404 || status == 405 || status == 406;
}

collet_str to_str(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

void offer_login(const Host& host, const RemoteConfig& remote) {
  for (const auto& [key, name, what] : kTools) {
    JsonMembers definition{"{"};
    definition.add("description", what + remote.name);
    definition.add_raw("inputSchema", R"({"type":"object"})");
    definition.text += "}";
    collet_item_def def{};
    def.struct_size = sizeof def;
    def.kind = COLLET_TOOL;
    def.name = to_str(name);
    def.definition = to_str(definition.text);
    def.user = reinterpret_cast<void*>(static_cast<std::uintptr_t>(key));
    collet_item item = 0;
    host.add(def, &item);
  }
}

Login::Login(Loop& loop, Fetcher& fetcher, const Host& host, const RemoteConfig& remote, auth::TokenStore& tokens)
    : fetcher_(fetcher),
      host_(host),
      remote_(remote),
      tokens_(tokens),
      agent_(loop.uv(), [this](const std::string& url) { show(url); }) {}

Login::~Login() {
  if (call_) end(Error{"it was given up"});
}

void Login::begin(collet_call call, std::uint64_t key) {
  if (call_) return host_.fail(call, kInternalError, "another login is under way");
  call_ = call;
  key == kLogOut ? log_out() : log_in();
}

template <class T>
std::function<void(T)> Login::during_call(std::function<void(T)> step) {
  return [alive = std::weak_ptr<int>(alive_), this, call = call_, step = std::move(step)](T value) {
    if (!alive.expired() && call_ == call) step(std::move(value));
  };
}

void Login::log_in() {
  auth::Hooks hooks;
  hooks.logs_in = true;
  auto made = make_authorizer(remote_, fetcher_, host_, agent_, tokens_, std::move(hooks));
  if (!made) return end(made.failure());
  if (!*made)
    return end(Error{"there is nothing to log in to: it is a command, or has its Authorization configured"});
  authorizer_ = std::move(*made);
  probe();
}

void Login::log_out() {
  client::log_out(remote_, fetcher_, tokens_,
                  during_call<Result<std::string>>([this](const Result<std::string>& said) { end(said); }));
}

bool Login::cancel(collet_call call) {
  if (call_ != call) return false;
  end(Error{"it was given up"});
  return true;
}

void Login::probe() {
  Result<std::vector<HttpHeader>> headers = constant_headers(remote_);
  if (!headers) return end(headers.failure());
  Result<TlsPtr> tls = tls_of(remote_);
  if (!tls) return end(tls.failure());
  FetchRequest request;
  request.tls = std::move(*tls);
  request.method = "POST";
  request.url = *expand(remote_.url, remote_);
  request.headers = std::move(*headers);
  request.headers.insert(request.headers.end(), {{"Content-Type", "application/json"},
                                                 {"Accept", "application/json, text/event-stream"},
                                                 {"MCP-Protocol-Version", "2026-07-28"},
                                                 {"Mcp-Method", "server/discover"}});
  request.body = kProbe;
  fetcher_.fetch(std::move(request),
                 during_call<Result<FetchResponse>>([this](const Result<FetchResponse>& answer) {
                   answer ? probed(*answer) : end(answer.failure());
                 }));
}

// Where a server shows itself to everybody the well-known places may say how to log in.
void Login::probed(const FetchResponse& answer) {
  const int status = answer.status;
  const auto concluded = [this, status](const Result<bool>& token) {
    if (!token) return end(token.failure());
    if (*token) return end("Logged in to " + remote_.name + ". The token is in " + tokens_.place() + ".");
    if (lets_in(status)) return end(remote_.name + " needs no login: it answers without one.");
    end(Error{"it answers HTTP status " + std::to_string(status) + " and does not say how to log in"});
  };
  authorizer_->challenged(status, answer.headers, during_call<Result<bool>>(concluded));
}

void Login::show(const std::string& url) const {
  std::string data;
  append_json(data, "Open this in a browser to log in to " + remote_.name + ":\n\n    " + url + "\n");
  host_.log(call_, COLLET_LOG_NOTICE, {}, data);
}

void Login::end(const Result<std::string>& result) {
  const collet_call call = std::exchange(call_, 0);
  over_ = std::move(authorizer_);
  if (!result) return host_.fail(call, kInternalError, redact_urls(result.message()));
  JsonMembers content{"{"};
  content.add("type", "text");
  content.add("text", *result);
  host_.complete_with(call, R"({"content":[)" + content.text + "}]}");
}

}  // namespace collet::client
