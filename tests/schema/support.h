// What the tests of the validator share.
#pragma once

#include <string>
#include <string_view>

#include "schema/schema.h"
#include "support/catch.h"

namespace collet::schema::testing {

inline json::Document parse(std::string_view text) {
  json::Document document;
  INFO(text);
  REQUIRE_FALSE(json::parse(text, document));
  return document;
}

inline Schema compile(std::string_view text, const Options& options = {}) {
  auto schema = Schema::compile_text(text, options);
  INFO((schema ? std::string(text) : schema.message()));
  REQUIRE(schema);
  return std::move(*schema);
}

inline CompileError refused(std::string_view text, const Options& options = {}) {
  CompileError why;
  const auto schema = Schema::compile_text(text, options, &why);
  INFO(text);
  REQUIRE_FALSE(schema);
  CHECK(schema.message() == why.message);
  return why;
}

inline Verdict verdict(std::string_view schema, std::string_view instance, const Options& options = {}) {
  return compile(schema, options).validate(parse(instance));
}
inline bool valid(std::string_view schema, std::string_view instance, const Options& options = {}) {
  return verdict(schema, instance, options).valid();
}

// The messages of the violations, a line each.
inline std::string explain(std::string_view schema, std::string_view instance) {
  return compile(schema).explain(parse(instance)).to_text();
}

}  // namespace collet::schema::testing
