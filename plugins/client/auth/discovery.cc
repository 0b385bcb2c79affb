#include "client/auth/discovery.h"

#include <memory>
#include <utility>
#include <vector>

#include "client/auth/challenge.h"
#include "client/auth/limits.h"

namespace collet::client::auth {
namespace {

struct Document {
  std::string url;  // where it was at last
  std::string text;
};

// The first document that one of several places has.
class Search : public std::enable_shared_from_this<Search> {
 public:
  using Done = std::function<void(Result<std::optional<Document>>)>;

  Search(Fetcher& fetcher, std::vector<std::string> places, Done done)
      : fetcher_(fetcher), places_(std::move(places)), done_(std::move(done)) {}

  void next() {
    if (at_ == places_.size()) return done_(std::optional<Document>());
    redirects_ = 0;
    get(places_[at_++]);
  }

 private:
  void get(std::string url) {
    FetchRequest request;
    request.url = url;
    request.headers = {{"Accept", "application/json"}};
    fetcher_.fetch(std::move(request), [self = shared_from_this(), url](Result<FetchResponse> response) {
      self->got(url, std::move(response));
    });
  }

  void got(const std::string& url, Result<FetchResponse> response) {
    if (!response) return done_(Failure{"reading " + url + ": " + response.message()});
    const int status = response->status;
    if (status >= 300 && status < 400) return follow(url, find_header(response->headers, "location"));
    if (status >= 400 && status < 500) return next();
    if (status != 200) return done_(Failure{"reading " + url + ": the server answered " + std::to_string(status)});
    if (response->body.size() > limits::kDocumentBytesMax) {
      return done_(Failure{"reading " + url + ": the document is larger than " +
                           std::to_string(limits::kDocumentBytesMax) + " bytes"});
    }
    done_(std::optional<Document>({url, std::move(response->body)}));
  }

  void follow(const std::string& from, std::string_view location) {
    if (++redirects_ > limits::kRedirectsMax) {
      return done_(
          Failure{"reading " + from + ": more than " + std::to_string(limits::kRedirectsMax) + " redirects"});
    }
    const std::string origin = parse_url(from)->origin();
    const std::string target = location.substr(0, 1) == "/" && location.substr(0, 2) != "//"
                                   ? origin + std::string(location)
                                   : std::string(location);
    const std::optional<Url> url = parse_url(target);
    if (!url || url->origin() != origin) {
      return done_(
          Failure{"reading " + from + ": a redirect to '" + target + "' is refused, as it leaves its origin"});
    }
    get(target);
  }

  Fetcher& fetcher_;
  const std::vector<std::string> places_;
  std::size_t at_ = 0;
  unsigned redirects_ = 0;
  Done done_;
};

void search(Fetcher& fetcher, std::vector<std::string> places, Search::Done done) {
  std::make_shared<Search>(fetcher, std::move(places), std::move(done))->next();
}

using Places = std::vector<std::string>;

Places resource_places(const Url& remote) {
  constexpr std::string_view kName = "oauth-protected-resource";
  Url root = remote;
  root.path.clear();
  root.query.clear();
  Places places = {well_known(remote, kName)};
  if (const std::string at_root = well_known(root, kName); at_root != places.front()) places.push_back(at_root);
  return places;
}

Places server_places(const Url& issuer) {
  Places places = {well_known(issuer, "oauth-authorization-server"), well_known(issuer, "openid-configuration")};
  const std::string appended = well_known_appended(issuer, "openid-configuration");
  if (appended != places.back()) places.push_back(appended);
  return places;
}

Result<std::optional<ResourceMetadata>> checked_resource(const Document& document, const Url& remote) {
  Result<ResourceMetadata> metadata = parse_resource_metadata(document.text, document.url);
  if (!metadata) return metadata.failure();
  const std::optional<Url> resource = parse_url(metadata->resource);
  if (!resource || !resource_covers(*resource, remote)) {
    return Failure{"the protected resource metadata at " + document.url + " is for '" + metadata->resource +
                   "', not for " + remote.without_query() + ": a token for it must not be sent there"};
  }
  return std::optional(std::move(*metadata));
}

Result<ServerMetadata> checked_server(const Document& document, const Url& remote, const std::string& issuer) {
  Result<ServerMetadata> metadata = parse_server_metadata(document.text, document.url);
  if (!metadata) return metadata;
  if (metadata->issuer != issuer) {
    return Failure{"the authorization server metadata at " + document.url + " is of issuer '" + metadata->issuer +
                   "', not of '" + issuer + "' as it must be to the letter"};
  }
  const std::pair<const char*, const std::string*> endpoints[] = {
      {"the authorization endpoint", &metadata->authorization_endpoint},
      {"the token endpoint", &metadata->token_endpoint},
      {"the registration endpoint", &metadata->registration_endpoint},
  };
  for (const auto& [what, url] : endpoints) {
    if (url->empty()) continue;
    if (const Result<Url> trusted = trusted_url(*url, remote, what); !trusted) return trusted.failure();
  }
  if (metadata->token_endpoint.empty())
    return Failure{"the authorization server " + issuer + " has no token endpoint"};
  return metadata;
}

}  // namespace

void discover_resource(Fetcher& fetcher, const Url& remote, std::string_view metadata_url,
                       std::function<void(Result<std::optional<ResourceMetadata>>)> done) {
  Places places = resource_places(remote);
  if (!metadata_url.empty()) {
    const Result<Url> trusted = trusted_url(metadata_url, remote, "the protected resource metadata URL");
    if (!trusted) return done(trusted.failure());
    places = {std::string(metadata_url)};
  }
  const std::string named(metadata_url);
  search(fetcher, std::move(places), [remote, named, done](Result<std::optional<Document>> found) {
    if (!found) return done(found.failure());
    if (*found) return done(checked_resource(**found, remote));
    if (named.empty()) return done(std::optional<ResourceMetadata>());
    done(Failure{"the server named " + named + " as its protected resource metadata, but there is none"});
  });
}

void discover_server(Fetcher& fetcher, const Url& remote, std::string_view issuer,
                     std::function<void(Result<ServerMetadata>)> done) {
  const Result<Url> url = trusted_url(issuer, remote, "the authorization server");
  if (!url) return done(url.failure());
  search(fetcher, server_places(*url),
         [remote, name = std::string(issuer), done](Result<std::optional<Document>> found) {
           if (!found) return done(found.failure());
           if (*found) return done(checked_server(**found, remote, name));
           done(Failure{"the authorization server " + name +
                        " publishes no metadata at any of the well-known places"});
         });
}

}  // namespace collet::client::auth
