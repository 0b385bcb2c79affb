#include "client/net/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <iterator>
#include <string_view>

#include "client/limits.h"

namespace collet::client {
namespace {

constexpr std::string_view kAlpn = "\x08http/1.1";

bool is_address(const std::string& host) {
  in6_addr bytes;
  return inet_pton(AF_INET, host.c_str(), &bytes) == 1 || inet_pton(AF_INET6, host.c_str(), &bytes) == 1;
}

// OpenSSL would ask for a passphrase at the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

}  // namespace

TlsContextPtr TlsContext::make(const Tls& tls, const std::string& host, bool must_agree) {
  const TlsContextPtr made(new TlsContext(must_agree));
  const bool good = made->set_up(tls, host);
  ERR_clear_error();  // else the next word of TLS on this thread would be taken for a failure
  return good ? made : nullptr;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

// As libcurl has it.
bool TlsContext::set_up(const Tls& tls, const std::string& host) {
  note_file(tls.authorities->file());  // before it is read: what changes meanwhile makes it old
  X509_STORE* const store = tls.authorities->store();
  context_ = SSL_CTX_new(TLS_client_method());
  if (!store || !context_) return false;
  SSL_CTX_set1_cert_store(context_, store);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  return SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_alpn_protos(context_, reinterpret_cast<const unsigned char*>(kAlpn.data()),
                                 static_cast<unsigned>(kAlpn.size())) == 0 &&
         set_host(host) && set_certificate(tls);
}

// A certificate is for the names that it has as alternatives, and never for what its subject is called.
bool TlsContext::set_host(const std::string& host) {
  X509_VERIFY_PARAM* const wanted = SSL_CTX_get0_param(context_);
  const bool bracketed = host.starts_with('[');
  const std::string plain = bracketed ? host.substr(1, host.size() - 2) : host;
  if (is_address(plain)) return X509_VERIFY_PARAM_set1_ip_asc(wanted, plain.c_str()) == 1;
  name_ = plain.substr(0, plain.size() - plain.ends_with('.'));
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return !name_.empty() && X509_VERIFY_PARAM_set1_host(wanted, name_.c_str(), name_.size()) == 1;
}

bool TlsContext::set_certificate(const Tls& tls) {
  if (tls.certificate.empty()) return true;
  const std::string& key = tls.key.empty() ? tls.certificate : tls.key;
  note_file(tls.certificate);
  note_file(key);
  SSL_CTX_set_default_passwd_cb(context_, no_passphrase);
  return SSL_CTX_use_certificate_chain_file(context_, tls.certificate.c_str()) == 1 &&
         SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM) == 1;
}

void TlsContext::note_file(const std::string& path) {
  if (path.empty()) return;
  File file{path};
  stat(path.c_str(), &file.was);
  files_.push_back(std::move(file));
}

bool TlsContext::is_old() const {
  for (const File& file : files_) {
    struct stat now = {};
    stat(file.path.c_str(), &now);
    if (!is_same_file(now, file.was)) return true;
  }
  return false;
}

SSL* TlsContext::begin() {
  SSL* const session = SSL_new(context_);
  if (!session) return nullptr;
  SSL_set_connect_state(session);
  if (!name_.empty()) SSL_set_tlsext_host_name(session, name_.c_str());
  return session;
}

const char* TlsContext::check(SSL* session) const {
  const unsigned char* bytes = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(session, &bytes, &size);
  const std::string_view chosen(reinterpret_cast<const char*>(bytes), size);
  if (chosen.empty() ? must_agree_ : chosen != kAlpn.substr(1)) return "it does not say that it speaks HTTP/1.1";
  return nullptr;
}

}  // namespace collet::client
