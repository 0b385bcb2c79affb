// URLs and redirects that a remote or an authorization server names: where we say that one leads is where libcurl
// goes, or it goes nowhere; and a query that is read is written and read again.
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <strings.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <memory>
#include <string>

#include "client/net/url.h"
#include "require.h"

using namespace collet::client;

namespace {

using Parts = std::unique_ptr<CURLU, void (*)(CURLU*)>;

// As an easy handle takes its CURLOPT_URL apart; null if it refuses to.
Parts take_apart(const std::string& url) {
  Parts parts(curl_url(), curl_url_cleanup);
  const unsigned flags = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME;
  const bool taken =
      url.find('\0') == url.npos && curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), flags) == CURLUE_OK;
  if (!taken) parts.reset();
  return parts;
}

std::string part(CURLU* parts, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(parts, which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

// A host as the resolver understands it, in lower case: an address in its one form without brackets, or a name.
std::string resolved(std::string host) {
  std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return std::tolower(c); });
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  const std::string bare = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  if (getaddrinfo(bare.c_str(), nullptr, &wanted, &found) != 0) return host;
  char address[NI_MAXHOST];
  const int failed =
      getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof address, nullptr, 0, NI_NUMERICHOST);
  freeaddrinfo(found);
  require(!failed);
  return address;
}

// Of what resolved() gives; libcurl takes names below localhost for it. "127." is a name, if one that nobody has.
bool is_this_machine(std::string host) {
  if (host.starts_with("::ffff:")) host.erase(0, 7);
  in_addr address;
  if (inet_pton(AF_INET, host.c_str(), &address) == 1 && host.starts_with("127.")) return true;
  if (host.ends_with('.')) host.pop_back();
  const bool below = host.ends_with(".localhost");
  return below || host == "localhost" || host == "0.0.0.0" || host == "::1" || host == "::";
}

void check_url(const Url& url, CURLU* taken_apart) {
  require(!url.host.empty() && url.port != 0);
  require(resource_covers(url, url));
  if (const auto place = parse_url(well_known(url, "name"))) require(place->origin() == url.origin());
  if (!taken_apart) return;
  const std::string host = resolved(part(taken_apart, CURLUPART_HOST));
  require(host == resolved(url.host));
  require(part(taken_apart, CURLUPART_SCHEME) == url.scheme);
  require(part(taken_apart, CURLUPART_PORT) == std::to_string(url.port));
  require(part(taken_apart, CURLUPART_USER).empty());
  require(url.is_loopback() == is_this_machine(host));
}

// An origin is text that is compared with that of the remote itself: it is where the URL leads.
void check_origin(const std::string& origin, CURLU* taken_apart) {
  if (origin.empty() || !taken_apart) return;
  const Parts parts = take_apart(origin);
  require(bool(parts));
  for (const CURLUPart each : {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}) {
    require(strcasecmp(part(parts.get(), each).c_str(), part(taken_apart, each).c_str()) == 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Parts parts = take_apart(text);
  if (const auto url = parse_url(text)) check_url(*url, parts.get());
  check_origin(origin_of(text), parts.get());
  if (const auto form = form_decode(text)) {
    const auto again = form_decode(form_encode(*form));
    require(again && *again == *form);
  }
  return 0;
}
