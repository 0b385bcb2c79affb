#include "client/auth/pkce.h"

#include "support/catch.h"

using namespace collet::client::auth;

TEST_CASE("the example of RFC 7636, appendix B") {
  CHECK(pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") ==
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  CHECK(pkce_verifier().size() == 43);
}
