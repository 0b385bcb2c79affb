#include "client/net/tls_stream.h"

#include <openssl/err.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "client/limits.h"
#include "plugins/client/certificates.h"
#include "support/catch.h"

using namespace collet::client;
using Catch::Matchers::Contains;
using Outcome = ByteStream::Outcome;

namespace {

const Certificate& authority() {
  static const Certificate one({.names = {}, .subject = "an authority"});
  return one;
}

const Certificate& local() {
  static const Certificate one({.names = "DNS:localhost,IP:127.0.0.1,IP:::1", .by = &authority()});
  return one;
}

Tls believing(const Certificate& one) {
  return {.authorities = std::make_shared<const Authorities>(one.pem(), false), .certificate = {}, .key = {}};
}

TlsContextPtr context(const std::string& host = "localhost", bool must_agree = false) {
  return TlsContext::make(believing(authority()), host, must_agree);
}

// A stream, and a server at the other end of its socket: both on the test's thread, turn by turn.
struct Talk {
  int sockets[2] = {-1, -1};
  SSL* server = nullptr;
  std::optional<TlsStream> stream;

  explicit Talk(TlsContextPtr client, SSL_CTX* with = local().server().get()) {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets) == 0);
    server = SSL_new(with);
    SSL_set_fd(server, sockets[1]);
    SSL_set_accept_state(server);
    REQUIRE(client);
    stream.emplace(sockets[0], std::move(client));
  }
  ~Talk() {
    stream.reset();
    SSL_free(server);
    for (const int socket : sockets) {
      if (socket >= 0) close(socket);
    }
  }

  // The handshake, as far as both go on with it.
  Outcome shake_hands() {
    Outcome outcome = stream->open();
    for (unsigned turns = 0; turns < 10 && outcome == Outcome::waits; ++turns) {
      serve();
      outcome = stream->open();
    }
    serve();
    return outcome;
  }
  // Whether the server's handshake is done.
  bool serve() {
    ERR_clear_error();
    const bool done = SSL_do_handshake(server) == 1;
    ERR_clear_error();
    return done;
  }
  void say(const std::string& bytes) {
    REQUIRE(SSL_write(server, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()));
  }
  // What the server hears, as far as it has come.
  std::string heard() {
    std::string all;
    char bytes[16384];
    for (;;) {
      ERR_clear_error();
      const int got = SSL_read(server, bytes, sizeof bytes);
      if (got <= 0) return all;
      all.append(bytes, static_cast<std::size_t>(got));
    }
  }
  // What the stream has to read; nothing: it waits.
  std::string read() {
    char bytes[ByteStream::kRecordBytes];
    const auto [outcome, got] = stream->read(bytes, sizeof bytes);
    CHECK((outcome == Outcome::done || outcome == Outcome::waits));
    return {bytes, got};
  }
  Outcome outcome_of_reading() {
    char bytes[ByteStream::kRecordBytes];
    return stream->read(bytes, sizeof bytes).outcome;
  }
  void hang_up() { close(std::exchange(sockets[1], -1)); }
};

