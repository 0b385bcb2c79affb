// The texts of metaschemas/*.json, compiled in.
#pragma once

#include <cstddef>
#include <iterator>
#include <string_view>

namespace collet::schema {

extern const std::string_view kMetaschemas[];
extern const std::size_t kMetaschemaCount;

}  // namespace collet::schema
