// Arguments as a person types them: NAME=VALUE, read as the input schema wants it, or NAME:=JSON, taken as it is.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "schema/schema.h"

namespace collet::cli {

// `given`, the text of a JSON object, with what the words say over it. A dot in a name leads into an object, a name that is
// repeated makes an array. Of the values that a text can stand for the first one counts that fits the schema; of a schema that
// says nothing, JSON comes before a string. An error says which argument is wrong, and what is expected there.
// `compiled` is the same schema; null: it cannot be read, and others find out what fits.
Result<std::string> typed_arguments(const json::Value& schema, const schema::Schema* compiled, std::string_view given,
                                    std::span<const std::string> words);

}  // namespace collet::cli
