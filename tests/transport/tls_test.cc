#include "transport/tls.h"

#include <malloc.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/tcp_client.h"
#include "transport/served.h"

using namespace collet;
using Catch::Matchers::Contains;
using test::get;
using test::post;
using test::Served;
using test::TcpClient;

namespace {

// A self-signed certificate for localhost and its key, in files.
struct Certificate {
  Certificate() {
    REQUIRE(mkdtemp(folder));
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    X509_NAME* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1,
                               -1, 0);
    X509_set_issuer_name(x509, name);
    X509_sign(x509, key, EVP_sha256());
    FILE* file = std::fopen(certificate().c_str(), "w");
    PEM_write_X509(file, x509);
    std::fclose(file);
    file = std::fopen(this->key().c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(x509);
    EVP_PKEY_free(key);
  }
  ~Certificate() {
    unlink(certificate().c_str());
    unlink(key().c_str());
    rmdir(folder);
  }
  void replace_by(const Certificate& other) {
    std::filesystem::copy_file(other.certificate(), certificate(), std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(other.key(), key(), std::filesystem::copy_options::overwrite_existing);
  }
  std::string certificate() const { return std::string(folder) + "/certificate.pem"; }
  std::string key() const { return std::string(folder) + "/key.pem"; }

  char folder[32] = "/tmp/collet_tls_XXXXXX";
};

// A blocking TLS client on a connected socket.
class TlsClient {
 public:
  TlsClient(std::uint16_t port, int version, const char* protocol = nullptr, const char* ciphers = nullptr)
      : socket_(port), context_(SSL_CTX_new(TLS_client_method())), session_(nullptr) {
    SSL_CTX_set_min_proto_version(context_, version);
    SSL_CTX_set_max_proto_version(context_, version);
    if (ciphers) REQUIRE(SSL_CTX_set_cipher_list(context_, ciphers) == 1);
    session_ = SSL_new(context_);
    if (protocol) {
      std::string list(1, static_cast<char>(std::strlen(protocol)));
      list += protocol;
      SSL_set_alpn_protos(session_, reinterpret_cast<const unsigned char*>(list.data()),
                          static_cast<unsigned>(list.size()));
    }
    SSL_set_fd(session_, socket_.descriptor());
  }
  ~TlsClient() {
    SSL_free(session_);
    SSL_CTX_free(context_);
  }

