#include "plugin/abi/create_errors.h"

#include "base/limits.h"
#include "plugin/run/items.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;

namespace {

std::string told(const CreateErrors& errors) { return errors.failure(-5, Items(CallRules{})).message; }
const std::string kReturned = "its create() returned COLLET_E_INTERNAL (-5)";

}  // namespace

TEST_CASE("the last error of a create() is why it fails, until it has returned") {
  CreateErrors errors;
  CHECK(told(errors) == kReturned);
  errors.note("first");
  errors.note("last");
  CHECK(told(errors) == kReturned + ": last");
  errors.end();
  errors.note("late");
  CHECK(told(errors) == kReturned);
}

TEST_CASE("why a create() fails is told up to its limit, and not in the midst of a character") {
  CreateErrors errors;
  const std::string most(limits::kCreateErrorBytesMax, 'x');
  errors.note(most);
  CHECK(told(errors) == kReturned + ": " + most);
  errors.note(most + "y");
  CHECK(told(errors) == kReturned + ": " + most);
  errors.note(most.substr(1) + "é");
  CHECK(told(errors) == kReturned + ": " + most.substr(1));
}
