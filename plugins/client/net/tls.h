// Whom we believe to be who they say in TLS, and how we prove who we are.
#pragma once

#include <memory>
#include <string>

#include "client/net/result.h"

namespace collet::client {

struct Tls {
  std::string authorities;  // PEM, all of them; empty: those that libcurl has by itself
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

}  // namespace collet::client