// The words of a failure; empty: it is believed.
std::string why_not(const std::string& host, const Certificate& shown, const Certificate& believed = authority()) {
  Talk talk(TlsContext::make(believing(believed), host, false), shown.server().get());
  return talk.shake_hands() == Outcome::done ? std::string() : talk.stream->why();
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned size, void* offered) {
  if (offered) static_cast<std::string*>(offered)->assign(reinterpret_cast<const char*>(in), size);
  *out = in + 1;
  *out_size = in[0];
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

TEST_CASE("a TLS stream: a server is believed for its name, by whom it is to be, and for as long as its certificate says") {
  for (const char* host : {"localhost", "localhost.", "127.0.0.1", "[::1]"}) {
    CAPTURE(host);
    CHECK(why_not(host, local()).empty());
  }
  const std::string not_believed = "its certificate is not believed: ";
  CHECK_THAT(why_not("other.example", local()), Contains(not_believed + "hostname mismatch", Catch::CaseSensitive::No));
  CHECK_THAT(why_not("127.0.0.2", local()), Contains(not_believed + "IP address mismatch", Catch::CaseSensitive::No));
  const Certificate stranger({.names = {}, .subject = "another authority"});
  CHECK_THAT(why_not("localhost", local(), stranger), Contains(not_believed + "unable to get local issuer"));
  const Certificate expired({.names = "DNS:localhost", .by = &authority(), .seconds = 60});
  CHECK_THAT(why_not("localhost", expired), Contains(not_believed + "certificate has expired"));
  const Certificate nameless({.names = "none", .by = &authority(), .subject = "localhost"});
  CHECK_THAT(why_not("localhost", nameless), Contains(not_believed));
  const Certificate wild({.names = "DNS:*.a.example,DNS:b*.example.org", .by = &authority()});
  CHECK(why_not("x.a.example", wild).empty());
  for (const char* host : {"a.example", "x.y.a.example", "bb.example.org"}) {
    CAPTURE(host);
    CHECK_THAT(why_not(host, wild), Contains(not_believed));
  }
}

TEST_CASE("a TLS stream: nobody is believed without authorities, and nothing is said to them") {
  CHECK_FALSE(TlsContext::make(Tls(), "", false));
  Talk talk(TlsContext::make(Tls(), "localhost", false));
  CHECK(talk.shake_hands() == Outcome::broken);
  CHECK(talk.stream->write("secret").outcome == Outcome::broken);
  CHECK(talk.heard().empty());
}

TEST_CASE("a TLS stream: TLS 1.2 and 1.3, nothing before") {
  for (const auto& [version, good] : {std::pair(TLS1_1_VERSION, false), {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}}) {
    CAPTURE(version);
    const auto server = local().server();
    SSL_CTX_set_security_level(server.get(), 0);
    SSL_CTX_set_min_proto_version(server.get(), version);
    SSL_CTX_set_max_proto_version(server.get(), version);
    Talk talk(context(), server.get());
    CHECK((talk.shake_hands() == Outcome::done) == good);
  }
}

TEST_CASE("a TLS stream: names are asked for, addresses are not, and HTTP/1.1 is all that is offered") {
  std::string offered;
  const auto server = local().server();
  SSL_CTX_set_alpn_select_cb(server.get(), choose_protocol, &offered);
  for (const auto& [host, name] : {std::pair("localhost.", "localhost"), {"127.0.0.1", nullptr}}) {
    Talk talk(context(host, true), server.get());
    CHECK(talk.shake_hands() == Outcome::done);
    const char* const asked = SSL_get_servername(talk.server, TLSEXT_NAMETYPE_host_name);
    CHECK((name ? asked && std::string(asked) == name : !asked));
    CHECK(offered == "\x08http/1.1");
  }
}

TEST_CASE("a TLS stream: a server that has spoken HTTP/2 has to agree to HTTP/1.1, others may be silent") {
  Talk silent(context());
  CHECK(silent.shake_hands() == Outcome::done);
  Talk strict(context("localhost", true));
  CHECK(strict.shake_hands() == Outcome::broken);
  CHECK(strict.stream->why() == "it does not say that it speaks HTTP/1.1");
  const auto refusing = local().server();
  SSL_CTX_set_alpn_select_cb(refusing.get(), [](SSL*, const unsigned char**, unsigned char*, const unsigned char*, unsigned, void*) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }, nullptr);
  Talk refused(context(), refusing.get());
  CHECK(refused.shake_hands() == Outcome::broken);
  CHECK_THAT(refused.stream->why(), Contains("no application protocol"));
}

TEST_CASE("a TLS stream: bytes go to and fro, and each record is taken out at once") {
  Talk talk(context());
  REQUIRE(talk.shake_hands() == Outcome::done);
  const std::size_t before = talk.stream->sent();
  CHECK(talk.stream->write("question").bytes == 8);
  CHECK(talk.stream->sent() > before + 8);
  CHECK(talk.heard() == "question");
  const std::string large(3 * ByteStream::kRecordBytes + 1, 'x');
  talk.say(large);
  std::string got;
  for (std::string more = talk.read(); !more.empty(); more = talk.read()) {
    CHECK((more.size() == ByteStream::kRecordBytes || got.size() + more.size() == large.size()));
    got += more;
  }
  CHECK(got == large);
}

