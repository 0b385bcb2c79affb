#include "worker/talk/open_order.h"

namespace collet::worker {
namespace {

void append(FrameWriter& out, const std::vector<std::string>& texts) {
  out.number(static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) out.text(text);
}

std::vector<std::string> read_texts(FieldReader& fields) {
  std::vector<std::string> texts;
  for (auto left = fields.number<std::uint32_t>(); left > 0 && !fields.bad(); --left)
    texts.emplace_back(fields.text());
  return texts;
}

}  // namespace

void append(std::string& out, const OpenOrder& order) {
  FrameWriter frame(out, FrameType::open);
  frame.text(order.name).text(order.library).text(order.view).text(order.config).text(order.config_places);
  frame.number(order.number);
  frame.text_or_nothing(order.prior ? std::optional<std::string_view>(*order.prior) : std::nullopt);
  frame.number(order.prior_version).number(order.log_level);
  const Permissions& may = order.permissions;
  append(frame, may.read);
  append(frame, may.write);
  append(frame, may.environment);
  append(frame, may.hosts);
  append(frame, may.unix_sockets);
  frame.number(static_cast<std::uint8_t>(may.require_sandbox));
  frame.number(static_cast<std::uint8_t>(may.network)).number(static_cast<std::uint8_t>(may.exec));
  frame.number(may.memory_bytes_max).number(may.threads_max).number(may.files_max);
  frame.number(may.file_bytes_max).number(may.cpu_seconds_max);
  frame.text(order.unenforced).number(static_cast<std::uint8_t>(order.threads_are_counted));
  frame.number(static_cast<std::uint8_t>(order.debug));
}

std::optional<OpenOrder> read_open_order(std::string_view body) {
  FieldReader fields(body);
  OpenOrder order;
  order.name = fields.text();
  order.library = fields.text();
  order.view = fields.text();
  order.config = fields.text();
  order.config_places = fields.text();
  order.number = fields.number<std::uint64_t>();
  if (const auto prior = fields.text_or_nothing()) order.prior.emplace(*prior);
  order.prior_version = fields.number<std::uint32_t>();
  order.log_level = fields.number<std::int32_t>();
  Permissions& may = order.permissions;
  may.read = read_texts(fields);
  may.write = read_texts(fields);
  may.environment = read_texts(fields);
  may.hosts = read_texts(fields);
  may.unix_sockets = read_texts(fields);
  may.require_sandbox = fields.number<std::uint8_t>() != 0;
  may.network = fields.number<std::uint8_t>() != 0;
  may.exec = fields.number<std::uint8_t>() != 0;
  may.memory_bytes_max = fields.number<std::uint64_t>();
  may.threads_max = fields.number<std::uint64_t>();
  may.files_max = fields.number<std::uint64_t>();
  may.file_bytes_max = fields.number<std::uint64_t>();
  may.cpu_seconds_max = fields.number<std::uint64_t>();
  order.unenforced = fields.text();
  order.threads_are_counted = fields.number<std::uint8_t>() != 0;
  order.debug = fields.number<std::uint8_t>() != 0;
  if (!fields.complete()) return std::nullopt;
  return order;
}

void append_watch(std::string& out, std::string_view uri, bool watched) {
  FrameWriter(out, FrameType::watch).number(static_cast<std::uint8_t>(watched)).text(uri);
}

}  // namespace collet::worker
