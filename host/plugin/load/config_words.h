// What a JSON Schema wants a value of the configuration to be, for people.
#pragma once

#include <string>

#include "base/json.h"

namespace collet::plugin {

// "an integer from 1 to 5", "a string or a table", "\"asc\" or \"desc\"". Empty if the schema takes anything, or says it in ways
// that are not known here.
std::string value_words(const json::Value& schema);

}  // namespace collet::plugin
