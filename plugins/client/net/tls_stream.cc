#include "client/net/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

namespace collet::client {
namespace {

struct FreedMethod {
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

int openssl_size(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

bool is_for_now(int problem) { return problem == EAGAIN || problem == EINTR; }

// Why the certificate is not believed, or what else OpenSSL says.
std::string words_of(SSL* session) {
  if (const long verified = SSL_get_verify_result(session); verified != X509_V_OK) {
    return std::string("its certificate is not believed: ") + X509_verify_cert_error_string(verified);
  }
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  return reason ? reason : "TLS has failed";
}

}  // namespace

// OpenSSL's own would raise SIGPIPE.
const BIO_METHOD* TlsStream::socket_method() {
  static const std::unique_ptr<BIO_METHOD, FreedMethod> kMethod = [] {
    std::unique_ptr<BIO_METHOD, FreedMethod> method(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "a socket without signals"));
    if (method) {
      BIO_meth_set_write(method.get(), on_write);
      BIO_meth_set_read(method.get(), on_read);
      BIO_meth_set_ctrl(method.get(), on_control);
    }
    return method;
  }();
  return kMethod.get();
}

// A socket that takes nothing any more may still have something to read: of that OpenSSL is told that there is no room, since
// it would give up reading, too.
int TlsStream::on_write(BIO* bio, const char* bytes, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t now = send(self.socket_, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (now >= 0) {
    self.sent_ += static_cast<std::size_t>(now);
    return static_cast<int>(now);
  }
  if (!is_for_now(errno)) self.writing_problem_ = errno;
  BIO_set_retry_write(bio);
  return -1;
}

int TlsStream::on_read(BIO* bio, char* to, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t got = recv(self.socket_, to, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (got > 0) return static_cast<int>(got);
  if (got < 0 && is_for_now(errno)) {
    BIO_set_retry_read(bio);
    return -1;
  }
  self.at_end_ = true;
  if (got < 0) self.reading_problem_ = errno;
  return got < 0 ? -1 : 0;
}

long TlsStream::on_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return static_cast<TlsStream*>(BIO_get_data(bio))->at_end_;
  return command == BIO_CTRL_FLUSH;
}

TlsStream::TlsStream(int socket, TlsContextPtr context) : socket_(socket), context_(std::move(context)) {
  const BIO_METHOD* const method = socket_method();
  BIO* const bio = method ? BIO_new(method) : nullptr;
  session_ = bio ? context_->begin() : nullptr;
  if (!session_) {
    BIO_free(bio);
    return;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(session_, bio, bio);
}

TlsStream::~TlsStream() { SSL_free(session_); }

ByteStream::Outcome TlsStream::fail(std::string why) {
  failed_ = true;
  why_ = std::move(why);
  ERR_clear_error();  // it is another session's turn
  return Outcome::broken;
}

ByteStream::Outcome TlsStream::outcome_of(int result, bool& wants_room) {
  const int problem = SSL_get_error(session_, result);
  wants_room = problem == SSL_ERROR_WANT_WRITE && writing_problem_ == 0;
  if (wants_room || problem == SSL_ERROR_WANT_READ) return Outcome::waits;
  if (problem == SSL_ERROR_ZERO_RETURN) return Outcome::ended;
  if (problem == SSL_ERROR_WANT_WRITE) {
    why_ = std::strerror(writing_problem_);
    return Outcome::broken;
  }
  if (!at_end_) return fail(words_of(session_));
  return fail(reading_problem_ ? std::strerror(reading_problem_) : "it has closed the connection without a word");
}

ByteStream::Outcome TlsStream::open() {
  if (!session_) return fail("there is no memory for TLS");
  ERR_clear_error();
  if (const int result = SSL_do_handshake(session_); result != 1) {
    const Outcome outcome = outcome_of(result, writing_wants_room_);
    return outcome == Outcome::ended ? fail("it has ended TLS before it began") : outcome;
  }
  writing_wants_room_ = false;
  const char* const wrong = context_->check(session_);
  return wrong ? fail(wrong) : Outcome::done;
}

ByteStream::Moved TlsStream::write(std::string_view bytes) {
  Moved moved{Outcome::done};
  if (failed_) return {Outcome::broken};
  writing_wants_room_ = false;
  while (moved.bytes < bytes.size() && moved.outcome == Outcome::done) {
    ERR_clear_error();
    const int now = SSL_write(session_, bytes.data() + moved.bytes, openssl_size(bytes.size() - moved.bytes));
    if (now > 0) {
      moved.bytes += static_cast<std::size_t>(now);
    } else {
      moved.outcome = outcome_of(now, writing_wants_room_);
    }
  }
  return moved;
}

ByteStream::Moved TlsStream::read(char* to, std::size_t size) {
  if (failed_) return {Outcome::broken};
  reading_wants_room_ = false;
  ERR_clear_error();
  const int got = SSL_read(session_, to, openssl_size(size));
  if (got > 0) return {Outcome::done, static_cast<std::size_t>(got)};
  return {outcome_of(got, reading_wants_room_)};
}

void TlsStream::close() {
  if (!session_ || failed_ || !SSL_is_init_finished(session_)) return;
  ERR_clear_error();
  SSL_shutdown(session_);
  ERR_clear_error();
}

}  // namespace collet::client
