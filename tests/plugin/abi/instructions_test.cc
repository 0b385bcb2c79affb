#include "collet/ext/instructions.h"

#include "plugin/abi/host_table.h"
#include "recorder.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;

namespace {

struct SayingHost {
  ~SayingHost() { loop.stop(); }

  std::int32_t say(std::string_view text) const { return said->set_instructions(&table, text.data(), text.size()); }

  RunningLoop loop;
  CallTable calls{{&loop.get()}};
  CallOwner owner{"tester", 1};
  Items items{CallRules{}};
  Blobs blobs;
  Instructions instructions;
  HostSide side{calls, owner, items, blobs, {}, {}, &instructions};
  const collet_host table = make_host_table(side);
  const collet_instructions* said = static_cast<const collet_instructions*>(
      table.get_extension(&table, COLLET_EXT_INSTRUCTIONS, sizeof COLLET_EXT_INSTRUCTIONS - 1));
};

}  // namespace

TEST_CASE("what a plugin says takes the place of what it has said before") {
  SayingHost host;
  CHECK(host.say("one") == COLLET_OK);
  CHECK(host.say("two") == COLLET_OK);
  CHECK(host.instructions.text() == "two");
  CHECK(host.said->set_instructions(&host.table, nullptr, 0) == COLLET_OK);
  CHECK(host.instructions.text().empty());
}

TEST_CASE("instructions that cannot be are refused, and what was said before stays") {
  SayingHost host;
  const std::string longest(limits::kInstructionsBytesMax, 'a');
  CHECK(host.say(longest) == COLLET_OK);
  CHECK(host.say(longest + "a") == COLLET_E_LIMIT);
  CHECK(host.said->set_instructions(&host.table, nullptr, 1) == COLLET_E_INVALID);
  CHECK(host.instructions.text() == longest);
  CHECK(host.say("a\xff") == COLLET_OK);
  CHECK(host.instructions.text() == "a\uFFFD");
}
