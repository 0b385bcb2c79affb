// What TLS connections of the host's loops to one remote share: whom they believe, whom they ask for, and who we are.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/net/tls.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX
struct ssl_st;      // SSL

namespace collet::client {

class TlsContext;
using TlsContextPtr = std::shared_ptr<TlsContext>;

// [any thread], but where it is made.
class TlsContext {
 public:
  // [client's thread] For connections to a host, as Url has it. With `must_agree` the server has to say that it speaks
  // HTTP/1.1; else it may say nothing. Null: libcurl is to do it, and to say what is wrong.
  static TlsContextPtr make(const Tls& tls, const std::string& host, bool must_agree);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // The session of a new connection, which is the caller's; null: there is no memory for it. This must outlive it.
  ssl_st* begin();
  // After the handshake: what is wrong; null: nothing.
  const char* check(ssl_st* session) const;
  // Whether a file that it was made from has changed: new connections need a new one.
  bool is_old() const;

 private:
  struct File {
    std::string path;
    struct stat was = {};
  };

  TlsContext(bool must_agree) : must_agree_(must_agree) {}
  bool set_up(const Tls& tls, const std::string& host);
  bool set_host(const std::string& host);
  bool set_certificate(const Tls& tls);
  void note_file(const std::string& path);

  const bool must_agree_;
  ssl_ctx_st* context_ = nullptr;
  std::string name_;  // that is asked for; empty: an address has none
  std::vector<File> files_;
};

}  // namespace collet::client
