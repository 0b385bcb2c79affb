#include "protocol/error.h"

#include <fmt/core.h>

#include "base/text.h"
#include "protocol/version.h"

namespace collet::protocol {

rpc::Id id_of_refusal(const rpc::Id& id, std::string_view version) {
  return id.empty() && wants_null_id(version) ? rpc::Id::null() : id;
}

rpc::Error header_mismatch(std::string message) {
  return {mcp::kHeaderMismatch, "Header mismatch: " + message, {}, 400};
}

rpc::Error missing_capability(std::string_view capability) {
  return {mcp::kMissingClientCapability, fmt::format("This needs the client capability {}", capability),
          fmt::format(R"({{"requiredCapabilities":{{"{}":{{}}}}}})", capability), 400};
}

rpc::Error missing_extension(std::string_view extension) {
  return {mcp::kMissingClientCapability, fmt::format("This needs the client extension {}", extension),
          fmt::format(R"({{"requiredCapabilities":{{"extensions":{{"{}":{{}}}}}}}})", extension), 400};
}

rpc::Error unsupported_version(std::string_view requested) {
  std::string data = R"({"supported":)" + supported_versions() + R"(,"requested":)";
  text::append_json_string(data, requested.substr(0, 64));
  data += '}';
  return {mcp::kUnsupportedVersion, "Unsupported protocol version", std::move(data), 400};
}

rpc::Error bad_meta(std::string message) {
  rpc::Error error = rpc::invalid_params(std::move(message));
  error.http_status = 400;
  return error;
}

}  // namespace collet::protocol
