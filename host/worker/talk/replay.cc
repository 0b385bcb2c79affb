#include "worker/talk/replay.h"

#include "base/result.h"
#include "collet/ext/draft/http.h"
#include "collet/ext/instructions.h"
#include "collet/ext/relay.h"
#include "collet/ext/status.h"
#include "collet/ext/stream.h"
#include "plugin/abi/structs.h"
#include "registry/item.h"

namespace collet::worker {
namespace {

using How = registry::Ending::How;

// Whether a sound worker may have said what the host answers so: the call may have ended meanwhile.
bool is_sound_in(std::int32_t status) { return status == COLLET_OK || status == COLLET_E_STALE; }

template <class Extension>
const Extension* extension(const collet_host& host, std::string_view id) {
  return static_cast<const Extension*>(host.get_extension(&host, id.data(), id.size()));
}

}  // namespace

void Replay::add_blob(std::uint64_t call, std::string_view type, std::string_view mime, std::string_view bytes) {
  collet_blob blob = 0;
  void* data = nullptr;
  // Without room the id 0 makes add_blob() fail the call.
  if (host_.blob_new(&host_, bytes.size(), &blob, &data) == COLLET_OK) {
    std::memcpy(data, bytes.data(), bytes.size());  // before anything is made of it: it may change meanwhile
  }
  host_.add_blob(&host_, call, type.data(), type.size(), mime.data(), mime.size(), blob);
}

// Reads all of them, in any case, since the arena's blocks are to be given back.
void Replay::add_pieces(std::uint64_t call, FieldReader& pieces, bool wanted) {
  while (!pieces.at_end() && !pieces.bad() && beyond_.empty()) {
    const auto piece = pieces.number<Piece>();
    const std::string_view first = pieces.text();
    if (piece == Piece::text) {
      if (wanted) host_.add_text(&host_, call, first.data(), first.size());
    } else if (piece == Piece::json) {
      if (wanted) host_.add_json(&host_, call, first.data(), first.size());
    } else if (piece == Piece::blob) {
      const std::string_view mime = pieces.text();
      const std::string_view bytes = pieces.text();
      if (wanted && !pieces.bad()) add_blob(call, first, mime, bytes);
    } else if (piece == Piece::arena_blob) {
      const std::string_view mime = pieces.text();
      const auto offset = pieces.number<std::uint64_t>();
      const auto size = pieces.number<std::uint64_t>();
      const auto block = arena_.block(offset, size);
      if (!block) {
        beyond_ = fmt::format("it named a blob of {} bytes at {}, beyond its shared memory", size, offset);
        return;
      }
      if (wanted && !pieces.bad()) add_blob(call, first, mime, *block);
      read_.push_back(offset);
    } else if (piece == Piece::whole) {
      const auto* relay = extension<collet_relay>(host_, COLLET_EXT_RELAY);
      if (wanted && !pieces.bad()) relay->complete_with(&host_, call, first.data(), first.size());  // ends the call
    } else {
      beyond_ = fmt::format("it sent a piece of the unknown kind {}", static_cast<unsigned>(piece));
    }
  }
}

std::string Replay::end(std::uint64_t call, std::string_view body, std::string_view denial) {
  FieldReader fields(body);
  const auto how = fields.number<How>();
  const auto is_error = fields.number<std::uint8_t>();
  const auto rpc_code = fields.number<std::int32_t>();
  const auto state_version = fields.number<std::uint32_t>();
  FieldReader pieces(fields.text());
  const std::string_view structured = fields.text();
  const std::string_view meta = fields.text();
  FieldReader members(fields.text());
  const std::string_view message = fields.text();
  const auto data = fields.text_or_nothing();
  const std::string_view state = fields.text();
  FieldReader requests(fields.text());
  if (!fields.complete() || how > How::suspended) return no_frame("end of a call");

  const bool completed = how == How::completed;
  add_pieces(call, pieces, completed);
  if (!beyond_.empty()) return beyond_;
  if (completed) {
    if (!structured.empty()) host_.set_structured(&host_, call, structured.data(), structured.size());
    if (!meta.empty()) host_.set_meta(&host_, call, meta.data(), meta.size());
  }
  while (!members.at_end() && !members.bad()) {
    const std::string_view key = members.text();
    const std::string_view json = members.text();
    if (completed) host_.set_field(&host_, call, key.data(), key.size(), json.data(), json.size());
  }
  while (!requests.at_end() && !requests.bad()) {
    const std::string_view key = requests.text();
    const std::string_view json = requests.text();
    if (how == How::suspended) host_.need_input(&host_, call, key.data(), key.size(), json.data(), json.size());
  }
  if (pieces.bad() || members.bad() || requests.bad()) return no_frame("end of a call");
  if (completed) {
    if (is_error && !denial.empty()) host_.add_text(&host_, call, denial.data(), denial.size());
    host_.complete(&host_, call, is_error);
  } else if (how == How::failed) {
    std::string words(message);
    if (!denial.empty()) words += fmt::format(" ({})", denial);
    host_.fail(&host_, call, rpc_code, words.data(), words.size(), data ? data->data() : nullptr,
               data ? data->size() : 0);
  } else {
    host_.suspend(&host_, call, state.data(), state.size(), state_version);
  }
  return {};
}

std::string Replay::progress(std::uint64_t call, std::string_view body) {
  FieldReader fields(body);
  const auto done = fields.number<double>();
  const auto total = fields.number<double>();
  const std::string_view message = fields.text();
  if (!fields.complete()) return no_frame("progress");
  host_.progress(&host_, call, done, total, message.data(), message.size());
  return {};
}

std::string Replay::log(std::uint64_t call, std::string_view body) {
  FieldReader fields(body);
  const auto severity = fields.number<std::uint32_t>();
  const std::string_view logger = fields.text();
  const std::string_view data = fields.text();
  if (!fields.complete() || call == 0) return no_frame("log message");
  host_.log(&host_, call, severity, logger.data(), logger.size(), data.data(), data.size());
  return {};
}

std::string Replay::close_stream(std::uint64_t call, std::string_view body) {
  FieldReader fields(body);
  const auto retry_ms = fields.number<std::uint32_t>();
  if (!fields.complete()) return no_frame("end of a stream");
  extension<collet_stream>(host_, COLLET_EXT_STREAM)->close_stream(&host_, call, retry_ms);
  return {};
}

// What the host refuses here it would have refused there: such a worker is not sound.
std::string Replay::answer_head(std::uint64_t call, std::string_view body) {
  FieldReader fields(body);
  const auto status = fields.number<std::uint32_t>();
  std::vector<collet_http_field> head;
  while (!fields.at_end() && !fields.bad()) {
    const std::string_view name = fields.text();
    const std::string_view value = fields.text();
    head.push_back({plugin::to_str(name), plugin::to_str(value)});
  }
  if (fields.bad()) return no_frame("beginning of an answer");
  const auto* http = extension<collet_http>(host_, COLLET_EXT_HTTP);
  const std::int32_t said = http->respond(&host_, call, status, head.data(), head.size());
  return is_sound_in(said) ? "" : no_frame("beginning of an answer");
}

std::string Replay::answer_bytes(std::uint64_t call, std::string_view body) {
  FieldReader fields(body);
  const std::string_view bytes = fields.text();
  if (!fields.complete()) return no_frame("piece of an answer");
  const std::int32_t said = extension<collet_http>(host_, COLLET_EXT_HTTP)->write(&host_, call, bytes.data(), bytes.size());
  return is_sound_in(said) ? "" : no_frame("piece of an answer");
}

std::string Replay::resource_updated(std::string_view body) {
  FieldReader fields(body);
  const std::string_view uri = fields.text();
  if (!fields.complete()) return no_frame("update of a resource");
  host_.resource_updated(&host_, uri.data(), uri.size());
  return {};
}

void Replay::instructions(std::string_view text) {
  extension<collet_instructions>(host_, COLLET_EXT_INSTRUCTIONS)->set_instructions(&host_, text.data(), text.size());
}

void Replay::status_changed() { extension<collet_status_watch>(host_, COLLET_EXT_STATUS)->changed(&host_); }

}  // namespace collet::worker
