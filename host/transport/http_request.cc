// What a handler may ask of a request.
#include <algorithm>

#include "base/text.h"
#include "transport/field_list.h"
#include "transport/header_index.h"
#include "transport/http.h"

namespace collet::transport {
namespace {

// The lengths alone tell most names apart, without a call.
bool is_named(const Header& header, std::string_view name) {
  return header.name.size() == name.size() && text::equals_ignoring_case(header.name, name);
}

}  // namespace

const Header* HttpRequest::first(std::string_view name) const {
  if (index) {
    const auto position = index->find(name);
    if (!position) return nullptr;
    if (is_named(headers[*position], name)) return &headers[*position];
    if (!repeats) return nullptr;
  }
  const auto found = std::ranges::find_if(headers, [name](const Header& header) { return is_named(header, name); });
  return found == headers.end() ? nullptr : &*found;
}

const Header* HttpRequest::next(const Header& before) const {
  if (!repeats) return nullptr;
  const auto rest = headers.subspan(static_cast<std::size_t>(&before - headers.data()) + 1);
  const auto found = std::ranges::find_if(rest, [&](const Header& header) { return is_named(header, before.name); });
  return found == rest.end() ? nullptr : &*found;
}

std::string_view HttpRequest::header(std::string_view name) const {
  const Header* const found = first(name);
  return found ? found->value : std::string_view();
}

unsigned HttpRequest::count(std::string_view name) const {
  unsigned found = 0;
  for (const Header* copy = first(name); copy; copy = next(*copy)) ++found;
  return found;
}

HttpRequest::Stated HttpRequest::stated(std::string_view name) const {
  Stated all;
  const auto note = [&all](std::string_view copy) {
    if (!all.value.data()) all.value = copy;
    if (copy != all.value) all.agreed = false;
  };
  for (const Header* header = first(name); header; header = next(*header)) {
    if (header->value.find(',') == header->value.npos) {
      note(header->value);
    } else {
      FieldList copies(header->value);
      note(copies.next().value_or(header->value));
      while (const auto copy = copies.next()) note(*copy);
    }
  }
  return all;
}

std::string_view HttpRequest::listed(std::string_view name, std::string& joined) const {
  const Header* const begin = first(name);
  if (!begin) return {};
  if (!next(*begin)) return begin->value;
  joined.clear();
  bool differ = false;
  for (const Header* header = begin; header; header = next(*header)) {
    differ |= header->value != begin->value;
    if (!joined.empty()) joined += ", ";
    joined += header->value;
  }
  return differ ? joined : begin->value;
}

}  // namespace collet::transport
