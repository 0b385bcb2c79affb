#include "config/token.h"

#include "support/catch.h"

using namespace collet;

TEST_CASE("a token is made new each time and matches its own hash only") {
  const std::string token = config::make_token();
  CHECK(token.size() == std::string("collet_").size() + 43);
  CHECK(token.rfind("collet_", 0) == 0);
  CHECK(token.find_first_of("+/=") == std::string::npos);
  const std::string hash = config::hash_token(token);
  CHECK(config::is_token_hash(hash));
  const config::TokenDigest digest = config::read_token_hash(hash);
  CHECK(config::digest_of(token) == digest);
  CHECK_FALSE(config::digest_of(token + "x") == digest);
  CHECK_FALSE(config::digest_of(token.substr(0, token.size() - 1)) == digest);
  CHECK_FALSE(config::digest_of("") == digest);
  CHECK_FALSE(config::digest_of(config::make_token()) == digest);
}

TEST_CASE("the hash is SHA-256 as everyone computes it") {
  CHECK(config::hash_token("abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("what is no hash is seen") {
  const std::string good = config::hash_token("");
  CHECK(config::is_token_hash(good));
  CHECK_FALSE(config::is_token_hash(""));
  CHECK_FALSE(config::is_token_hash(good + "0"));
  CHECK_FALSE(config::is_token_hash(good.substr(0, good.size() - 1)));
  CHECK_FALSE(config::is_token_hash("md5:" + good.substr(4)));
  CHECK_FALSE(config::is_token_hash(good.substr(0, good.size() - 1) + "G"));
  CHECK_FALSE(config::is_token_hash(good.substr(0, good.size() - 1) + "F"));
}
