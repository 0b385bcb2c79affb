// Whom we believe to be who they say in TLS, and how we prove who we are.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "client/net/result.h"

struct x509_store_st;  // OpenSSL's X509_STORE

namespace collet::client {

// Certificate authorities, parsed once for all connections: those of a system take fifty times as long as a handshake.
// Any thread.
class Authorities {
 public:
  // Of `pem`, and of a directory as c_rehash(1) makes one; both may be empty.
  explicit Authorities(std::string pem, std::string directory = {});
  ~Authorities();
  Authorities(const Authorities&) = delete;
  Authorities& operator=(const Authorities&) = delete;

  // Parses at the first call. Null: there is no memory for them. Lives as long as this.
  x509_store_st* store() const;
  // Of a directory that is nowhere, and of no other authorities.
  const std::string& path() const { return path_; }

 private:
  std::string pem_;
  const std::string directory_;
  const std::string path_;
  mutable std::once_flag parsed_;
  mutable x509_store_st* store_ = nullptr;
};
using AuthoritiesPtr = std::shared_ptr<const Authorities>;

struct Tls {
  AuthoritiesPtr authorities;  // null: nobody is believed
  std::string certificate;     // ours: a file, PEM; empty: none
  std::string key;             // a file, PEM; empty: it is in that of the certificate
};
using TlsPtr = std::shared_ptr<const Tls>;  // shared by the requests under way; null: as all others are

struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;

  bool any() const { return !ca.empty() || !certificate.empty() || !key.empty(); }
};

// The usual authorities and those of `ca`. The usual ones are the system's, or those of the file that
// CURL_CA_BUNDLE or SSL_CERT_FILE names, and those of NODE_EXTRA_CA_CERTS. A failure names the file.
Result<TlsPtr> read_tls(const TlsFiles& files);

}  // namespace collet::client
