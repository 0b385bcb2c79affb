// What TLS connections of the host's loops to one remote share: whom they believe, whom they ask for, and who we are.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "client/net/tls.h"

struct ssl_ctx_st;      // OpenSSL's SSL_CTX
struct ssl_st;          // SSL
struct ssl_session_st;  // SSL_SESSION

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

  // A session of a new connection, which is the caller's, and goes on where one before has ended, if there is one; null:
  // there is no memory for it. This must outlive it.
  ssl_st* begin();
  // After the handshake: keeps what the next connection can go on with, and says what is wrong; null: nothing.
  const char* check(ssl_st* session);
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
  static int on_session(ssl_st* of, ssl_session_st* session);
  void keep(ssl_session_st* session);
  ssl_session_st* take();

  const bool must_agree_;
  ssl_ctx_st* context_ = nullptr;
  std::string name_;  // that is asked for; empty: an address has none
  std::vector<File> files_;
  std::mutex mutex_;                       // guards the one below
  std::vector<ssl_session_st*> sessions_;  // that have ended, and can be gone on with once each; the last one is the newest
};

}  // namespace collet::client
