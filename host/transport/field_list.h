// The elements of a header's value that is a list (RFC 9110 §5.6.1).
#pragma once

#include <optional>
#include <string_view>

namespace collet::transport {

// Takes one element after another from `value`, which outlives this: what stands between commas that are not inside
// of a quoted string, without the blanks around it. Empty elements are passed over.
class FieldList {
 public:
  explicit FieldList(std::string_view value, char separator = ',') : rest_(value), separator_(separator) {}
  std::optional<std::string_view> next();

 private:
  std::string_view take();
  std::size_t end_of_quoted() const;  // of an element that has quotes

  std::string_view rest_;
  const char separator_;
};

}  // namespace collet::transport
