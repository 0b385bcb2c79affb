// What `format` asserts, if it is asked to.
#pragma once

#include <string_view>

namespace collet::schema {

using FormatCheck = bool (*)(std::string_view text);

// Null if the format is unknown, which asserts nothing.
FormatCheck find_format(std::string_view name);

}  // namespace collet::schema
