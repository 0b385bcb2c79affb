#include "client/net/tls.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

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

// How many certificates that is; negative: one of its parts cannot be read, or there is no memory for it. With a store, they
// are added to it.
int take_certificates(const std::string& pem, X509_STORE* store) {
  BIO* const bytes = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  STACK_OF(X509_INFO)* const parts = bytes ? PEM_X509_INFO_read_bio(bytes, nullptr, nullptr, nullptr) : nullptr;
  int count = parts ? 0 : -1;
  for (int i = 0; i < sk_X509_INFO_num(parts) && count >= 0; ++i) {
    X509* const certificate = sk_X509_INFO_value(parts, i)->x509;
    if (!certificate) continue;
    count = !store || X509_STORE_add_cert(store, certificate) == 1 ? count + 1 : -1;
  }
  sk_X509_INFO_pop_free(parts, X509_INFO_free);
  BIO_free(bytes);
  ERR_clear_error();  // else the next word of TLS on this thread would be taken for a failure
  return count;
}

// The first of these variables that is set; empty: none.
std::string variable(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* value = std::getenv(name); value && *value) return value;
  }
  return {};
}

std::string in_place_of_systems() { return variable({"CURL_CA_BUNDLE", "SSL_CERT_FILE"}); }

// Where libcurl was built to find authorities; empty: nowhere.
struct SystemPlaces {
  SystemPlaces() {
    CURL* const easy = curl_easy_init();
    const auto ask = [easy](CURLINFO what) {
      char* path = nullptr;
      curl_easy_getinfo(easy, what, &path);
      return std::string(path ? path : "");
    };
    file = ask(CURLINFO_CAINFO);
    directory = ask(CURLINFO_CAPATH);
    curl_easy_cleanup(easy);
  }
  std::string file, directory;
};

const SystemPlaces& system_places() {
  static const SystemPlaces places;
  return places;
}

Result<void> append_authorities(std::string& out, const std::string& file) {
  Result<std::string> pem = read_secret(file, limits::kAuthoritiesBytesMax);
  if (!pem) return pem.failure();
  const int count = take_certificates(*pem, nullptr);
  if (count < 0) return Error{"reading " + file + ": it has a certificate that cannot be read"};
  if (count == 0) return Error{"reading " + file + ": it has no certificate in PEM"};
  out += *pem + "\n";
  return {};
}

}  // namespace

bool is_same_file(const struct stat& one, const struct stat& other) {
  return one.st_ino == other.st_ino && one.st_size == other.st_size && one.st_mtim.tv_sec == other.st_mtim.tv_sec &&
         one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
}

Authorities::Authorities(std::string pem, bool with_systems)
    : pem_(std::move(pem)), with_systems_(with_systems), path_(next_path()) {}

Authorities::~Authorities() { X509_STORE_free(store_); }

X509_STORE* Authorities::store() const {
  if (store_ && !is_old()) return store_;
  X509_STORE_free(store_);  // which connections under way have a share in
  return store_ = parse();
}

const std::string& Authorities::file() const {
  static const std::string none;
  return with_systems_ ? system_places().file : none;
}

bool Authorities::is_old() const {
  struct stat now = {};
  return with_systems_ && stat(system_places().file.c_str(), &now) == 0 && !is_same_file(now, parsed_);
}

X509_STORE* Authorities::parse() const {
  X509_STORE* const store = X509_STORE_new();
  if (!store) return nullptr;
  X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);  // as libcurl has it
  const auto& [file, directory] = system_places();
  if (with_systems_ && file.empty() && directory.empty()) X509_STORE_set_default_paths(store);
  if (with_systems_ && !file.empty()) {
    stat(file.c_str(), &parsed_);  // before it is read: what changes meanwhile is read once more
    X509_STORE_load_file(store, file.c_str());
  }
  if (with_systems_ && !directory.empty()) X509_STORE_load_path(store, directory.c_str());
  const int own = take_certificates(pem_, store);
  if (own >= 0 || pem_.empty()) return store;
  X509_STORE_free(store);
  return nullptr;
}

Result<TlsPtr> read_tls(const TlsFiles& files) {
  std::string pem;
  const std::string instead = in_place_of_systems();
  for (const std::string& file : {instead, variable({"NODE_EXTRA_CA_CERTS"}), files.ca}) {
    if (file.empty()) continue;
    if (Result<void> read = append_authorities(pem, file); !read) return read.failure();
  }
  auto authorities = std::make_shared<const Authorities>(std::move(pem), instead.empty());
  return TlsPtr(std::make_shared<const Tls>(Tls{std::move(authorities), files.certificate, files.key}));
}

TlsPtr tls_without_files() {
  auto authorities = std::make_shared<const Authorities>(std::string(), in_place_of_systems().empty());
  return std::make_shared<const Tls>(Tls{std::move(authorities), {}, {}});
}

}  // namespace collet::client
