// What the registry is about: items, and the calls that are made of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/calls.h"
#include "mcp/error_codes.h"
#include "mcp/kinds.h"
#include "mcp/traits.h"
#include "registry/web.h"

namespace collet::schema {
class Schema;
}

namespace collet::registry {

class Waiter;
struct Principal;
using PrincipalPtr = std::shared_ptr<const Principal>;

using mcp::CallKind;
using mcp::Kind;
using mcp::kKinds;
using mcp::kListedKinds;
using mcp::Traits;

// An item as its provider offers it.
struct ItemDef {
  Kind kind = Kind::tool;
  std::string name;        // as the provider knows it; a resource's URI, a template's text, a route's path
  std::string definition;  // the rest of its MCP object: JSON text of an object, valid, "{}" if there is none
  Traits traits;
  std::uint32_t timeout_ms = 0;  // 0: the host's default
  std::uint64_t handle = 0;      // the provider's own, handed back in Call::handle
};

// A question for the client, asked by a call that suspends itself.
struct InputRequest {
  std::string key;
  std::string request;  // JSON text {"method":…,"params":…}
};

// How a call ended.
struct Ending {
  enum class How : std::uint8_t {
    completed,  // content, structured, meta, fields, is_error
    failed,     // rpc_code, message, data
    suspended,  // input_requests, state, state_version
  };
  How how = How::completed;
  bool is_error = false;
  std::string content;     // the pieces as JSON texts with commas between: {"type":"text",…},{…}
  std::string structured;  // JSON text, or empty
  // Why `structured` does not fit Call::output, empty: it does. Found out by the thread that ended the call, if it is large.
  std::optional<std::string> misfit;
  std::string meta;        // JSON object text, or empty
  std::string fields;      // more members of the result object, `"key":value` with commas between, or empty
  int rpc_code = 0;  // mcp/error_codes.h, or the plugin's own
  std::string message;
  std::string data;  // JSON text, or empty
  std::vector<InputRequest> input_requests;
  std::string state;
  std::uint32_t state_version = 0;
};

struct Progress {
  double done = 0;
  double total = 0;  // <= 0: unknown
  std::string_view message;
};

struct LogMessage {
  unsigned severity = 6;  // RFC 5424
  std::string_view logger;
  std::string_view data;  // JSON text
};

// The caller's side of one call, owned by the caller and kept until on_end(). All but info() are called on the loop
// thread that started the call.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_progress(const Progress& progress) = 0;
  virtual void on_log(const LogMessage& message) = 0;
  // The client's connection may be closed; it comes back after that time, if it can.
  virtual void on_close_stream(unsigned retry_ms) { static_cast<void>(retry_ms); }
  // Of a call of a route: how its answer begins, once, and the next bytes of its body, which may be taken. Whoever is told owes
  // Provider::taken().
  virtual void on_answer_head(WebHead head) { static_cast<void>(head); }
  virtual void on_answer_bytes(std::string& bytes) { static_cast<void>(bytes); }
  // Likewise, of one whose body is streamed: so many of its bytes are ahead of the plugin no more. None: it waits for some.
  virtual void on_body_taken(std::size_t bytes) { static_cast<void>(bytes); }
  // The call's time is over, and its plugin will now be asked to end it. The caller may answer its client; on_end() still comes.
  virtual void on_deadline() {}
  // Exactly once, last; possibly before Provider::start() returns. Strings may be taken from `ending`.
  virtual void on_end(Ending& ending) = 0;
  // Any thread, between start() and on_end(): what is known of the caller under this key of collet_host.call_info.
  // Borrowed until on_end().
  virtual std::optional<std::string_view> info(std::string_view key) const = 0;
};

// A call to be made. Everything is borrowed until Provider::start() returns; a provider copies what it keeps.
struct Call {
  std::uint64_t handle = 0;  // ItemDef::handle
  CallKind kind = CallKind::tool;
  unsigned loop = 0;                          // index of the calling loop
  std::string_view name;  // as the provider knows it; for a resource: the URI that is read; for a route: the path asked for
  std::optional<std::string_view> arguments;  // JSON text exactly as sent
  std::optional<std::string_view> variables;  // of a URI template, JSON text
  std::optional<std::string_view> input_responses;  // JSON text, if round > 0
  std::string_view state;
  std::uint32_t state_version = 0;
  std::uint32_t round = 0;
  std::uint64_t timeout_ms = 0;  // time left, 0: none
  const PrincipalPtr* principal = nullptr;  // who calls, or null: nobody in particular; kept until Listener::on_end()
  const schema::Schema* output = nullptr;  // that structured content is to fit, or null; kept until Listener::on_end()
  unsigned depth = 0;  // how many calls it is made inside of, by their plugins
  WebRequestPtr web = {};  // of a route; else null
  Waiter* waiter = nullptr;  // who starts it anew when it has waited (registry/parking.h)
};

enum class CancelReason : std::uint8_t { client = 1, deadline = 2, shutdown = 3 };  // as COLLET_CANCEL_*

using CallId = std::uint64_t;  // 0: the call has already ended, or Call::waiter waits

// Something that answers calls: one generation of a plugin. It outlives every snapshot that names it; loop threads
// only.
class Provider {
 public:
  virtual ~Provider() = default;
  virtual CallId start(const Call& call, Listener& listener) = 0;
  // Asks that the call end soon. Does nothing for a call that has ended.
  virtual void cancel(CallId id, CancelReason reason) = 0;
  // Which incarnation of its plugin it is; 0: it stands in for one that is being replaced.
  virtual std::uint64_t generation() const { return 0; }
  // So many bytes of a route's answer have left for its client. Does nothing for a call that has ended.
  virtual void taken(CallId id, std::size_t bytes) {
    static_cast<void>(id);
    static_cast<void>(bytes);
  }
  // The next bytes of the body of a request whose body is streamed (WebRequest::is_streamed), perhaps none with the last. Whoever tells
  // them keeps to what Listener::on_body_taken() leaves of kHttpBodyAheadBytesMax. Likewise.
  virtual void body(CallId id, std::string_view bytes, bool last) {
    static_cast<void>(id);
    static_cast<void>(bytes);
    static_cast<void>(last);
  }
};

}  // namespace collet::registry
