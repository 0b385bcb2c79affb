#include "client/net/challenge.h"

#include "client/limits.h"
#include "support/catch.h"

using namespace collet::client;

namespace {

using Places = std::vector<std::string>;

Challenge read(std::string value) { return read_challenge({{"WWW-Authenticate", std::move(value)}}); }

}  // namespace

TEST_CASE("the parameters of a challenge, quoted or not, in any case and spacing") {
  const Challenge challenge =
      read("bearer  Realm=\"x, y=z\" ,SCOPE = \"a b\", error=invalid_token,resource_metadata=\"https://h/\\\"q\"");
  CHECK(challenge.scope == "a b");
  CHECK(challenge.error == "invalid_token");
  CHECK(challenge.resource_metadata == Places{"https://h/\"q"});
  CHECK_FALSE(challenge.dpop);
}

TEST_CASE("several challenges in one header and in several") {
  const auto schemes = parse_www_authenticate("Negotiate dG9rZW4=, Basic realm=\"r\", Bearer, DPoP algs=\"ES256\"");
  REQUIRE(schemes.size() == 4);
  CHECK(schemes[0].name == "negotiate");
  CHECK(schemes[0].parameters.empty());
  CHECK(schemes[1].parameters[0].second == "r");
  CHECK(schemes[2].parameters.empty());
  CHECK(schemes[3].name == "dpop");
  const Challenge challenge = read_challenge({{"WWW-Authenticate", "Basic scope=\"not ours\""},
                                              {"www-authenticate", "DPoP error=\"use_dpop_nonce\""},
                                              {"Www-Authenticate", "Bearer scope=\"a\""},
                                              {"dpop-nonce", "n1"}});
  CHECK(challenge.scope == "a");
  CHECK(challenge.error == "use_dpop_nonce");
  CHECK(challenge.dpop);
  CHECK(challenge.dpop_nonce == "n1");
}

TEST_CASE("a value whose quotes are missing, or are ', is taken to the next blank or comma") {
  const Places place = {"https://h/.well-known/oauth-protected-resource/mcp?a=b"};
  CHECK(read("Bearer resource_metadata=" + place[0]).resource_metadata == place);
  CHECK(read("Bearer resource_metadata=" + place[0] + ", scope=a:b").scope == "a:b");
  CHECK(read("Bearer resource_metadata=" + place[0] + " error=invalid_token").error == "invalid_token");
  const Challenge quoted = read("Bearer resource_metadata='" + place[0] + "', scope='a b', error='x'");
  CHECK(quoted.resource_metadata == place);
  CHECK(quoted.scope == "a b");
  CHECK(quoted.error == "x");
  CHECK(read("Bearer error='x").error == "'x");
}

TEST_CASE("every document that challenges name is kept, each once") {
  const Challenge challenge =
      read_challenge({{"WWW-Authenticate",
                       "Bearer resource_metadata=\"https://h/1\", DPoP "
                       "resource_metadata=\"https://h/2\""},
                      {"WWW-Authenticate", "Basic resource_metadata=\"https://h/not-ours\""},
                      {"WWW-Authenticate", "Bearer resource_metadata=\"https://h/1\""}});
  CHECK(challenge.resource_metadata == Places{"https://h/1", "https://h/2"});
}

TEST_CASE("what follows a mistake in a challenge is left out, at whatever byte it is cut") {
  const std::string whole = "Bearer scope=\"a b\", error=\"insufficient_scope\", resource_metadata=\"https://h/p\"";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const Challenge challenge = read(whole.substr(0, size));
    CHECK((challenge.scope.empty() || challenge.scope == "a b"));
    CHECK((challenge.error.empty() || challenge.error == "insufficient_scope"));
    CHECK((challenge.resource_metadata.empty() || challenge.resource_metadata == Places{"https://h/p"}));
  }
  CHECK(read(whole).resource_metadata == Places{"https://h/p"});
  CHECK(read("Bearer scope=\"a\" = , error=x").scope == "a");
  CHECK(read("=x").scope.empty());
}

TEST_CASE("no more challenges and parameters than the limits say") {
  std::string many = "Bearer p0=v";
  for (std::size_t i = 1; i < limits::kChallengeParametersMax; ++i) many += ",p" + std::to_string(i) + "=v";
  CHECK(parse_www_authenticate(many)[0].parameters.size() == limits::kChallengeParametersMax);
  CHECK(parse_www_authenticate(many + ",q=v")[0].parameters.size() == limits::kChallengeParametersMax);
  std::string schemes = "A";
  for (std::size_t i = 1; i < limits::kChallengeSchemesMax; ++i) schemes += ", A";
  CHECK(parse_www_authenticate(schemes).size() == limits::kChallengeSchemesMax);
  CHECK(parse_www_authenticate(schemes + ", A").size() == limits::kChallengeSchemesMax);
  const std::string padding(limits::kChallengeBytesMax - 8, ' ');
  CHECK(read(padding + "Bearer e").scope.empty());
  CHECK(parse_www_authenticate(padding + "  Bearer").size() == 1);
  CHECK(parse_www_authenticate(padding + "        Bearer").empty());
  const std::string nonce(limits::kNonceBytesMax, 'n');
  CHECK(read_challenge({{"DPoP-Nonce", nonce}}).dpop_nonce == nonce);
  CHECK(read_challenge({{"DPoP-Nonce", nonce + "n"}}).dpop_nonce.empty());
}