TEST_CASE("a TLS stream: a record is read when its last byte has come") {
  Talk talk(context());
  REQUIRE(talk.shake_hands() == Outcome::done);
  talk.read();
  BIO* const kept = BIO_new(BIO_s_mem());
  SSL_set0_wbio(talk.server, kept);
  talk.say("answer");
  char* record = nullptr;
  const long size = BIO_get_mem_data(kept, &record);
  REQUIRE(size > 6);
  for (long at = 0; at < size; ++at) {
    REQUIRE(talk.read().empty());
    REQUIRE_FALSE(talk.stream->wants_room());
    REQUIRE(send(talk.sockets[1], record + at, 1, MSG_NOSIGNAL) == 1);
  }
  CHECK(talk.read() == "answer");
}

TEST_CASE("a TLS stream: what the socket has no room for waits, and comes whole") {
  Talk talk(context());
  REQUIRE(talk.shake_hands() == Outcome::done);
  std::string request(2u << 20, '\0');
  for (std::size_t i = 0; i < request.size(); ++i) request[i] = static_cast<char>(i * 7 + i / 251);
  std::string heard;
  std::size_t taken = 0;
  unsigned waits = 0;
  while (taken < request.size()) {
    const auto [outcome, bytes] = talk.stream->write(std::string_view(request).substr(taken));
    taken += bytes;
    REQUIRE((outcome == Outcome::done) == (taken == request.size()));
    REQUIRE(talk.stream->wants_room() == (outcome == Outcome::waits));
    if (outcome == Outcome::waits) ++waits;
    heard += talk.heard();
  }
  CHECK(waits > 0);
  CHECK(heard == request);
}

TEST_CASE("a TLS stream: keys that change between two words change nothing else") {
  Talk talk(context());
  REQUIRE(talk.shake_hands() == Outcome::done);
  for (unsigned times = 0; times < 3; ++times) {
    REQUIRE(SSL_key_update(talk.server, SSL_KEY_UPDATE_REQUESTED) == 1);
    talk.say("on");
    CHECK(talk.read() == "on");
    CHECK(talk.stream->write("well").outcome == Outcome::done);
    CHECK(talk.heard() == "well");
  }
}

