#include "client/net/tls.h"

#include <openssl/x509_vfy.h>

#include <cstdlib>

#include "plugins/temporary_directory.h"
#include "support/catch.h"

using namespace collet::client;

namespace {

// Of nobody; it has expired.
constexpr const char* kCertificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbDCCAROgAwIBAgIUEs7zXwtxDUv2J9GR507gymbd3sYwCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBeDAeFw0yNjEyMDIwNzE4NThaFw0yNjEyMDQwNzE4NThaMAwx\n"
    "CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR1+4SuSHNfyTZF\n"
    "eJjQiPTTW+LW+GyKGIydYjEUfPsuSnxF1rBzIwms2gsIcreglFJNzuPG6PH9VaGq\n"
    "jzyJbrA/o1MwUTAdBgNVHQ4EFgQUfFmmSYlX4UXMKOP2FrH3A+vDL0wwHwYDVR0j\n"
    "BBgwFoAUfFmmSYlX4UXMKOP2FrH3A+vDL0wwDwYDVR0TAQH/BAUwAwEB/zAKBggq\n"
    "hkjOPQQDAgNHADBEAiBSCk2n+JV5DJlIW6adp15347+uayVTtJn42QUvguN2WQIg\n"
    "TyqX04vLPKkWBLD+UK0NSUYTSwLaEs+jpzAfCwRzmzM=\n"
    "-----END CERTIFICATE-----\n";

int known_to(const Authorities& authorities) { return sk_X509_OBJECT_num(X509_STORE_get0_objects(authorities.store())); }

// Another value while it lives; empty is as good as none.
struct Variable {
  explicit Variable(const char* of, const std::string& value = "") : name(of), before(std::getenv(of) ? std::getenv(of) : "") {
    setenv(name, value.c_str(), 1);
  }
  ~Variable() { setenv(name, before.c_str(), 1); }
  const char* const name;
  const std::string before;
};

}  // namespace

TEST_CASE("authorities are parsed once, and nobody else's have their path") {
  const Authorities one(kCertificate, false), other(kCertificate, false);
  CHECK(known_to(one) == 1);
  CHECK(one.store() == one.store());
  CHECK(one.store() != other.store());
  CHECK(one.path() != other.path());
  CHECK(known_to(Authorities()) == 0);
}

TEST_CASE("a variable names authorities in place of the system's, or besides them") {
  const TemporaryDirectory folder;
  const std::string file = folder.path("one.pem");
  folder.put("one.pem", kCertificate);
  const Variable no_bundle("CURL_CA_BUNDLE"), no_file("SSL_CERT_FILE"), none_besides("NODE_EXTRA_CA_CERTS");
  const int systems = known_to(*(*read_tls({}))->authorities);
  {
    const Variable instead("SSL_CERT_FILE", file);
    CHECK(known_to(*(*read_tls({}))->authorities) == 1);
    CHECK(known_to(*tls_without_files()->authorities) == 0);
  }
  {
    const Variable besides("NODE_EXTRA_CA_CERTS", file);
    CHECK(known_to(*(*read_tls({}))->authorities) == systems + 1);
    CHECK(known_to(*tls_without_files()->authorities) == systems);
  }
}

TEST_CASE("a file with a certificate that cannot be read is named, whatever else is in it") {
  const TemporaryDirectory folder;
  const std::string file = folder.path("some.pem");
  std::string broken = kCertificate;
  broken.replace(broken.find("MII"), 3, "MIJ");
  folder.put("some.pem", kCertificate + broken + kCertificate);
  const auto read = read_tls({.ca = file, .certificate = {}, .key = {}});
  REQUIRE_FALSE(read);
  CHECK(read.message() == "reading " + file + ": it has a certificate that cannot be read");
}