  bool connect() { return SSL_connect(session_) == 1; }
  void send(std::string_view bytes) { REQUIRE(try_send(bytes)); }
  bool try_send(std::string_view bytes) {
    return SSL_write(session_, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
  }
  std::string read(std::size_t bytes) {
    std::string out;
    char piece[16384];
    while (out.size() < bytes) {
      const int got = SSL_read(session_, piece, static_cast<int>(std::min(sizeof(piece), bytes - out.size())));
      if (got <= 0) break;
      out.append(piece, static_cast<std::size_t>(got));
    }
    return out;
  }
  std::string read_head() {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      const std::string byte = read(1);
      if (byte.empty()) break;
      head += byte;
    }
    return head;
  }
  // Of the server, in DER.
  std::string certificate() const {
    X509* x509 = SSL_get1_peer_certificate(session_);
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(x509, &bytes);
    std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    X509_free(x509);
    return der;
  }
  void finish() { SSL_shutdown(session_); }
  bool was_closed_properly() {
    read(1);
    return (SSL_get_shutdown(session_) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned bytes = 0;
    SSL_get0_alpn_selected(session_, &name, &bytes);
    return {reinterpret_cast<const char*>(name), bytes};
  }

 private:
  TcpClient socket_;
  SSL_CTX* context_;
  SSL* session_;
};

std::shared_ptr<transport::TlsContext> load(const Certificate& files) {
  auto context = transport::load_tls(files.certificate(), files.key());
  REQUIRE(context);
  return *context;
}

}  // namespace

TEST_CASE("a large request over TLS goes on at another loop") {
  const Certificate files;
  test::Aside aside;
  Served served({}, "https://127.0.0.1:0", load(files), &aside.server());
  TlsClient client(served.port(), TLS1_3_VERSION);
  REQUIRE(client.connect());
  for (const std::string& body : {std::string("small"), std::string(3'000'000, 'x'), std::string("last")}) {
    client.send(post("/echo", body));
    CHECK(client.read_head().starts_with("HTTP/1.1 200"));
    CHECK(client.read(body.size()) == body);
  }
  CHECK(served.handler.requests() == 1);
  CHECK(aside.handler.requests() == 2);
}

TEST_CASE("a new certificate is that of new connections, and a bad one changes nothing") {
  Certificate files;
  const Certificate others;
  const auto context = load(files);
  Served served({}, "https://127.0.0.1:0", context);
  TlsClient old(served.port(), TLS1_3_VERSION, "http/1.1");
  REQUIRE(old.connect());
  const std::string before = old.certificate();
  files.replace_by(others);
  REQUIRE(transport::renew_tls(*context));
  TlsClient next(served.port(), TLS1_3_VERSION, "http/1.1");
  REQUIRE(next.connect());
  CHECK(next.certificate() != before);
  std::ofstream(files.certificate()) << "none";
  CHECK_FALSE(transport::renew_tls(*context));
  TlsClient last(served.port(), TLS1_3_VERSION, "http/1.1");
  REQUIRE(last.connect());
  CHECK(last.certificate() == next.certificate());
  old.send(get("/echo"));
  CHECK(old.read_head().find("200 OK") != std::string::npos);
}

TEST_CASE("ciphers without forward secrecy, or that do not authenticate, are refused") {
  const Certificate files;
  Served served({}, "https://127.0.0.1:0", load(files));
  for (const char* cipher : {"AES128-GCM-SHA256", "AES256-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA"}) {
    INFO(cipher);
    TlsClient client(served.port(), TLS1_2_VERSION, "http/1.1", cipher);
    CHECK_FALSE(client.connect());
  }
  TlsClient client(served.port(), TLS1_2_VERSION, "http/1.1", "ECDHE+AESGCM");
  CHECK(client.connect());
}

TEST_CASE("a large answer over TLS leaves no memory with its connection") {
  const Certificate files;
  Served served({}, "https://127.0.0.1:0", load(files));
  TlsClient client(served.port(), TLS1_3_VERSION, "http/1.1");
  REQUIRE(client.connect());
  const auto heap_bytes = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  constexpr std::size_t kAnswer = 20'000'000;
  const std::size_t before = heap_bytes();
  client.send(get("/large?" + std::to_string(kAnswer)));
  client.read_head();
  CHECK(client.read(kAnswer).size() == kAnswer);
  served.connections();  // the loop has had a turn
  CHECK(heap_bytes() < before + kAnswer / 10);
}

TEST_CASE("requests, large bodies and events travel over TLS 1.2 and 1.3") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const Certificate files;
  Served served({}, "https://127.0.0.1:0", load(files));
  TlsClient client(served.port(), version, "http/1.1");
  REQUIRE(client.connect());
  CHECK(client.protocol() == "http/1.1");
  client.send(get("/head"));
  CHECK_THAT(client.read_head(), Contains("Content-Length: 21\r\n"));
  CHECK(client.read(21) == "GET  localhost secure");

