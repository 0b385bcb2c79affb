#include "client/net/tls.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "client/limits.h"
#include "client/net/private_file.h"

namespace collet::client {
namespace {

std::string next_path() {
  static std::atomic<unsigned> last{0};
  return "/dev/null/" + std::to_string(++last);
}

// The certificates and lists of revoked ones that can be read; what cannot is left out.
void add_all(X509_STORE* store, const std::string& pem) {
  BIO* const bytes = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  STACK_OF(X509_INFO)* const found = bytes ? PEM_X509_INFO_read_bio(bytes, nullptr, nullptr, nullptr) : nullptr;
  for (int i = 0; i < sk_X509_INFO_num(found); ++i) {
    const X509_INFO* const each = sk_X509_INFO_value(found, i);
    if (each->x509) X509_STORE_add_cert(store, each->x509);
    if (each->crl) X509_STORE_add_crl(store, each->crl);
  }
  sk_X509_INFO_pop_free(found, X509_INFO_free);
  BIO_free(bytes);
}

// The first of these variables that is set; empty: none.
std::string variable(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* value = std::getenv(name); value && *value) return value;
  }
  return {};
}

// Where libcurl was built to find authorities; empty: nowhere.
std::string system_place(CURLINFO what) {
  CURL* const easy = curl_easy_init();
  char* path = nullptr;
  curl_easy_getinfo(easy, what, &path);
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

Authorities::Authorities(std::string pem, std::string directory)
    : pem_(std::move(pem)), directory_(std::move(directory)), path_(next_path()) {}

Authorities::~Authorities() { X509_STORE_free(store_); }

X509_STORE* Authorities::store() const {
  std::call_once(parsed_, [this] {
    X509_STORE* const store = X509_STORE_new();
    if (!store) return;
    X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);  // as libcurl has it
    add_all(store, pem_);
    if (!directory_.empty()) X509_STORE_load_path(store, directory_.c_str());
    ERR_clear_error();  // else the next word of TLS on this thread would be taken for a failure
    store_ = store;
  });
  return store_;
}

Result<TlsPtr> read_tls(const TlsFiles& files) {
  std::string pem, directory;
  std::string usual = variable({"CURL_CA_BUNDLE", "SSL_CERT_FILE"});
  if (usual.empty()) {
    usual = system_place(CURLINFO_CAINFO);
    if (access(usual.c_str(), R_OK) != 0) usual.clear();
    if (usual.empty()) directory = system_place(CURLINFO_CAPATH);
  }
  for (const std::string& file : {usual, variable({"NODE_EXTRA_CA_CERTS"}), files.ca}) {
    if (file.empty()) continue;
    if (Result<void> read = append_authorities(pem, file); !read) return read.failure();
  }
  auto authorities = std::make_shared<const Authorities>(std::move(pem), std::move(directory));
  return TlsPtr(std::make_shared<const Tls>(Tls{std::move(authorities), files.certificate, files.key}));
}

}  // namespace collet::client
