// What a handler may ask of a request.
#include "base/text.h"
#include "transport/field_list.h"
#include "transport/http.h"

namespace collet::transport {
namespace {

// The lengths alone tell most names apart, without a call.
bool is_named(const Header& header, std::string_view name) {
  return header.name.size() == name.size() && text::equals_ignoring_case(header.name, name);
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (is_named(header, name)) return header.value;
  }
  return {};
}

unsigned HttpRequest::count(std::string_view name) const {
  unsigned found = 0;
  for (const Header& header : headers) found += is_named(header, name);
  return found;
}

HttpRequest::Stated HttpRequest::stated(std::string_view name) const {
  Stated all;
  const auto note = [&all](std::string_view copy) {
    if (!all.value.data()) all.value = copy;
    if (copy != all.value) all.agreed = false;
  };
  for (const Header& header : headers) {
    if (!is_named(header, name)) continue;
    if (header.value.find(',') == header.value.npos) {
      note(header.value);
    } else {
      FieldList copies(header.value);
      note(copies.next().value_or(header.value));
      while (const auto copy = copies.next()) note(*copy);
    }
    if (!repeats) break;
  }
  return all;
}

std::string_view HttpRequest::listed(std::string_view name, std::string& joined) const {
  const std::string_view first = header(name);
  if (!repeats || count(name) < 2) return first;
  joined.clear();
  bool differ = false;
  for (const Header& header : headers) {
    if (!is_named(header, name)) continue;
    differ |= header.value != first;
    if (!joined.empty()) joined += ", ";
    joined += header.value;
  }
  return differ ? joined : first;
}

}  // namespace collet::transport
