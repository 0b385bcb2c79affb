#include "client/net/tls.h"

#include <curl/curl.h>

#include <cstdlib>
#include <initializer_list>

#include "client/limits.h"
#include "client/net/private_file.h"

namespace collet::client {
namespace {

// The first of these variables that is set; empty: none.
std::string variable(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* value = std::getenv(name); value && *value) return value;
  }
  return {};
}

// The file that libcurl was built to use; empty: none.
std::string system_authorities() {
  CURL* const easy = curl_easy_init();
  char* path = nullptr;
  curl_easy_getinfo(easy, CURLINFO_CAINFO, &path);
  std::string out(path ? path : "");
  curl_easy_cleanup(easy);
  return out;
}

Result<void> append_authorities(std::string& out, const std::string& file) {
  Result<std::string> pem = read_secret(file, limits::kAuthoritiesBytesMax);
  if (!pem) return pem.failure();
  if (pem->find("-----BEGIN ") == pem->npos) return Error{"reading " + file + ": it has no certificate in PEM"};
  out += *pem + "\n";
  return {};
}

}  // namespace

Result<TlsPtr> read_tls(const TlsFiles& files) {
  Tls tls{.authorities = {}, .certificate = files.certificate, .key = files.key};
  const std::string instead = variable({"CURL_CA_BUNDLE", "SSL_CERT_FILE"});
  const std::string besides = variable({"NODE_EXTRA_CA_CERTS"});
  if (!instead.empty() || !besides.empty() || !files.ca.empty()) {
    const std::string usual = instead.empty() ? system_authorities() : instead;
    for (const std::string& file : {usual, besides, files.ca}) {
      if (file.empty()) continue;
      if (Result<void> read = append_authorities(tls.authorities, file); !read) return read.failure();
    }
  }
  return TlsPtr(std::make_shared<const Tls>(std::move(tls)));
}

}  // namespace collet::client
