#include "plugin/abi/instructions.h"

#include "base/limits.h"
#include "base/text.h"
#include "collet/ext/instructions.h"
#include "plugin/abi/entered.h"
#include "plugin/abi/structs.h"

namespace collet::plugin {

void Instructions::set(std::string_view text) {
  const std::lock_guard lock(mutex_);
  text_ = text;
  if (heard_) heard_(text);
}

std::string Instructions::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

std::int32_t set_instructions(const collet_host* host, const char* text, std::size_t size) {
  return entered(host, [&](HostSide& side) -> std::int32_t {
    if (!is_sound(text, size)) return COLLET_E_INVALID;
    if (size > limits::kInstructionsBytesMax) return COLLET_E_LIMIT;
    if (side.instructions) side.instructions->set(text::Utf8(view(text, size)).view());
    return COLLET_OK;
  });
}

}  // namespace collet::plugin
