// Who is believed, and that nothing is said to anybody else.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>

#include "fetching.h"

using namespace collet;
using namespace collet::fetch;

namespace {

// A self-signed certificate of "localhost".
struct Authority {
  Authority() {
    key = EVP_EC_gen("P-256");
    certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    path = std::filesystem::temp_directory_path() / ("collet-fetch-" + std::to_string(getpid()) + ".pem");
    FILE* file = std::fopen(path.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
  }
  ~Authority() {
    std::filesystem::remove(path);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  EVP_PKEY* key;
  X509* certificate;
  std::string path;
};

struct TlsServer {
  explicit TlsServer(const Authority& authority, std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
      : context(SSL_CTX_new(TLS_server_method())), text(std::move(answer)) {
    SSL_CTX_use_certificate(context, authority.certificate);
    SSL_CTX_use_PrivateKey(context, authority.key);
  }
  ~TlsServer() {
    server.reset();
    SSL_CTX_free(context);
  }
  std::string url(const std::string& host) const { return "https://" + host + ":" + std::to_string(server->port()) + "/"; }

  SSL_CTX* context;
  std::string text;
  std::atomic<unsigned> requests{0};
  std::unique_ptr<ScriptedServer> server = std::make_unique<ScriptedServer>([this](ScriptedServer::Peer& peer) {
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, peer.socket());
    char request[4096];
    while (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0) {
      ++requests;
      SSL_write(ssl, text.data(), static_cast<int>(text.size()));
      if (text.find("secret") == text.npos) break;  // and no close_notify
    }
    SSL_free(ssl);
  });
};

}  // namespace

TEST_CASE("a server is believed for its name, by whom it is to be") {
  const Authority authority;
  TlsServer server(authority);
  Fetching trusting({.user_agent = "t", .ca_file = authority.path}), usual;
  CHECK(trusting.get(server.url("localhost")).body == "secret");
  CHECK(trusting.get(server.url("localhost")).body == "secret");
  CHECK(server.requests == 2);
  for (Heard heard : {trusting.get(server.url("127.0.0.1")), usual.get(server.url("localhost"))}) {
    CHECK_FALSE(heard.end.whole);
    CHECK_FALSE(heard.end.sent);
    CHECK(has(heard.end.message, "SSL"));
    CHECK(heard.heads == 0);
  }
  Fetching nobody({.user_agent = "t", .ca_file = "/nowhere.pem"});
  CHECK_FALSE(nobody.get(server.url("localhost")).end.whole);
  CHECK(server.requests == 2);
}

TEST_CASE("an answer over TLS that is cut off is not whole") {
  const Authority authority;
  TlsServer server(authority, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome of it");
  Fetching fetching({.user_agent = "t", .ca_file = authority.path});
  const Heard heard = fetching.get(server.url("localhost"));
  CHECK_FALSE(heard.end.whole);
  CHECK(heard.end.sent);
}

TEST_CASE("nobody is led from https to http") {
  const Authority authority;
  ScriptedServer plain([](ScriptedServer::Peer& peer) {
    while (!peer.read_request().empty()) peer.answer("plain");
  });
  TlsServer server(authority, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + plain.url() + "\r\n\r\n");
  Fetching fetching({.user_agent = "t", .ca_file = authority.path});
  Heard heard;
  fetching.run({.url = server.url("localhost"), .redirects_max = 5}, heard);
  CHECK_FALSE(heard.end.whole);
  CHECK(heard.end.message == "it leads from https to http, which is not followed");
  CHECK(plain.accepted() == 0);
}
