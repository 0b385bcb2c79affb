// TLS 1.2 and 1.3, server side, between byte buffers: no I/O here.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;
struct bio_st;

namespace collet::transport {

// A certificate chain and its key, as OpenSSL wants them, from files that may change. Any thread.
class TlsContext {
 public:
  static Result<std::shared_ptr<TlsContext>> load(const std::string& certificate_file, const std::string& key_file);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // For connections that come from now on; a failure leaves what there is. With it the keys of session tickets change.
  Result<void> renew();
  // Renewed first if it is old, so that nobody can keep the key of a ticket for long.
  std::shared_ptr<ssl_ctx_st> current();

 private:
  TlsContext(std::string certificate_file, std::string key_file)
      : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

  const std::string certificate_file_;
  const std::string key_file_;
  std::mutex mutex_;  // guards the two below
  std::shared_ptr<ssl_ctx_st> context_;
  std::chrono::steady_clock::time_point old_at_;
};

// One connection's state. After each call of receive(), decrypt(), encrypt() or close(), take_output() holds what
// is to be sent.
class TlsSession {
 public:
  explicit TlsSession(TlsContext& context);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Bytes from the peer.
  void receive(std::string_view ciphertext);

  // Goes on with the handshake, then decrypts into `to`. How many bytes it became; 0: more must be received; -1:
  // the peer has closed, or is not to be trusted (then why() says so).
  int decrypt(char* to, std::size_t size);
  bool established() const;

  void encrypt(std::string_view plaintext);
  void close();

  // Appends what is to be sent to the peer.
  void take_output(std::string& out);

  const std::string& why() const { return why_; }

 private:
  bool has_read_all() const;

  ssl_st* session_;
  bio_st* from_peer_;  // owned by session_, as is the next
  bio_st* to_peer_;
  std::string why_;
};

}  // namespace collet::transport
