// The sanitizers have an operator new of their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <atomic>
#include <cstdlib>
#include <new>

#include "schema/support.h"

namespace {
std::atomic<std::size_t> allocations;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size ? size : 1);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace collet;
using namespace collet::schema;
using namespace collet::schema::testing;

TEST_CASE("the fast path allocates nothing") {
  const auto schema = compile(R"({"type":"object","properties":{
    "text":{"type":"string","minLength":1,"pattern":"(foo|bar)$"},"word":{"pattern":"^[a-z]+$"},
    "guarded":{"pattern":"^(?!x).*$"},"kind":{"enum":["a","b",1,2,3,4,5,6,7,8,9,[1]]},
    "number":{"type":"number","minimum":0,"multipleOf":0.01},
    "list":{"items":{"anyOf":[{"type":"string"},{"$ref":"#/$defs/pair"}]},"uniqueItems":true,"contains":{"type":"string"}},
    "open":{"properties":{"x":true},"unevaluatedProperties":{"type":"integer"}}},
    "patternProperties":{"^x-":{"type":"string"}},"propertyNames":{"maxLength":10},
    "additionalProperties":false,"required":["text"],"dependentRequired":{"text":["word"]},
    "if":{"required":["number"]},"then":{"required":["kind"]},"not":{"required":["forbidden"]},
    "$defs":{"pair":{"prefixItems":[{"type":"integer"},{"type":"integer"}],"items":false}}})");
  const auto good = parse(R"({"text":"a foo","word":"abc","guarded":"y","kind":[1],"number":1.25,"x-y":"z",
    "list":["a",[1,2],"b",[3,4],"c","d","e","f","g","h","i","j","k","l"],"open":{"x":"s","y":1}})");
  const auto bad = parse(R"({"text":"a foo","word":"abc","kind":"c"})");
  REQUIRE(schema.explain(good).to_text().empty());
  REQUIRE_FALSE(schema.validate(bad).valid());
  const std::size_t before = allocations;
  const bool valid = schema.validate(good).valid();
  const bool invalid = schema.validate(bad).valid();
  const std::size_t after = allocations;
  CHECK(valid);
  CHECK_FALSE(invalid);
  CHECK(after == before);
}
#endif
