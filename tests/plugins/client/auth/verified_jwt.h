// JSON Web Tokens taken apart and verified by other code than that which signs them.
#pragma once

#include <map>
#include <string>
#include <string_view>

struct Jwt {
  std::map<std::string, std::string> header;
  std::map<std::string, std::string> claims;
};

// ES256 or RS256 under `jwk`; empty means the jwk of its own header. Fails the test if the signature does not
// verify.
Jwt verified_jwt(std::string_view token, std::string jwk = {});

// RFC 7638.
std::string thumbprint(const std::string& jwk);
