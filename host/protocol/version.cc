#include "protocol/version.h"

#include "base/text.h"

namespace collet::protocol {
namespace {

std::string list_versions() {
  std::string out;
  const auto add = [&out](std::string_view version) {
    out += out.empty() ? '[' : ',';
    text::append_json_string(out, version);
  };
  for (const std::string_view version : kModernVersions) add(version);
  for (const std::string_view version : kLegacyVersions) add(version);
  return out + ']';
}

}  // namespace

const std::string& supported_versions() {
  static const std::string kVersions = list_versions();
  return kVersions;
}

}  // namespace collet::protocol
