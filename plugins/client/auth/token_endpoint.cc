#include "client/auth/token_endpoint.h"

#include <algorithm>

#include "client/auth/json.h"
#include "client/auth/limits.h"
#include "client/net/challenge.h"

namespace collet::client::auth {
namespace {

constexpr std::size_t kShownBytesMax = 500;  // of what a server says about an error
constexpr std::string_view kSpace = " \t\r\n";
// GitHub answers in JSON only if that is named; who knows nothing but forms may refuse what does not name them.
constexpr const char* kAccept = "application/json, application/x-www-form-urlencoded;q=0.9";

// What an answer says, good or bad.
struct Said {
  Tokens tokens;
  std::string error, description;

  // Null: of no use to us.
  std::string* text(std::string_view key) {
    if (key == "access_token") return &tokens.access_token;
    if (key == "token_type") return &tokens.token_type;
    if (key == "issued_token_type") return &tokens.issued_token_type;
    if (key == "refresh_token") return &tokens.refresh_token;
    if (key == "error") return &error;
    return key == "error_description" ? &description : nullptr;
  }
};

std::optional<std::int64_t> lifetime(JsonReader& reader) {
  const std::optional<std::int64_t> seconds = read_seconds(reader);
  if (!seconds) return std::nullopt;
  return std::clamp<std::int64_t>(*seconds, 0, limits::kTokenLifeMaxS);
}

// RFC 6749 §5.1 demands JSON; a few servers answer in the form that they are asked in.
std::optional<Said> read_form(std::string_view body) {
  const auto first = body.find_first_not_of(kSpace);
  if (first == body.npos || body[first] == '{') return std::nullopt;
  body = body.substr(first, body.find_last_not_of(kSpace) + 1 - first);
  const Result<Form> form = form_decode(body);
  if (!form || (!find(*form, "access_token") && !find(*form, "error"))) return std::nullopt;
  Said said;
  for (const auto& [key, value] : *form) {
    if (std::string* const text = said.text(key); text && text->empty()) *text = value;
  }
  if (const std::string* const life = find(*form, "expires_in")) {
    std::string quoted;
    append_json(quoted, *life);
    JsonReader reader(quoted);
    said.tokens.expires_in = lifetime(reader);
  }
  return said;
}

Result<Said> read_answer(std::string_view body, const std::string& what) {
  if (std::optional<Said> said = read_form(body)) return std::move(*said);
  Said said;
  const Result<void> read = read_document(body, what, [&](std::string_view key, JsonReader& reader) {
    if (std::string* const text = said.text(key)) {
      *text = read_text(reader);
    } else if (key == "expires_in") {
      said.tokens.expires_in = lifetime(reader);
    } else {
      reader.read_raw();
    }
  });
  if (!read) return read.failure();
  return said;
}

bool is_trouble(int status, std::string_view code) {
  return status >= 500 || status == 429 || status == 408 || code == "temporarily_unavailable" ||
         code == "server_error" || code == "slow_down";
}

TokenRefusal refusal_of(int status, const Said& said, const std::string& url) {
  TokenRefusal refusal{said.error, "the token endpoint " + url + " answered " + std::to_string(status)};
  if (!said.error.empty()) refusal.message += " " + shown(said.error);
  if (!said.description.empty()) refusal.message += ": " + shown(said.description);
  refusal.temporary = is_trouble(status, said.error);
  return refusal;
}

TokenRefusal parse_refusal(const FetchResponse& response, const std::string& url) {
  const Result<Said> said = read_answer(response.body, url);
  return refusal_of(response.status, said ? *said : Said(), url);
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
    post.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", kAccept}};
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
    if (!response) {
      return done_(TokenRefusal{{}, "the token endpoint " + request_.url + ": " + response.message(), true});
    }
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

std::string shown(std::string_view text) {
  std::string out(text.substr(0, kShownBytesMax));
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return out;
}

TokenAnswer parse_tokens(std::string_view body, const std::string& url) {
  const std::string what = "the answer of the token endpoint " + url;
  Result<Said> said = read_answer(body, what);
  if (!said) return TokenRefusal{{}, said.message()};
  Tokens& tokens = said->tokens;
  if (!said->error.empty()) return refusal_of(200, *said, url);
  if (tokens.access_token.empty()) return TokenRefusal{{}, what + " has no access_token"};
  if (too_large(tokens)) {
    return TokenRefusal{{},
                        what + " has a token of more than " + std::to_string(limits::kTokenBytesMax) + " bytes"};
  }
  if (!is_token_text(tokens.access_token))
    return TokenRefusal{{}, what + " has bytes in its token that no header may have"};
  std::transform(tokens.token_type.begin(), tokens.token_type.end(), tokens.token_type.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return std::move(tokens);
}

}  // namespace collet::client::auth
