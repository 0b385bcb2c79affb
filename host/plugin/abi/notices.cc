#include "plugin/abi/notices.h"

#include <cmath>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "plugin/abi/content.h"
#include "plugin/abi/create_errors.h"
#include "plugin/abi/entered.h"
#include "plugin/abi/structs.h"

namespace collet::plugin::notices {
namespace {

// Adds to what the call's loop has not yet sent. Past the limit the newest progress replaces the one before it.
std::int32_t push_notice(CallTable& calls, LockedCall& call, Notice notice) {
  auto& notices = call->notices;
  const bool full =
      notices.size() >= limits::kProgressQueueMax || call->notice_bytes + notice.bytes() > limits::kNoticeBytesMax;
  if (full) {
    if (notice.kind != Notice::Kind::progress || notices.empty() || notices.back().kind != Notice::Kind::progress ||
        notice.bytes() > notices.back().bytes()) {
      return COLLET_E_LIMIT;
    }
    call->notice_bytes -= notices.back().bytes();
    notices.pop_back();
  }
  call->notice_bytes += notice.bytes();
  notices.push_back(std::move(notice));
  calls.announce(call);
  return COLLET_OK;
}

// A message of the plugin itself goes to the host's log: text without quotes, other values as JSON.
void log_for_plugin(const HostSide& side, std::uint32_t level, std::string_view logger, std::string_view data) {
  json::Document value;
  if (data.starts_with('"') && !json::parse(data, value) && value.IsString()) data = json::view(value);
  const std::string& plugin = side.owner.name;
  const auto line = logger.empty() ? fmt::format("plugin {}: {}", plugin, data)
                                   : fmt::format("plugin {}: {}: {}", plugin, logger, data);
  if (level <= COLLET_LOG_ERROR) {
    if (side.create_errors) side.create_errors->note(data);
    collet::log::write(collet::log::Level::error, line);
  } else if (level <= COLLET_LOG_WARNING) {
    collet::log::write(collet::log::Level::warning, line);
  } else {
    collet::log::write(level <= COLLET_LOG_INFO ? log::Level::info : log::Level::debug, line);
  }
}

}  // namespace

std::int32_t progress(const collet_host* host, collet_call id, double done, double total, const char* message,
                      std::size_t size) {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    LockedCall call = side.calls.lock(id, side.owner);
    if (!call) return COLLET_E_STALE;
    if (call->kind == CallKind::route) return COLLET_E_UNSUPPORTED;
    if (!is_sound(message, size) || !std::isfinite(done) || !std::isfinite(total)) return COLLET_E_INVALID;
    if (call->progress_begun && done <= call->progress_done) return COLLET_E_INVALID;
    if (size > limits::kNoticeBytesMax) return COLLET_E_LIMIT;
    const text::Utf8 words(view(message, size));
    call->progress_begun = true;
    call->progress_done = done;
    return push_notice(
        side.calls, call,
        {.kind = Notice::Kind::progress, .done = done, .total = total, .text = std::string(words.view())});
  });
}

std::int32_t log(const collet_host* host, collet_call id, std::uint32_t level, const char* logger,
                 std::size_t logger_size, const char* data, std::size_t size) {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    LockedCall call = id ? side.calls.lock(id, side.owner) : LockedCall();
    if (id && !call) return COLLET_E_STALE;
    if (!is_sound(logger, logger_size) || !is_sound(data, size) || level > COLLET_LOG_DEBUG) {
      return COLLET_E_INVALID;
    }
    if (logger_size > limits::kNoticeBytesMax || size > limits::kNoticeBytesMax) return COLLET_E_LIMIT;
    const text::Utf8 name(view(logger, logger_size));
    const text::Utf8 text(view(data, size));
    if (!json::is_valid(text.view(), {limits::kPluginJsonDepthMax})) return COLLET_E_INVALID;
    if (!id) {
      log_for_plugin(side, level, name.view(), text.view());
      return COLLET_OK;
    }
    return push_notice(side.calls, call,
                       {.kind = Notice::Kind::log,
                        .severity = level,
                        .logger = std::string(name.view()),
                        .text = content::on_one_line(text.view())});
  });
}

std::int32_t close_stream(const collet_host* host, collet_call id, std::uint32_t retry_ms) {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    LockedCall call = side.calls.lock(id, side.owner);
    if (!call) return COLLET_E_STALE;
    if (call->kind == CallKind::route) return COLLET_E_UNSUPPORTED;
    return push_notice(side.calls, call, {.kind = Notice::Kind::close_stream, .retry_ms = retry_ms});
  });
}

void pass_on(CallTable& calls, const CallOwner& owner, CallId id, const registry::LogMessage& message) {
  LockedCall call = calls.lock(id, owner);
  if (!call) return;
  push_notice(calls, call,
              {.kind = Notice::Kind::log,
               .severity = message.severity,
               .logger = std::string(message.logger),
               .text = std::string(message.data)});
}

}  // namespace collet::plugin::notices
