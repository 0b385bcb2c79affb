#include "client/auth/discovery.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "client/auth/limits.h"
#include "client/net/challenge.h"

namespace collet::client::auth {
namespace {

struct Document {
  std::string url;  // where it was at last
  std::string text;
};

struct Found {
  std::optional<Document> document;
  std::string trouble;  // of the first place that had some, if there is no document
};

// A page that a site shows for whatever it does not have is no document.
bool is_document(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && text[first] == '{';
}

// The first document that one of several places has.
class Search : public std::enable_shared_from_this<Search> {
 public:
  using Done = std::function<void(Result<Found>)>;

  Search(Fetcher& fetcher, std::vector<std::string> places, Done done)
      : fetcher_(fetcher), places_(std::move(places)), done_(std::move(done)) {}

  void next() {
    if (at_ == places_.size()) return done_(Found{std::nullopt, std::move(trouble_)});
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
    if (!response) return done_(Error{"reading " + url + ": " + response.message()});
    const int status = response->status;
    if (status >= 300 && status < 400) return follow(url, find_header(response->headers, "location"));
    if (status != 200) {
      const bool is_trouble = status >= 500 && trouble_.empty();
      if (is_trouble) trouble_ = "reading " + url + ": the server answered " + std::to_string(status);
      return next();
    }
    if (response->body.size() > limits::kDocumentBytesMax) {
      return done_(Error{"reading " + url + ": the document is larger than " +
                         std::to_string(limits::kDocumentBytesMax) + " bytes"});
    }
    if (!is_document(response->body)) return next();
    done_(Found{Document{url, std::move(response->body)}, {}});
  }

  void follow(const std::string& from, std::string_view location) {
    if (++redirects_ > limits::kRedirectsMax) {
      return done_(
          Error{"reading " + from + ": more than " + std::to_string(limits::kRedirectsMax) + " redirects"});
    }
    const std::string origin = parse_url(from)->origin();
    const std::string target = location.substr(0, 1) == "/" && location.substr(0, 2) != "//"
                                   ? origin + std::string(location)
                                   : std::string(location);
    const std::optional<Url> url = parse_url(target);
    if (!url || url->origin() != origin) {
      return done_(
          Error{"reading " + from + ": a redirect to '" + target + "' is refused, as it leaves its origin"});
    }
    get(target);
  }

  Fetcher& fetcher_;
  const std::vector<std::string> places_;
  std::size_t at_ = 0;
  unsigned redirects_ = 0;
  std::string trouble_;
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

Places server_places(Url issuer) {
  if (issuer.path.ends_with('/')) issuer.path.pop_back();  // RFC 8414 §3
  Places places = {well_known(issuer, "oauth-authorization-server"), well_known(issuer, "openid-configuration")};
  const std::string appended = well_known_appended(issuer, "openid-configuration");
  if (appended != places.back()) places.push_back(appended);
  return places;
}

// Which resource may be described.
struct Wanted {
  Url remote;
  std::string allowed;  // besides what covers the remote
};

Result<Description> checked_resource(const Document& document, const Wanted& wanted) {
  Result<ResourceMetadata> metadata = parse_resource_metadata(document.text, document.url);
  if (!metadata) return metadata.failure();
  const std::optional<Url> resource = parse_url(metadata->resource);
  const bool is_ours = resource && resource_covers(*resource, wanted.remote);
  if (!is_ours && metadata->resource != wanted.allowed) {
    return Error{"the protected resource metadata at " + document.url + " is for '" + metadata->resource +
                 "', not for " + wanted.remote.without_query() +
                 ": a token for it must not be sent there, unless auth.resource says so"};
  }
  return Description{std::move(*metadata), {}};
}

// The places that challenges have named, one after the other.
class NamedPlaces : public std::enable_shared_from_this<NamedPlaces> {
 public:
  using Done = std::function<void(Result<Description>)>;

  NamedPlaces(Fetcher& fetcher, Wanted wanted, Places places, Done done)
      : fetcher_(fetcher), wanted_(std::move(wanted)), places_(std::move(places)), done_(std::move(done)) {}

  void next() {
    if (at_ == places_.size()) return done_(*failure_);
    const std::string& place = places_[at_++];
    const Result<Url> trusted = trusted_url(place, wanted_.remote, "the protected resource metadata URL");
    if (!trusted) return give_up(trusted.failure());
    search(fetcher_, {place},
           [self = shared_from_this(), place](const Result<Found>& found) { self->got(place, found); });
  }

 private:
  void got(const std::string& place, const Result<Found>& found) {
    if (!found) return give_up(found.failure());
    if (!found->trouble.empty()) return give_up({found->trouble});
    if (!found->document) {
      return give_up({"the server named " + place + " as its protected resource metadata, but there is none"});
    }
    Result<Description> description = checked_resource(*found->document, wanted_);
    description ? done_(std::move(description)) : give_up(description.failure());
  }

  // What was wrong with the first is told.
  void give_up(Error failure) {
    if (!failure_) failure_ = std::move(failure);
    next();
  }

  Fetcher& fetcher_;
  const Wanted wanted_;
  const Places places_;
  std::size_t at_ = 0;
  std::optional<Error> failure_;
  const Done done_;
};

Result<ServerMetadata> checked_server(const Document& document, const Url& remote, const std::string& issuer) {
  Result<ServerMetadata> metadata = parse_server_metadata(document.text, document.url);
  if (!metadata) return metadata;
  if (metadata->issuer != issuer) {
    return Error{"the authorization server metadata at " + document.url + " is of issuer '" + metadata->issuer +
                 "', not of '" + issuer + "' as it must be to the letter; auth.issuer can name the right one"};
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
    return Error{"the authorization server " + issuer + " has no token endpoint"};
  return metadata;
}

}  // namespace

void discover_resource(Fetcher& fetcher, const Url& remote, std::string_view allowed,
                       std::vector<std::string> named, std::function<void(Result<Description>)> done) {
  Wanted wanted{remote, std::string(allowed)};
  Places places = resource_places(remote);
  // To name a place that is looked at anyway says no more than which comes first.
  const auto is_elsewhere = [&](const std::string& place) {
    return std::find(places.begin(), places.end(), place) == places.end();
  };
  if (!named.empty() && std::none_of(named.begin(), named.end(), is_elsewhere)) {
    std::stable_partition(places.begin(), places.end(),
                          [&](const std::string& place) { return place == named.front(); });
    named.clear();
  }
  if (!named.empty()) {
    return std::make_shared<NamedPlaces>(fetcher, std::move(wanted), std::move(named), std::move(done))->next();
  }
  search(fetcher, std::move(places), [wanted = std::move(wanted), done](Result<Found> found) {
    if (!found) return done(found.failure());
    if (found->document) return done(checked_resource(*found->document, wanted));
    done(Description{std::nullopt, std::move(found->trouble)});
  });
}

void discover_server(Fetcher& fetcher, const Url& remote, std::string_view issuer,
                     std::function<void(Result<ServerMetadata>)> done) {
  const Result<Url> url = trusted_url(issuer, remote, "the authorization server");
  if (!url) return done(url.failure());
  search(fetcher, server_places(*url), [remote, name = std::string(issuer), done](const Result<Found>& found) {
    if (!found) return done(found.failure());
    if (found->document) return done(checked_server(*found->document, remote, name));
    const std::string none =
        "the authorization server " + name + " publishes no metadata at any of the well-known places";
    done(Error{found->trouble.empty() ? none : none + "; " + found->trouble});
  });
}

}  // namespace collet::client::auth
