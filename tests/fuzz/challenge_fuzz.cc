// WWW-Authenticate: any bytes are so many challenges and not more, and what is understood is understood again.
#include <cstdint>

#include "client/limits.h"
#include "client/net/challenge.h"
#include "require.h"

using namespace collet::client;

namespace {

std::string printed(const std::vector<AuthScheme>& schemes) {
  std::string out;
  for (const AuthScheme& scheme : schemes) {
    out += scheme.name + ' ';
    for (const auto& [name, value] : scheme.parameters) {
      out += name + "=\"";
      for (const char c : value) out.append(c == '"' || c == '\\' ? "\\" : "").append(1, c);
      out += "\",";
    }
    out += ',';
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto schemes = parse_www_authenticate(text);
  require(schemes.size() <= limits::kChallengeSchemesMax);
  for (const AuthScheme& scheme : schemes) require(scheme.parameters.size() <= limits::kChallengeParametersMax);
  const std::string once = printed(schemes);
  if (once.size() <= limits::kChallengeBytesMax) require(printed(parse_www_authenticate(once)) == once);
  const Challenge challenge = read_challenge({{"WWW-Authenticate", text}, {"DPoP-Nonce", text}});
  require(challenge.dpop_nonce.size() <= limits::kNonceBytesMax);
  return 0;
}
