#include "client/login.h"

#include "client/authorization.h"
#include "client/message.h"

namespace collet::client {
namespace {

// Some request that a server would answer to whom it knows.
constexpr const char* kProbe =
    R"({"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{)"
    R"("io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}})";

collet_str to_str(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::int32_t offer_login(const Host& host, const RemoteConfig& remote) {
  JsonMembers definition{"{"};
  definition.add("description", "Log in to " + remote.name);
  definition.add_raw("inputSchema", R"({"type":"object"})");
  definition.text += "}";
  collet_item_def def{};
  def.struct_size = sizeof def;
  def.kind = COLLET_TOOL;
  def.name = COLLET_STR("login");
  def.definition = to_str(definition.text);
  collet_item item = 0;
  return host.add(def, &item);
}

Login::Login(Loop& loop, Fetcher& fetcher, const Host& host, const RemoteConfig& remote, auth::TokenStore& tokens)
    : fetcher_(fetcher),
      host_(host),
      remote_(remote),
      tokens_(tokens),
      agent_(loop.uv(), [this](const std::string& url) { show(url); }) {}

Login::~Login() {
  if (call_) end(Failure{"the login was given up"});
}

void Login::begin(collet_call call) {
  if (call_) return host_.fail(call, kInternalError, "another login is under way");
  call_ = call;
  auth::Hooks hooks;
  hooks.ignores_kept = true;
  auto made = make_authorizer(remote_, fetcher_, host_, agent_, tokens_, std::move(hooks));
  if (!made) return end(made.failure());
  if (!*made)
    return end(Failure{"there is nothing to log in to: it is a command, or has its Authorization configured"});
  authorizer_ = std::move(*made);
  probe();
}

bool Login::cancel(collet_call call) {
  if (call_ != call) return false;
  end(Failure{"the login was given up"});
  return true;
}

void Login::probe() {
  FetchRequest request;
  request.method = "POST";
  request.url = *expand(remote_.url, remote_);
  request.headers = {{"Content-Type", "application/json"},
                     {"Accept", "application/json, text/event-stream"},
                     {"MCP-Protocol-Version", "2026-07-28"},
                     {"Mcp-Method", "server/discover"}};
  request.body = kProbe;
  fetcher_.fetch(std::move(request),
                 [this, alive = std::weak_ptr<int>(alive_)](const Result<FetchResponse>& answer) {
                   if (alive.expired() || !authorizer_) return;
                   if (!answer) return end(answer.failure());
                   // Where a server shows itself to everybody the well-known places say how to log in.
                   authorize(answer->status == 401 ? answer->headers : std::vector<HttpHeader>());
                 });
}

void Login::authorize(const std::vector<HttpHeader>& challenge) {
  authorizer_->challenged(401, challenge,
                          [this](const Result<bool>& good) { good ? end({}) : end(good.failure()); });
}

void Login::show(const std::string& url) const {
  std::string data;
  append_json(data, "Open this in a browser to log in to " + remote_.name + ":\n\n    " + url + "\n");
  host_.log(call_, COLLET_LOG_NOTICE, {}, data);
}

void Login::end(const Result<void>& result) {
  const collet_call call = std::exchange(call_, 0);
  over_ = std::move(authorizer_);
  if (!result) return host_.fail(call, kInternalError, result.message());
  JsonMembers content{"{"};
  content.add("type", "text");
  content.add("text", "Logged in to " + remote_.name + ". The token is in " + tokens_.path() + ".");
  host_.complete_with(call, R"({"content":[)" + content.text + "}]}");
}

}  // namespace collet::client
