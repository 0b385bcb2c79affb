#include "worker/child_call.h"

#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "worker/frame.h"
#include "worker/open_order.h"

namespace collet::worker {

void ChildCall::on_progress(const registry::Progress& progress) {
  out_.put([&](std::string& out) {
    FrameWriter(out, FrameType::progress, id_).number(progress.done).number(progress.total).text(progress.message);
  });
}

void ChildCall::on_log(const registry::LogMessage& message) {
  out_.put([&](std::string& out) {
    FrameWriter(out, FrameType::log, id_).number(message.severity).text(message.logger).text(message.data);
  });
}

void ChildCall::on_close_stream(unsigned retry_ms) {
  out_.put([&](std::string& out) { FrameWriter(out, FrameType::close_stream, id_).number(retry_ms); });
}

void ChildCall::on_end(registry::Ending& ending) {
  std::string requests;
  for (const registry::InputRequest& request : ending.input_requests) {
    FieldWriter(requests).text(request.key).text(request.request);
  }
  out_.put([&](std::string& out) {
    FrameWriter frame(out, FrameType::end, id_);
    frame.number(ending.how).number(static_cast<std::uint8_t>(ending.is_error)).number(ending.rpc_code);
    frame.number(ending.state_version).text(ending.content).text(ending.structured).text(ending.meta);
    frame.text(ending.fields).text(ending.message);
    frame.text_or_nothing(ending.data.empty() ? std::nullopt : std::optional<std::string_view>(ending.data));
    frame.text(ending.state).text(requests);
  });
  ended_(id_);
}

std::optional<std::string_view> ChildCall::info(std::string_view key) const {
  constexpr std::string_view kHeader = "header:";
  if (key.starts_with(kHeader)) return header(key.substr(kHeader.size()));
  for (FieldReader fields(info_); !fields.at_end() && !fields.bad();) {
    const auto place = fields.number<std::uint8_t>();
    const std::string_view value = fields.text();
    if (place < std::size(kInfoKeys) && kInfoKeys[place] == key && !fields.bad()) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> ChildCall::header(std::string_view name) const {
  const std::lock_guard lock(headers_mutex_);
  if (!headers_) {
    headers_.emplace();
    json::Document all;
    if (!json::parse(info("headers").value_or("{}"), all) && all.IsObject()) {
      for (const auto& [key, value] : std::as_const(all).GetObject()) headers_->emplace_back(json::view(key), json::view(value));
    }
  }
  for (const auto& [known, value] : *headers_) {
    if (text::equals_ignoring_case(known, name)) return value;
  }
  return std::nullopt;
}

}  // namespace collet::worker
