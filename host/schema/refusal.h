// The first reason why a schema does not compile. Whoever refuses goes on harmlessly; the loops look here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "schema/program.h"

namespace collet::schema {

class Refusal {
 public:
  explicit Refusal(const Program& program) : program_(program) {}

  // `keyword` may be empty: the schema at `location` itself.
  void refuse(CompileError::Kind kind, std::uint32_t location, std::string_view keyword, std::string_view reason);
  void refuse(CompileError error) {
    if (!error_) error_ = std::move(error);
  }

  explicit operator bool() const { return error_.has_value(); }
  CompileError& error() { return *error_; }

 private:
  const Program& program_;
  std::optional<CompileError> error_;
};

}  // namespace collet::schema
