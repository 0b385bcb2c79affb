#include "worker/talk/web_frame.h"

#include <span>

#include "plugin/abi/structs.h"

namespace collet::worker {

std::string web_request_field(const collet_host& host, collet_call call) {
  constexpr std::string_view kId = COLLET_EXT_HTTP;
  const auto* http = static_cast<const collet_http*>(host.get_extension(&host, kId.data(), kId.size()));
  collet_http_request asked{};
  asked.struct_size = sizeof asked;
  if (!http || http->request(&host, call, &asked) != COLLET_OK) return {};
  std::string field;
  FieldWriter out(field);
  out.text(plugin::view(asked.method)).number(static_cast<std::uint8_t>(asked.query.data != nullptr));
  out.text(plugin::view(asked.query)).text_or_nothing(plugin::optional_view(asked.body));
  for (const collet_http_field& each : std::span(asked.fields, asked.field_count)) {
    out.text(plugin::view(each.name)).text(plugin::view(each.value));
  }
  return field;
}

registry::WebRequestPtr read_web_request(std::string_view field) {
  FieldReader in(field);
  auto request = std::make_shared<registry::WebRequest>();
  request->method = in.text();
  const bool has_query = in.number<std::uint8_t>() != 0;
  const std::string_view query = in.text();
  if (has_query) request->query.emplace(query);
  const auto body = in.text_or_nothing();
  request->body = body.value_or(std::string_view());
  request->is_streamed = !body;
  request->is_whole = body.has_value();
  while (!in.at_end() && !in.bad()) {
    const std::string_view name = in.text();
    request->fields.push_back({std::string(name), std::string(in.text())});
  }
  return in.complete() ? request : nullptr;
}

}  // namespace collet::worker
