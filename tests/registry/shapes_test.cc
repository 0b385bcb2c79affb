#include "registry/shapes.h"

#include "schema/schema.h"
#include "support/catch.h"

using namespace collet;

TEST_CASE("each shape is a schema that its metaschema has nothing against") {
  for (unsigned shape = 0; shape <= static_cast<unsigned>(registry::kLastShape); ++shape) {
    const auto compiled = schema::Schema::compile_text(registry::shape_text(static_cast<registry::Shape>(shape)));
    INFO(shape << ": " << (compiled ? std::string() : compiled.message()));
    CHECK(compiled.ok());
  }
}
