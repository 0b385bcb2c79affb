#include "client/auth/following_agent.h"

#include <memory>

#include "client/auth/limits.h"
#include "client/net/challenge.h"
#include "client/net/url.h"

namespace collet::client::auth {
namespace {

// Nothing listens there: no redirect is followed to it.
constexpr std::uint16_t kPort = 3334;

struct Walk {
  Fetcher& fetcher;
  std::string redirect_uri;
  std::function<void(Result<std::string>)> done;
  unsigned steps = 0;
};

void step(const std::shared_ptr<Walk>& walk, const std::string& url);

void answered(const std::shared_ptr<Walk>& walk, const std::string& url, const Result<FetchResponse>& response) {
  if (!response) return walk->done(Error{"opening " + url + ": " + response.message()});
  const std::string_view location = find_header(response->headers, "location");
  if (response->status < 300 || response->status >= 400 || location.empty()) {
    return walk->done(Error{"opening " + url + ": the authorization server answered " +
                            std::to_string(response->status) + " instead of a redirect; a person is needed"});
  }
  const std::string& home = walk->redirect_uri;
  if (location.substr(0, home.size() + 1) == home + "?")
    return walk->done(std::string(location.substr(home.size() + 1)));
  const std::optional<Url> from = parse_url(url);
  const bool is_path = location.substr(0, 1) == "/" && location.substr(0, 2) != "//";
  const std::string target = is_path ? from->origin() + std::string(location) : std::string(location);
  const std::optional<Url> to = parse_url(target);
  if (!to || to->origin() != from->origin()) {
    return walk->done(Error{"opening " + url + ": a redirect to '" + target + "' is neither ours nor its own"});
  }
  step(walk, target);
}

void step(const std::shared_ptr<Walk>& walk, const std::string& url) {
  if (walk->steps++ > limits::kFollowedRedirectsMax) {
    return walk->done(
        Error{"opening " + url + ": more than " + std::to_string(limits::kFollowedRedirectsMax) + " redirects"});
  }
  FetchRequest request;
  request.url = url;
  walk->fetcher.fetch(std::move(request),
                      [walk, url](Result<FetchResponse> response) { answered(walk, url, response); });
}

}  // namespace

Result<std::string> FollowingAgent::redirect_uri(std::string_view preferred, std::uint16_t port) {
  if (!preferred.empty()) return std::string(preferred);
  return "http://127.0.0.1:" + std::to_string(port != 0 ? port : kPort) + "/callback";
}

void FollowingAgent::authorize(const std::string& url, const std::string& redirect_uri,
                               std::function<void(Result<std::string>)> done) {
  step(std::make_shared<Walk>(Walk{fetcher_, redirect_uri, std::move(done)}), url);
}

}  // namespace collet::client::auth
