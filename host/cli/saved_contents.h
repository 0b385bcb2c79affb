// A file for what a call gives that is no text, and more files for more of it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace collet::cli {

class SavedContents {
 public:
  // The first content goes to `file`, whatever is there; the next ones go to "name-2.ext", "name-3.ext", … beside it, which must
  // not be there, as nobody has named them.
  explicit SavedContents(std::string file) : file_(std::move(file)) {}

  // Returns the file's name.
  Result<std::string> save(std::string_view bytes);
  unsigned count() const { return count_; }

 private:
  std::string next_name() const;

  const std::string file_;
  unsigned count_ = 0;
};

}  // namespace collet::cli
