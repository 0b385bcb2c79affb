// Certificates and servers of TLS, made in the test.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "plugins/temporary_directory.h"

// One with its key, in memory and in files.
class Certificate {
 public:
  struct Terms {
    std::string names;               // such as "DNS:a.example,IP:127.0.0.1"; empty: an authority's
    const Certificate* by = nullptr;  // null: itself
    long seconds = 7200;             // for which it holds, from an hour ago
    std::string subject = "somebody";
  };

  explicit Certificate(const Terms& terms) : key_(EVP_EC_gen("P-256")), x509_(X509_new()) {
    static long serial = 0;
    X509_set_version(x509_, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509_), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x509_), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509_), terms.seconds - 3600);
    X509_set_pubkey(x509_, key_);
    const Certificate& by = terms.by ? *terms.by : *this;
    X509_NAME* const name = X509_get_subject_name(x509_);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(terms.subject.c_str()), -1, -1, 0);
    X509_set_issuer_name(x509_, X509_get_subject_name(by.x509_));
    if (terms.names.empty()) {
      extend(NID_basic_constraints, "critical,CA:TRUE");
    } else if (terms.names != "none") {
      extend(NID_subject_alt_name, terms.names);
    }
    if (X509_sign(x509_, by.key_, EVP_sha256()) == 0) throw std::runtime_error("cannot sign");
    write("certificate.pem", [this](FILE* file) { PEM_write_X509(file, x509_); });
    write("key.pem", [this](FILE* file) { PEM_write_PrivateKey(file, key_, nullptr, nullptr, 0, nullptr, nullptr); });
  }
  ~Certificate() {
    X509_free(x509_);
    EVP_PKEY_free(key_);
  }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  std::string pem() const { return folder_.get("certificate.pem"); }
  std::string file() const { return folder_.path("certificate.pem"); }
  std::string key_file() const { return folder_.path("key.pem"); }
  const TemporaryDirectory& folder() const { return folder_; }

  // A server's context, for any protocol that the test then sets.
  std::shared_ptr<SSL_CTX> server() const {
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX_use_certificate(context.get(), x509_);
    SSL_CTX_use_PrivateKey(context.get(), key_);
    return context;
  }
  // Has its clients show a certificate of this authority.
  void demand_of_clients(SSL_CTX* server) const {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(server), x509_);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }

 private:
  void extend(int kind, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    X509_add_ext(x509_, extension, -1);
    X509_EXTENSION_free(extension);
  }
  template <class Write>
  void write(const char* name, Write&& by) {
    FILE* const file = std::fopen(folder_.path(name).c_str(), "w");
    by(file);
    std::fclose(file);
  }

  const TemporaryDirectory folder_;
  EVP_PKEY* const key_;
  X509* const x509_;
};
