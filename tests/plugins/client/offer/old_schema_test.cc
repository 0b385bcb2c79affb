#include "client/offer/old_schema.h"

#include "support/catch.h"

using namespace collet::client;

TEST_CASE("a tuple of an older draft is one of 2020-12, with what stands behind it") {
  CHECK(as_2020_12(R"({"items":[{"type":"string"},true],"additionalItems":false})") ==
        R"({"prefixItems":[{"type":"string"},true],"items":false})");
  CHECK(as_2020_12(R"({"items":{"items":[true]}})") == R"({"items":{"prefixItems":[true]}})");
  CHECK(as_2020_12(R"({"items":{"type":"string"},"additionalItems":false})") ==
        R"({"items":{"type":"string"},"additionalItems":false})");
}

TEST_CASE("a bound that draft-04 excludes is an exclusive one") {
  CHECK(as_2020_12(R"({"minimum":0.50,"exclusiveMinimum":true,"maximum":9,"exclusiveMaximum":false})") ==
        R"({"exclusiveMinimum":0.50,"maximum":9})");
  CHECK(as_2020_12(R"({"exclusiveMinimum":true})") == "{}");
  CHECK(as_2020_12(R"({"minimum":0,"exclusiveMinimum":-1})") == R"({"minimum":0,"exclusiveMinimum":-1})");
}

TEST_CASE("old keywords are found wherever a schema stands, and nowhere else") {
  const std::string old = R"({"minimum":0,"exclusiveMinimum":true})", now = R"({"exclusiveMinimum":0})";
  for (const std::string place : {"properties\":{\"exclusiveMinimum\":@}", "$defs\":{\"a\":@}", "anyOf\":[true,@]",
                                  "not\":@", "additionalProperties\":@", "dependencies\":{\"a\":@,\"b\":[\"c\"]}"}) {
    const auto with = [&](const std::string& schema) {
      return "{\"" + std::string(place).replace(place.find('@'), 1, schema) + "}";
    };
    CHECK(as_2020_12(with(old)) == with(now));
  }
  for (const std::string place : {"const\":@", "enum\":[@]", "default\":@", "examples\":[@]", "x-own\":@",
                                  "properties\":{\"items\":{\"enum\":[@]}}"}) {
    const std::string schema = "{\"" + std::string(place).replace(place.find('@'), 1, old) + "}";
    CHECK(as_2020_12(schema) == schema);
  }
}

TEST_CASE("a schema that says its dialect, or would lose a reference, stays as it is") {
  for (const std::string schema : {R"({"$schema":"http://json-schema.org/draft-07/schema#","items":[true]})",
                                   R"({"items":[{"type":"string"},{"$ref":"#/items/0"}]})", R"({"items":[true})", "true",
                                   R"({ "type" : "object" })"}) {
    CHECK(as_2020_12(schema) == schema);
  }
}

TEST_CASE("2025-11-25 is the first version with a dialect") {
  CHECK_FALSE(has_dialect("2024-11-05"));
  CHECK_FALSE(has_dialect("2025-06-18"));
  CHECK(has_dialect("2025-11-25"));
  CHECK(has_dialect("2026-07-28"));
}
