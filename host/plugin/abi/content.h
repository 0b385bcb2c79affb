// What a result is made of on the wire: the shapes of MCP content that the host writes for a plugin.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugin/abi/blobs.h"
#include "registry/item.h"
#include "registry/shapes.h"

namespace collet::plugin::content {

using registry::CallKind;

// What is read: a call of kind resource only.
struct Reading {
  std::string uri;
  std::string mime;  // as the item's definition says; empty: it does not
};

// Each appends one piece to `out`, a comma before it if it is not the first.
void append_text(std::string& out, CallKind kind, const Reading& reading, std::string_view text);
// `json` as it is, on one line: framing by lines and by events cannot carry a newline between tokens.
void append_json(std::string& out, std::string_view json);
// A tool's "image", "audio" or "resource" block; a resource's contents. False: no such block exists.
bool append_blob(std::string& out, CallKind kind, const Reading& reading, std::string_view type,
                 std::string_view mime, std::string_view bytes);
// Whether a tool's result has blocks of that type with bytes in them.
bool is_blob_type(std::string_view type);
// One member of the result object.
void append_field(std::string& out, std::string_view key, std::string_view json);
// A result's _meta on one line, without what is the host's to say; nothing if it is no object.
std::optional<std::string> meta_without_ours(std::string_view meta);
// What each piece of JSON in the content of such a call must be: of a tool, a resource or a prompt.
registry::Shape shape_of(CallKind kind);

// How the pieces of a result are written down: so that a client can read them, or, by those who override it, so
// that a host can. Arguments are as above, and have been checked.
class Form {
 public:
  virtual ~Form() = default;
  virtual void text(std::string& out, CallKind kind, const Reading& reading, std::string_view text) const {
    append_text(out, kind, reading, text);
  }
  virtual void json(std::string& out, std::string_view json) const { append_json(out, json); }
  virtual void blob(std::string& out, CallKind kind, const Reading& reading, std::string_view type,
                    std::string_view mime, Blob blob) const {
    append_blob(out, kind, reading, type, mime, blob.view());
  }
  virtual void field(std::string& out, std::string_view key, std::string_view json) const {
    append_field(out, key, json);
  }
  // A result object that the plugin has given whole; `ending` has all of it already, in pieces for a client.
  virtual void whole(registry::Ending& ending, std::string_view result) const {
    static_cast<void>(ending), static_cast<void>(result);
  }
};
inline const Form kClientForm;

// Valid JSON on one line.
std::string on_one_line(std::string_view json);

}  // namespace collet::plugin::content
