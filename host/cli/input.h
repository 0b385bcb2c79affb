// What a verb is given to read: files, stdin, JSON on the command line.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace collet::cli {

// All of a file; of `in`, a descriptor, if it is called "-".
Result<std::string> read_input(const std::string& file, int in, std::size_t bytes_max);

// What a person says, without the newline.
std::string read_line(int in);

// "LINE:COLUMN: " and what would have to stand there, of a text that is not JSON.
std::string describe(std::string_view text, const json::ParseError& wrong);

// The arguments of a tool, a JSON object, as an option has them: as JSON, as @FILE, or as - for `in`.
Result<std::string> read_arguments(const std::string& given, int in, std::size_t bytes_max);

}  // namespace collet::cli
