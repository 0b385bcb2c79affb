// Finding out what a remote speaks (2026-07-28, basic/versioning): server/discover first, initialize if that is not
// understood.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "client/mcp/connection.h"

namespace collet::client {

// What a remote has said of itself.
struct Peer {
  Era era = Era::modern;
  std::string version;
  std::string capabilities = "{}";  // JSON object
  std::string name;                 // of its serverInfo, may be empty
  std::string instructions;

  bool can(std::string_view capability) const { return find_member(capabilities, capability).data() != nullptr; }
  // {"tools":{"listChanged":true}}
  bool can(std::string_view capability, std::string_view feature) const {
    return find_member(find_member(capabilities, capability), feature) == "true";
  }
};

// Of a modern remote, from its answer to server/discover.
Peer read_discovery(std::string_view result);

class Handshake {
 public:
  struct Options {
    std::optional<Era> known_era;  // of an earlier connection
    std::uint64_t start_ms = 0;    // for an answer to either request
    std::string version;           // the only one to speak; empty: the best that both know
  };
  // `failed` of a Failed: nothing of Streamable HTTP was understood, so that an older transport may be tried.
  struct Failed {
    std::string message;
    bool unknown_endpoint = false;
    std::uint64_t retry_after_ms = 0;  // see Lost
  };

  // All borrowed. Begins at once; one of the two is called, later, unless this is destroyed before.
  Handshake(Loop& loop, Connection& connection, Options options, std::function<void(Peer)> done,
            std::function<void(Failed)> failed);
  ~Handshake();

  // Whether it has sent server/discover, which ends or hangs servers that expect initialize.
  bool has_probed() const { return attempts_ > 0; }
  // Whether one that is given such a server anew might succeed with initialize.
  bool may_initialize() const { return has_probed() && !only_modern(); }

 private:
  void discover();
  void on_discovered(const Answer& answer);
  bool is_modern(const RpcError& error);
  bool only_modern() const;
  bool only_legacy() const { return !options_.version.empty() && !only_modern(); }
  void initialize();
  void ask_initialize(std::string_view version);
  bool initialize_as_refusal_says(const Answer& answer);
  void on_initialized(const Answer& answer);
  void fail_initialize();
  void fail(std::string message, bool unknown_endpoint = false);

  Connection& connection_;
  const Options options_;
  const std::function<void(Peer)> done_;
  const std::function<void(Failed)> failed_;
  Timer silence_;
  RequestId discover_ = 0;
  RequestId initialize_ = 0;
  std::string_view offered_;  // the version in initialize
  unsigned attempts_ = 0;
  std::string probe_problem_;
  std::string initialize_problem_;  // not empty: that has failed
  int initialize_status_ = 0;       // with this HTTP status
  std::uint64_t retry_after_ms_ = 0;
};

}  // namespace collet::client
