// One exchange on its way: its request, hop after hop, and what has come of the answer. Only Engine uses it.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fetch/engine.h"
#include "fetch/head_reader.h"

namespace collet::fetch {

// Of its loop. libcurl's callbacks for it only note what has come.
class Transfer {
 public:
  using Clock = std::chrono::steady_clock;

  // What all of an engine share: borrowed.
  struct Shared {
    EngineOptions options;
    std::vector<std::uint64_t> dirty;      // transfers with something to be told or done
    std::set<curl_socket_t> connections;  // that are open
  };
  // The sink is borrowed.
  Transfer(std::uint64_t id, Request request, Sink& sink, Shared& shared);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  std::uint64_t id() const { return id_; }
  Sink& sink() const { return sink_; }
  bool begun() const { return begun_; }
  void mark();
  void unmark() { dirty_ = false; }

  // The first hop, or the one that the answer leads to. Nothing, or how it has ended instead.
  std::optional<End> next_hop();
  // The connection that it was given cannot be used: this hop is to be set up once more. Asked when it is done.
  bool needs_another_connection() const { return is_spoilt_; }
  // `easy` is fresh, and sends this hop.
  void set_up(CURL* easy);
  CURL* easy() const { return easy_; }
  // The handle, which is another's from now on. end() is as it was.
  CURL* release();
  // libcurl is done with this hop.
  void note_done(CURLcode code);
  bool is_done() const { return done_; }
  // The connection that it had last is about to be closed.
  void note_closing(curl_socket_t socket);
  // Whether its answer leads on. Asked when it is done.
  bool leads_on() const { return !location_.empty(); }

  // What the sink is to be told, once.
  std::optional<Head> take_head();
  std::string take_body();
  End end() const;

  // Whether libcurl has a thread look a name up for it.
  bool is_looking_up() const { return easy_ && !done_ && !reached_ && !is_address_; }

  // Returns whether libcurl is to read on.
  bool taken(std::size_t bytes);
  void resume();

 private:
  static std::size_t on_header_line(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body_bytes(char* bytes, std::size_t size, std::size_t count, void* self);
  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_ready_to_send(void* self, char* ip, char* own_ip, int port, int own_port);

  void set_method();
  void set_fields();
  void on_head();
  std::size_t take_bytes(std::string_view bytes);
  bool may_connect(const std::string& address);
  bool is_spoilt(std::uint16_t own_port) const;
  std::optional<End> follow();
  std::size_t issued() const;  // bytes, since the handle was fresh
  bool may_have_sent() const;

  const std::uint64_t id_;
  Request request_;
  Sink& sink_;
  Shared& shared_;
  const Clock::time_point until_;

  // Of this hop.
  CURL* easy_ = nullptr;
  Target target_;
  std::vector<std::string> lines_;       // its fields
  std::vector<curl_slist> line_list_;    // points into them
  HeadReader reader_{true};
  std::string location_;                 // of a redirect that is followed
  std::size_t passed_ = 0;               // of its body
  unsigned attempts_ = 0;                // to send it
  std::size_t issued_before_ = 0;        // bytes that were issued before it was sent: a proxy's
  bool is_address_ = false;  // its host
  bool reached_ = false;     // there is a connection, or an address to try
  bool unread_ = false;  // the peer has closed the connection before it took any of it
  bool is_spoilt_ = false;  // its connection was one on which the server had spoken unasked
  bool done_ = false;
  CURLcode code_ = CURLE_OK;
  char error_[CURL_ERROR_SIZE] = {};

  bool begun_ = false;
  unsigned redirects_ = 0;
  bool sent_ = false;  // an earlier hop
  bool head_ready_ = false;
  std::string body_;
  std::size_t ahead_ = 0;      // bytes that have come and were not taken
  std::uint64_t received_ = 0;  // bytes of the body
  bool paused_ = false;
  std::string refusal_;  // why we have ended it
  std::string denied_;
  bool dirty_ = false;
};

}  // namespace collet::fetch