  const std::string large(300'000, 'x');
  client.send(post("/echo", large));
  client.read_head();
  CHECK(client.read(large.size()) == large);

  client.send(post("/events", "") + post("/echo", "ahead"));
  served.handler.await_open(1);
  client.read_head();
  served.run([&] {
    served.handler.open(0).reply->event("{}");
    served.handler.open(0).reply->end();
  });
  CHECK(client.read(36) == "19\r\nevent: message\ndata: {}\n\n\r\n0\r\n\r\n");
  client.read_head();
  CHECK(client.read(5) == "ahead");

  client.send(get("/echo", "Connection: close\r\n"));
  client.read_head();
  CHECK(client.was_closed_properly());
}

TEST_CASE("a body follows its request over TLS as fast as it is taken") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const Certificate files;
  transport::HttpLimits limits;
  limits.streamed_bytes_max = 100'000'000;
  Served served(limits, "https://127.0.0.1:0", load(files));
  TlsClient client(served.port(), version);
  REQUIRE(client.connect());
  const std::string body(10'000'000, 'x');
  bool sent = false;
  std::thread sender([&] {
    sent = client.try_send("POST /streamed?10000000 HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n" + body);
  });
  for (std::size_t taken = 0; taken < body.size();) {
    const std::size_t come = served.handler.await_body(0, taken + 1).size();
    CHECK(come - taken <= limits::kHttpBodyAheadBytesMax);
    test::take_body(served, 0, come - taken);
    taken = come;
  }
  sender.join();
  CHECK(sent);
  CHECK(served.handler.await_whole(0) == body);
  test::answer_later(served, 0, "ok");
  client.read_head();
  CHECK(client.read(2) == "ok");
}

TEST_CASE("requests are held over TLS, whole or not, and those behind them wait") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const Certificate files;
  test::Aside aside;
  Served served({}, "https://127.0.0.1:0", load(files), &aside.server());
  TlsClient client(served.port(), version);
  REQUIRE(client.connect());
  const std::string large(400'000, 'x');
  client.send(post("/hold", "first") + post("/echo", "ahead") + post("/hold", large).substr(0, 100'000));
  served.handler.await_open(1);
  release(served, 0, "yes");
  client.read_head();
  CHECK(client.read(5) == "first");
  client.read_head();
  CHECK(client.read(5) == "ahead");
  served.handler.await_open(2);
  CHECK(aside.handler.requests() == 0);
  release(served, 1, "yes");
  client.send(post("/hold", large).substr(100'000));
  CHECK_THAT(client.read_head(), Contains("200 OK"));
  CHECK(client.read(large.size()) == large);
  CHECK(aside.handler.requests() == 1);
}

TEST_CASE("a client that says over TLS that it sends no more gets its answer") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const Certificate files;
  Served served({}, "https://127.0.0.1:0", load(files));
  TlsClient client(served.port(), version);
  REQUIRE(client.connect());
  client.send(get("/later"));
  client.finish();
  served.handler.await_open(1);
  CHECK(client.read(9) == "HTTP/1.1 ");
  served.run([&] {
    const std::string_view body = "here";
    served.handler.open(0).reply->respond(200, {}, {&body, 1});
  });
  CHECK_THAT(client.read_head(), Contains("Connection: close\r\n"));
  CHECK(client.read(4) == "here");
  CHECK(client.was_closed_properly());
}

TEST_CASE("TLS 1.1, another protocol, plain HTTP and half a handshake end that connection only") {
  const Certificate files;
  transport::HttpLimits limits;
  limits.header_timeout_ms = 40;
  Served served(limits, "https://127.0.0.1:0", load(files));
  CHECK_FALSE(TlsClient(served.port(), TLS1_1_VERSION).connect());
  CHECK_FALSE(TlsClient(served.port(), TLS1_3_VERSION, "h2").connect());
  TcpClient plain(served.port());
  plain.send(get("/echo"));
  CHECK(plain.read_to_end().find("HTTP/1.1") == std::string::npos);
  TcpClient half(served.port());
  half.send("\x16\x03\x01");
  CHECK(half.read_to_end().empty());
  TlsClient good(served.port(), TLS1_3_VERSION);
  REQUIRE(good.connect());
  good.send(get("/head"));
  CHECK_THAT(good.read_head(), Contains("200 OK"));
}

TEST_CASE("a certificate that cannot be loaded is named") {
  const Certificate files;
  const Certificate others;
  CHECK_THAT(transport::load_tls("/nowhere.pem", files.key()).message(), Contains("certificate /nowhere.pem"));
  CHECK_THAT(transport::load_tls(files.certificate(), "/nowhere.pem").message(), Contains("key /nowhere.pem"));
  CHECK_THAT(transport::load_tls(files.certificate(), others.key()).message(), Contains(others.key()));
  const auto bound =
      transport::ListenSocket::bind(transport::Address::parse("https://127.0.0.1:0").value(), 1, nullptr);
  REQUIRE_FALSE(bound);
  CHECK_THAT(bound.message(), Contains("certificate and key"));
}