TEST_CASE("a TLS stream: a handshake between two words of TLS 1.2 changes nothing else") {
  const auto server = local().server();
  SSL_CTX_set_max_proto_version(server.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(server.get(), SSL_OP_LEGACY_SERVER_CONNECT);
  Talk talk(context(), server.get());
  REQUIRE(talk.shake_hands() == Outcome::done);
  REQUIRE(SSL_renegotiate(talk.server) == 1);
  talk.serve();
  for (unsigned turns = 0; turns < 6; ++turns) {
    CHECK(talk.read().empty());
    CHECK(talk.heard().empty());
  }
  CHECK(SSL_num_renegotiations(talk.server) == 1);
  REQUIRE_FALSE(SSL_renegotiate_pending(talk.server));
  talk.say("on");
  CHECK(talk.read() == "on");
  CHECK(talk.stream->write("well").outcome == Outcome::done);
  CHECK(talk.heard() == "well");
}

TEST_CASE("a TLS stream: an end that is not announced is none") {
  Talk talk(context());
  REQUIRE(talk.shake_hands() == Outcome::done);
  talk.say("half");
  talk.hang_up();
  CHECK(talk.read() == "half");
  CHECK(talk.outcome_of_reading() == Outcome::broken);
  CHECK(talk.stream->why() == "it has closed the connection without a word");
  CHECK(talk.outcome_of_reading() == Outcome::broken);
  CHECK(talk.stream->write("more").outcome == Outcome::broken);
}

TEST_CASE("a TLS stream: an end is announced, by either side") {
  Talk talk(context());
  REQUIRE(talk.shake_hands() == Outcome::done);
  talk.say("all");
  SSL_shutdown(talk.server);
  CHECK(talk.read() == "all");
  CHECK(talk.outcome_of_reading() == Outcome::ended);
  talk.stream->close();
  talk.heard();
  CHECK((SSL_get_shutdown(talk.server) & SSL_RECEIVED_SHUTDOWN) != 0);
}

TEST_CASE("a TLS stream: a byte that somebody has changed breaks it, and the server is told") {
  Talk talk(context());
  REQUIRE(talk.shake_hands() == Outcome::done);
  talk.read();
  BIO* const kept = BIO_new(BIO_s_mem());
  SSL_set0_wbio(talk.server, kept);
  talk.say("answer");
  char* record = nullptr;
  const long size = BIO_get_mem_data(kept, &record);
  record[size - 1] ^= 1;
  REQUIRE(send(talk.sockets[1], record, static_cast<std::size_t>(size), MSG_NOSIGNAL) == size);
  CHECK(talk.outcome_of_reading() == Outcome::broken);
  CHECK_THAT(talk.stream->why(), Contains("bad record mac"));
  CHECK(talk.heard().empty());
  CHECK((SSL_get_shutdown(talk.server) & SSL_RECEIVED_SHUTDOWN) != 0);
}

TEST_CASE("a TLS stream: a server that takes nothing any more is read to its end") {
  Talk talk(context());
  REQUIRE(talk.shake_hands() == Outcome::done);
  talk.say("no");
  REQUIRE(shutdown(talk.sockets[1], SHUT_RD) == 0);
  const auto before = signal(SIGPIPE, SIG_DFL);  // which would end us
  CHECK(talk.stream->write("question").outcome == Outcome::broken);
  signal(SIGPIPE, before);
  CHECK(talk.stream->why() == "Broken pipe");
  CHECK_FALSE(talk.stream->wants_room());
  CHECK(talk.read() == "no");
  SSL_shutdown(talk.server);
  CHECK(talk.outcome_of_reading() == Outcome::ended);
}

TEST_CASE("a TLS stream: a server that wants to know who we are is shown it, or says so") {
  const Certificate ours({.names = "DNS:us", .by = &authority()});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    const auto server = local().server();
    SSL_CTX_set_max_proto_version(server.get(), version);
    authority().demand_of_clients(server.get());
    Talk unknown(context(), server.get());
    // In TLS 1.3 a client has shaken hands before the server has looked.
    const Outcome outcome = unknown.shake_hands();
    CHECK(outcome == (version == TLS1_3_VERSION ? Outcome::done : Outcome::broken));
    if (outcome == Outcome::done) CHECK(unknown.outcome_of_reading() == Outcome::broken);
    CHECK_THAT(unknown.stream->why(), Contains("alert"));

    Tls tls = believing(authority());
    tls.certificate = ours.file();
    tls.key = ours.key_file();
    Talk known(TlsContext::make(tls, "localhost", false), server.get());
    CHECK(known.shake_hands() == Outcome::done);
    CHECK(known.stream->write("it is me").outcome == Outcome::done);
    CHECK(known.heard() == "it is me");
  }
}

TEST_CASE("a TLS context: without our certificate as it is configured there is none, and it is old when that changes") {
  const Certificate ours({.names = "DNS:us", .by = &authority()}), another({.names = "DNS:us", .by = &authority()});
  Tls tls = believing(authority());
  tls.certificate = ours.folder().path("both.pem");
  CHECK_FALSE(TlsContext::make(tls, "localhost", false));
  ours.folder().put("both.pem", ours.pem() + ours.folder().get("key.pem"));
  const TlsContextPtr made = TlsContext::make(tls, "localhost", false);
  REQUIRE(made);
  CHECK_FALSE(made->is_old());
  ours.folder().put("next.pem", another.pem() + another.folder().get("key.pem"));
  std::filesystem::rename(ours.folder().path("next.pem"), tls.certificate);
  CHECK(made->is_old());
  CHECK_FALSE(TlsContext::make(tls, "localhost", false)->is_old());
  tls.key = ours.key_file();  // of another certificate
  CHECK_FALSE(TlsContext::make(tls, "localhost", false));
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a TLS stream: an error is of its own session alone") {
  Talk good(context()), bad(context("other.example"));
  REQUIRE(good.shake_hands() == Outcome::done);
  CHECK(bad.shake_hands() == Outcome::broken);
  CHECK(ERR_peek_error() == 0);
  ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);  // as somebody on this thread may leave it
  CHECK(good.read().empty());
  ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
  CHECK(good.stream->write("on").outcome == Outcome::done);
  CHECK(good.heard() == "on");
}
