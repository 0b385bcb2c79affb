#include "worker/talk/opened.h"

namespace collet::worker {

void append(std::string& out, const Opened& opened) {
  FrameWriter frame(out, FrameType::opened);
  frame.text_or_nothing(opened.failed).text(opened.id).text(opened.version).text(opened.info).number(opened.flags);
  frame.number(opened.state_version).number(opened.offered).text(opened.item_problem).text(opened.unenforced);
}

std::optional<Opened> read_opened(std::string_view body) {
  FieldReader fields(body);
  Opened opened;
  opened.failed = fields.text_or_nothing();
  opened.id = fields.text();
  opened.version = fields.text();
  opened.info = fields.text();
  opened.flags = fields.number<std::uint32_t>();
  opened.state_version = fields.number<std::uint32_t>();
  opened.offered = fields.number<std::uint8_t>();
  opened.item_problem = fields.text();
  opened.unenforced = fields.text();
  if (!fields.complete()) return std::nullopt;
  return opened;
}

}  // namespace collet::worker
