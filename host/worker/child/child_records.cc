#include "worker/child/child_records.h"

#include "plugin/abi/structs.h"

namespace collet::worker {
namespace {

using plugin::RecordGet;
using plugin::RecordRemove;
using store::Records;

void write_expected(FrameWriter& frame, const Records::Expected& expected) {
  frame.number(static_cast<std::uint8_t>(expected.has_value())).number(expected.value_or(0));
}

void write_order(std::string& out, std::uint64_t id, const RecordGet& get) {
  FrameWriter(out, FrameType::record_get, id).text(get.key);
}

void write_order(std::string& out, std::uint64_t id, const Records::Put& put) {
  FrameWriter frame(out, FrameType::record_put, id);
  frame.text(put.key).text(put.value).number(put.ttl_ms);
  write_expected(frame, put.expected);
}

void write_order(std::string& out, std::uint64_t id, const RecordRemove& remove) {
  FrameWriter frame(out, FrameType::record_remove, id);
  frame.text(remove.key);
  write_expected(frame, remove.expected);
}

void write_order(std::string& out, std::uint64_t id, const Records::List& list) {
  FrameWriter frame(out, FrameType::record_list, id);
  frame.text(list.prefix).text_or_nothing(plugin::optional_view(list.after)).number(list.keys_max);
}

}  // namespace

void ChildRecords::start(std::uint64_t id, plugin::RecordOrder order) {
  out_.put([&](std::string& out) { std::visit([&](const auto& wanted) { write_order(out, id, wanted); }, order); });
}

void ChildRecords::take(const FrameHead& head, FieldReader& fields) {
  plugin::RecordAnswer answer;
  answer.status = fields.number<std::int32_t>();
  if (head.type == FrameType::stored) {
    answer.version = fields.number<std::uint64_t>();
    if (const auto value = fields.text_or_nothing()) answer.value = std::make_shared<const std::string>(*value);
  } else {
    answer.page.more = fields.number<std::uint8_t>() != 0;
    while (!fields.at_end() && !fields.bad()) {
      const std::string_view key = fields.text();
      answer.page.keys.push_back({std::string(key), fields.number<std::uint64_t>()});
    }
  }
  tell(head.id, std::move(answer));
}

}  // namespace collet::worker
