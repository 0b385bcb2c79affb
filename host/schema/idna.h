// Internationalised labels (IDNA 2008), as far as `hostname` and `idn-hostname` need them. Unicode's categories and
// scripts are those of RE2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace collet::schema::idna {

// The A-label (xn--…) of a U-label; nothing if it is none (RFC 5891 §4.2, RFC 5892). Case is not mapped.
std::optional<std::string> to_a_label(std::string_view u_label);
// Whether an LDH label that begins with xn-- is the A-label of some U-label.
bool is_a_label(std::string_view label);

// RFC 5893. A label of either form.
bool is_right_to_left(std::string_view label);
bool obeys_bidi_rule(std::string_view label);

}  // namespace collet::schema::idna
