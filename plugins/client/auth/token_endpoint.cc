#include "client/auth/token_endpoint.h"

#include <algorithm>

#include "client/auth/challenge.h"
#include "client/auth/json.h"
#include "client/auth/limits.h"

namespace collet::client::auth {
namespace {

constexpr std::size_t kShownBytesMax = 500;  // of what a server says about an error

std::string shown(std::string_view text) {
  std::string out(text.substr(0, kShownBytesMax));
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return out;
}

TokenRefusal parse_refusal(const FetchResponse& response, const std::string& url) {
  TokenRefusal refusal;
  std::string description;
  const Result<void> read = read_json(response.body, url, [&](std::string_view key, JsonReader& reader) {
    if (key == "error") {
      refusal.code = read_text(reader);
    } else if (key == "error_description") {
      description = read_text(reader);
    } else {
      reader.read_raw();
    }
  });
  if (!read) refusal.code.clear();
  refusal.message = "the token endpoint " + url + " answered " + std::to_string(response.status);
  if (!refusal.code.empty()) refusal.message += " " + shown(refusal.code);
  if (!description.empty()) refusal.message += ": " + shown(description);
  return refusal;
}

std::optional<std::int64_t> lifetime(JsonReader& reader) {
  if (reader.read_null()) return std::nullopt;
  const auto seconds = reader.read_number<double>();
  return static_cast<std::int64_t>(std::clamp(seconds, 0.0, static_cast<double>(limits::kTokenLifeMaxS)));
}

bool too_large(const Tokens& tokens) {
  return tokens.access_token.size() > limits::kTokenBytesMax ||
         tokens.refresh_token.size() > limits::kTokenBytesMax;
}

// A header may carry it.
bool is_token_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Fetcher& fetcher, Clock clock, TokenRequest request, std::function<void(TokenAnswer)> done)
      : fetcher_(fetcher), clock_(std::move(clock)), request_(std::move(request)), done_(std::move(done)) {}

  void send() {
    FetchRequest post;
    post.method = "POST";
    post.url = request_.url;
    post.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
    Form form = request_.form;
    request_.client.authenticate(request_.issuer, clock_(), form, post.headers);
    if (request_.dpop) post.headers.push_back({"DPoP", request_.dpop->proof("POST", request_.url, {}, clock_())});
    post.body = form_encode(form);
    fetcher_.fetch(std::move(post), [self = shared_from_this()](Result<FetchResponse> response) {
      self->answered(std::move(response));
    });
  }

 private:
  void answered(Result<FetchResponse> response) {
    if (!response) return done_(TokenRefusal{{}, "the token endpoint " + request_.url + ": " + response.message()});
    const std::string_view nonce = find_header(response->headers, "dpop-nonce");
    const bool learnt = request_.dpop && request_.dpop->learn_nonce(request_.url, nonce);
    if (response->body.size() > limits::kDocumentBytesMax) {
      return done_(TokenRefusal{{},
                                "the token endpoint " + request_.url + " sent more than " +
                                    std::to_string(limits::kDocumentBytesMax) + " bytes"});
    }
    if (response->status == 200) return done_(parse_tokens(response->body, request_.url));
    TokenRefusal refusal = parse_refusal(*response, request_.url);
    if (refusal.code == "use_dpop_nonce" && learnt && !repeated_) {
      repeated_ = true;
      return send();
    }
    done_(std::move(refusal));
  }

  Fetcher& fetcher_;
  const Clock clock_;
  const TokenRequest request_;
  const std::function<void(TokenAnswer)> done_;
  bool repeated_ = false;
};

}  // namespace

void request_token(Fetcher& fetcher, const Clock& clock, TokenRequest request,
                   std::function<void(TokenAnswer)> done) {
  std::make_shared<Exchange>(fetcher, clock, std::move(request), std::move(done))->send();
}

TokenAnswer parse_tokens(std::string_view body, const std::string& url) {
  const std::string what = "the answer of the token endpoint " + url;
  Tokens tokens;
  const Result<void> read = read_json(body, what, [&](std::string_view key, JsonReader& reader) {
    if (key == "access_token") {
      tokens.access_token = read_text(reader);
    } else if (key == "token_type") {
      tokens.token_type = read_text(reader);
    } else if (key == "issued_token_type") {
      tokens.issued_token_type = read_text(reader);
    } else if (key == "refresh_token" && !reader.read_null()) {
      tokens.refresh_token = read_text(reader);
    } else if (key == "scope" && !reader.read_null()) {
      tokens.scope = read_text(reader);
    } else if (key == "expires_in") {
      tokens.expires_in = lifetime(reader);
    } else if (key != "refresh_token" && key != "scope") {
      reader.read_raw();
    }
  });
  if (!read) return TokenRefusal{{}, read.message()};
  if (tokens.access_token.empty()) return TokenRefusal{{}, what + " has no access_token"};
  if (too_large(tokens)) {
    return TokenRefusal{{},
                        what + " has a token of more than " + std::to_string(limits::kTokenBytesMax) + " bytes"};
  }
  if (!is_token_text(tokens.access_token))
    return TokenRefusal{{}, what + " has bytes in its token that no header may have"};
  std::transform(tokens.token_type.begin(), tokens.token_type.end(), tokens.token_type.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return tokens;
}

}  // namespace collet::client::auth
