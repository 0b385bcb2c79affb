// What a remote and its authorization server say of themselves, each answer in its turn: nothing is asked of
// anybody who is not to be trusted, it comes to an end, and what is found is within bounds. The input is answers: a
// byte for the status, a line for its Location and WWW-Authenticate, and a body up to the next zero byte.
#include "client/auth/discovery.h"

#include <cstdint>

#include "client/auth/limits.h"
#include "client/auth/token_endpoint.h"
#include "client/net/challenge.h"
#include "require.h"

using namespace collet::client;
using namespace collet::client;
using namespace collet::client::auth;

namespace {

constexpr std::string_view kRemote = "https://mcp.example/a/mcp";
constexpr int kStatuses[] = {200, 200, 200, 200, 404, 302, 308, 500};

class Answers final : public Fetcher {
 public:
  explicit Answers(std::string_view text) : text_(text) {}

  void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) override {
    require(bool(trusted_url(request.url, remote, "it")));
    require(++asked < 40);
    done(next());
  }

  FetchResponse next() {
    FetchResponse response{.status = 404, .headers = {}, .body = {}};
    if (text_.empty()) return response;
    response.status = kStatuses[static_cast<unsigned char>(text_.front()) % 8];
    text_.remove_prefix(1);
    const std::string line(take('\n'));
    response.headers = {{"Location", line}, {"WWW-Authenticate", line}};
    response.body = take('\0');
    return response;
  }

  const Url remote = *parse_url(kRemote);
  unsigned asked = 0;

 private:
  std::string_view take(char end) {
    const std::string_view taken = text_.substr(0, text_.find(end));
    text_.remove_prefix(std::min(taken.size() + 1, text_.size()));
    return taken;
  }

  std::string_view text_;
};

void check_resource(const ResourceMetadata& found, const Url& remote) {
  const auto resource = parse_url(found.resource);
  require(resource && resource_covers(*resource, remote));
  require(!found.authorization_servers.empty() && found.authorization_servers.size() <= auth::limits::kListItemsMax);
  require(found.scopes_supported.size() <= auth::limits::kScopesMax);
}

void check_server(const ServerMetadata& found, const std::string& issuer, const Url& remote) {
  require(found.issuer == issuer);
  require(bool(trusted_url(found.token_endpoint, remote, "it")));
  for (const std::string* url : {&found.authorization_endpoint, &found.registration_endpoint}) {
    require(url->empty() || trusted_url(*url, remote, "it"));
  }
}

void check_tokens(const TokenAnswer& answer) {
  if (const auto* refusal = std::get_if<TokenRefusal>(&answer)) return require(!refusal->message.empty());
  const Tokens& tokens = std::get<Tokens>(answer);
  require(!tokens.access_token.empty() && tokens.access_token.size() <= auth::limits::kTokenBytesMax);
  for (const char c : tokens.access_token) require(c > ' ' && c < 0x7f);
  require(tokens.expires_in.value_or(0) >= 0 && tokens.expires_in.value_or(0) <= auth::limits::kTokenLifeMaxS);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Answers answers({reinterpret_cast<const char*>(data), size});
  const Challenge challenge = read_challenge(answers.next().headers);
  unsigned told = 0;
  std::optional<ResourceMetadata> resource;
  discover_resource(answers, answers.remote, {}, challenge.resource_metadata, [&](auto found) {
    ++told;
    if (found && found->metadata) resource = std::move(*found->metadata);
  });
  require(told == 1);
  if (!resource) return 0;
  check_resource(*resource, answers.remote);
  const std::string issuer = resource->authorization_servers.front();
  discover_server(answers, answers.remote, issuer, [&](auto found) {
    ++told;
    if (found) check_server(*found, issuer, answers.remote);
  });
  require(told == 2);
  check_tokens(parse_tokens(answers.next().body, "https://as.example/token"));
  return 0;
}
