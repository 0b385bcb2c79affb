// Whom we believe to be who they say in TLS, and how we prove who we are.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>

#include "client/net/result.h"

struct x509_store_st;  // OpenSSL's X509_STORE

namespace collet::client {

// Whether a file has not changed between two looks at it.
bool is_same_file(const struct stat& one, const struct stat& other);

// Certificate authorities, parsed once for many connections: those of a system take fifty times as long as a handshake. Of the
// client's thread.
class Authorities {
 public:
  // None: nobody is believed.
  Authorities() : Authorities({}, false) {}
  // Those of `pem`, and those of the system, where libcurl was built to find them.
  Authorities(std::string pem, bool with_systems);
  ~Authorities();
  Authorities(const Authorities&) = delete;
  Authorities& operator=(const Authorities&) = delete;

  // Parses them at the first call, and when the system's have changed. Null: there is no memory for them. Until the next call.
  // Who takes a share in it may use it on any thread: nothing is added to it, and OpenSSL locks what it notes.
  x509_store_st* store() const;
  // [any thread] Of the system's, which may change; empty: there is none.
  const std::string& file() const;
  // Names no directory that there is. No other authorities have the same.
  const std::string& path() const { return path_; }

 private:
  x509_store_st* parse() const;
  bool is_old() const;

  const std::string pem_;
  const bool with_systems_;
  const std::string path_;
  mutable x509_store_st* store_ = nullptr;
  mutable struct stat parsed_ = {};  // of the system's file
};

struct Tls {
  std::shared_ptr<const Authorities> authorities = std::make_shared<const Authorities>();  // not null
  std::string certificate;  // ours: a file, PEM; empty: none
  std::string key;          // a file, PEM; empty: it is in that of the certificate
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
// What is left where that fails: the system's authorities, or nobody if a variable names others in their place.
TlsPtr tls_without_files();

}  // namespace collet::client
