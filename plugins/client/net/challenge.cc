#include "client/net/challenge.h"

#include <algorithm>

#include "client/limits.h"
#include "client/net/text.h"

namespace collet::client {
namespace {

bool is_token_byte(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || kOthers.find(c) != kOthers.npos;
}

class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool at(char c) const { return !rest_.empty() && rest_.front() == c; }

  void skip_space() { skip(" \t"); }
  void skip_space_and_commas() { skip(" \t,"); }

  bool take(char c) {
    if (!at(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Empty if there is none.
  std::string_view take_token() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_byte);
    const auto token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(token.size());
    return token;
  }

  // A quoted string, or what reaches to the next blank or comma: servers leave the quotes of a URL away, or take '.
  // False if there is nothing, and where a quote has no end.
  bool take_value(std::string& out) {
    if (take('"')) return take_quoted(out);
    const auto end = at('\'') ? rest_.find('\'', 1) : rest_.npos;
    if (end != rest_.npos) {
      out = rest_.substr(1, end - 1);
      rest_.remove_prefix(end + 1);
      return true;
    }
    out = rest_.substr(0, rest_.find_first_of(" \t,"));
    rest_.remove_prefix(out.size());
    return !out.empty();
  }

  // The credentials of schemes such as Negotiate, which are no parameters: taken if they reach to a comma or the
  // end.
  bool take_token68() {
    auto end = rest_.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
    if (end == 0 || rest_.empty()) return false;
    end = std::min(rest_.find_first_not_of('=', std::min(end, rest_.size())), rest_.size());
    const auto after = rest_.find_first_not_of(" \t", end);
    if (after != rest_.npos && rest_[after] != ',') return false;
    rest_.remove_prefix(end);
    return true;
  }

 private:
  bool take_quoted(std::string& out) {
    while (!rest_.empty() && !at('"')) {
      if (take('\\') && rest_.empty()) return false;
      out += rest_.front();
      rest_.remove_prefix(1);
    }
    return take('"');
  }
  void skip(std::string_view bytes) { rest_.remove_prefix(std::min(rest_.find_first_not_of(bytes), rest_.size())); }

  std::string_view rest_;
};

void take_first(std::string& out, std::string_view value) {
  if (out.empty()) out = value;
}

}  // namespace

std::vector<AuthScheme> parse_www_authenticate(std::string_view value) {
  std::vector<AuthScheme> found;
  Cursor cursor(value.substr(0, limits::kChallengeBytesMax));
  while (true) {
    cursor.skip_space_and_commas();
    const std::string_view name = cursor.take_token();
    if (name.empty()) return found;
    cursor.skip_space();
    if (!found.empty() && cursor.take('=')) {
      cursor.skip_space();
      std::string parameter;
      auto& parameters = found.back().parameters;
      if (!cursor.take_value(parameter) || parameters.size() == limits::kChallengeParametersMax) return found;
      parameters.emplace_back(lower(name), std::move(parameter));
    } else {
      if (found.size() == limits::kChallengeSchemesMax) return found;
      found.push_back({lower(name), {}});
      cursor.take_token68();
    }
  }
}

Challenge read_challenge(const std::vector<HttpHeader>& headers) {
  Challenge challenge;
  for (const HttpHeader& header : headers) {
    if (!equals_ignoring_case(header.name, "www-authenticate")) continue;
    for (const AuthScheme& scheme : parse_www_authenticate(header.value)) {
      if (scheme.name != "bearer" && scheme.name != "dpop") continue;
      challenge.dpop |= scheme.name == "dpop";
      for (const auto& [name, value] : scheme.parameters) {
        auto& places = challenge.resource_metadata;
        const bool is_place = name == "resource_metadata" && !value.empty();
        if (is_place && std::find(places.begin(), places.end(), value) == places.end()) places.push_back(value);
        if (name == "scope") take_first(challenge.scope, value);
        if (name == "error") take_first(challenge.error, value);
      }
    }
  }
  const std::string_view nonce = find_header(headers, "dpop-nonce");
  if (nonce.size() <= limits::kNonceBytesMax) challenge.dpop_nonce = nonce;
  return challenge;
}

}  // namespace collet::client
