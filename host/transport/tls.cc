#include "transport/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "base/log.h"
#include "transport/http.h"

namespace collet::transport {
namespace {

// Those of whoever has asked OpenSSL for something on this thread before. To clear its queue takes longer than to look there.
void forget_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

// OpenSSL's words for its last errors; empties its queue.
std::string openssl_errors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(code, line, sizeof(line));
    if (!text.empty()) text += "; ";
    text += line;
  }
  return text;
}

int select_http_1_1(SSL*, const unsigned char** out, unsigned char* out_bytes, const unsigned char* in,
                    unsigned in_bytes, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  const int outcome = SSL_select_next_proto(&selected, out_bytes, kOurs, sizeof(kOurs) - 1, in, in_bytes);
  *out = selected;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

constexpr std::chrono::hours kRenewAfter{12};

// With TLS 1.2 as with TLS 1.3: keys that are forgotten, and ciphers that authenticate what they encrypt.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

Result<std::shared_ptr<ssl_ctx_st>> read_files(const std::string& certificate_file, const std::string& key_file) {
  ERR_clear_error();
  const std::shared_ptr<ssl_ctx_st> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* raw = context.get();
  COLLET_ASSERT(raw);
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  COLLET_ASSERT(SSL_CTX_set_cipher_list(raw, kCiphers) == 1);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_alpn_select_cb(raw, select_http_1_1, nullptr);
  if (SSL_CTX_use_certificate_chain_file(raw, certificate_file.c_str()) != 1) {
    return error("cannot load the TLS certificate {}: {}; it must be a PEM file that begins with the server's own",
                 certificate_file, openssl_errors());
  }
  if (SSL_CTX_use_PrivateKey_file(raw, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return error(
        "cannot load the TLS key {}: {}; it must be a PEM file without a passphrase, of the certificate {}",
        key_file, openssl_errors(), certificate_file);
  }
  if (SSL_CTX_check_private_key(raw) != 1)
    return error("the TLS key {} does not belong to the certificate {}", key_file, certificate_file);
  return context;
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::load(const std::string& certificate_file,
                                                     const std::string& key_file) {
  std::shared_ptr<TlsContext> context(new TlsContext(certificate_file, key_file));
  if (auto read = context->renew(); !read) return read.failure();
  return context;
}

Result<void> TlsContext::renew() {
  auto read = read_files(certificate_file_, key_file_);
  const std::lock_guard lock(mutex_);
  old_at_ = std::chrono::steady_clock::now() + kRenewAfter;
  if (!read) return read.failure();
  context_ = std::move(*read);
  return {};
}

std::shared_ptr<ssl_ctx_st> TlsContext::current() {
  const auto is_old = [this] {
    const std::lock_guard lock(mutex_);
    return std::chrono::steady_clock::now() >= old_at_;
  };
  if (is_old()) {
    if (const auto renewed = renew(); !renewed) log::warning("TLS goes on as it was: {}", renewed.message());
  }
  const std::lock_guard lock(mutex_);
  return context_;
}

Result<std::shared_ptr<TlsContext>> load_tls(const std::string& certificate_file,
                                                   const std::string& key_file) {
  return TlsContext::load(certificate_file, key_file);
}

Result<void> renew_tls(TlsContext& context) { return context.renew(); }

TlsSession::TlsSession(TlsContext& context)
    : session_(SSL_new(context.current().get())), from_peer_(BIO_new(BIO_s_mem())), to_peer_(BIO_new(BIO_s_mem())) {
  COLLET_ASSERT(session_ && from_peer_ && to_peer_);
  SSL_set_bio(session_, from_peer_, to_peer_);
  SSL_set_accept_state(session_);
}

TlsSession::~TlsSession() { SSL_free(session_); }

void TlsSession::receive(std::string_view ciphertext) {
  BIO_write(from_peer_, ciphertext.data(), static_cast<int>(ciphertext.size()));
}

int TlsSession::decrypt(char* to, std::size_t size) {
  if (has_read_all()) return 0;
  forget_errors();
  const int wanted = static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
  const int bytes = SSL_read(session_, to, wanted);
  if (bytes > 0) return bytes;
  switch (SSL_get_error(session_, bytes)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return 0;
    case SSL_ERROR_ZERO_RETURN:
      return -1;
    default:
      why_ = openssl_errors();
      return -1;
  }
}

// OpenSSL would find that out, too, but takes memory for the next record first.
bool TlsSession::has_read_all() const {
  return established() && BIO_pending(from_peer_) == 0 && !SSL_has_pending(session_) && SSL_get_shutdown(session_) == 0;
}

bool TlsSession::established() const { return SSL_is_init_finished(session_) != 0; }

void TlsSession::encrypt(std::string_view plaintext) {
  forget_errors();
  while (!plaintext.empty()) {
    const int piece = static_cast<int>(std::min<std::size_t>(plaintext.size(), 1u << 30));
    // Fails only if the session has failed before: then the connection is about to close.
    if (SSL_write(session_, plaintext.data(), piece) != piece) return;
    plaintext.remove_prefix(static_cast<std::size_t>(piece));
  }
}

void TlsSession::close() {
  forget_errors();
  if (established()) SSL_shutdown(session_);
}

void TlsSession::take_output(std::string& out) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(to_peer_, &bytes);
  if (size <= 0) return;
  out.append(bytes, static_cast<std::size_t>(size));
  (void)BIO_reset(to_peer_);
}

}  // namespace collet::transport
