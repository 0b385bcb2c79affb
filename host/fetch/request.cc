#include "fetch/request.h"

#include <algorithm>

#include "base/display.h"
#include "base/limits.h"
#include "base/text.h"
#include "fetch/libcurl.h"

namespace collet::fetch {
namespace {

using text::equals_ignoring_case;

// How a message is sent, and to whom: the engine's to say.
constexpr std::string_view kOwnFields[] = {"Connection",          "Content-Length", "Expect",  "Host",    "HTTP2-Settings",
                                           "Keep-Alive",          "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
                                           "TE",                  "Trailer",        "Transfer-Encoding", "Upgrade"};

bool is_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](unsigned char c) { return c == '\t' || (c >= ' ' && c != 0x7f); });
}

Result<void> check_field(const Field& field) {
  if (!text::is_token(field.name)) return error("{} is no name of a field", text::in_quotes(display::printable(field.name)));
  const auto is_it = [&](std::string_view own) { return equals_ignoring_case(own, field.name); };
  if (std::any_of(std::begin(kOwnFields), std::end(kOwnFields), is_it)) return error("the field {} is the host's to say", field.name);
  if (!is_value(field.value)) return error("the field {} has a line break or another control character", field.name);
  return {};
}

}  // namespace

std::string_view find_field(const Fields& fields, std::string_view name) {
  const auto at = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return equals_ignoring_case(field.name, name); });
  return at == fields.end() ? std::string_view() : std::string_view(at->value);
}

void prepare() { static_cast<void>(start_libcurl()); }

Result<void> check(const Request& request) {
  const std::string& method = request.method;
  if (!text::is_token(method) || method.size() > limits::kFetchMethodBytesMax) {
    return error("{} is no method", text::in_quotes(display::printable(method.substr(0, 2 * limits::kFetchMethodBytesMax))));
  }
  for (const std::string_view refused : {"CONNECT", "TRACE"}) {
    if (equals_ignoring_case(method, refused)) return error("{} is no method that can be fetched with", refused);
  }
  if (method == "HEAD" && !request.body.empty()) return error("a HEAD has no body");
  if (auto target = read_target(request.url); !target) return target.failure();
  for (const Field& field : request.fields) {
    if (auto good = check_field(field); !good) return good;
  }
  return {};
}

}  // namespace collet::fetch
