// A config file: any bytes are a document or a problem with a place, and a document without infinities is JSON.
#include <cmath>
#include <cstdint>

#include "base/assert.h"
#include "base/json.h"
#include "config/document.h"

using namespace collet;

namespace {

bool is_finite(const config::Value& value) {
  bool finite = std::isfinite(value.number);
  for (const config::Value& item : value.items) finite = finite && is_finite(item);
  for (const config::Value::Member& member : value.members) finite = finite && is_finite(member.value);
  return finite;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = config::parse_document({reinterpret_cast<const char*>(data), size});
  const config::Value* document = std::get_if<config::Value>(&parsed);
  if (!document) {
    COLLET_ASSERT(std::get<config::Problem>(parsed).at.line > 0);
  } else if (is_finite(*document)) {
    std::string text;
    config::append_json(text, *document);
    json::Document read;
    const auto failure = json::parse(text, read);
    COLLET_ASSERT(!failure || failure->message == "nested too deeply");
  }
  return 0;
}
