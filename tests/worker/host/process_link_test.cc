#include "worker/host/process_link.h"

#include <string>

#include "base/limits.h"
#include "socket_pair.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::worker;

namespace {

using Send = ProcessLink::Send;

// A process that is up, as a socket, and a host of which every call runs.
struct Up {
  Up() {
    host.is_cancelled = [](const collet_host*, collet_call) -> std::int32_t { return 0; };
    REQUIRE(link.open());
    link.attach(host);
    link.begin(ends.ours.get(), 1, "");
    link.come_up();
  }
  bool give(std::string_view frame, Send when) {
    std::string reason;
    return link.give_call(7, 1, frame, when, reason);
  }
  std::string read() const { return ends.read(); }
  SocketPair ends;
  collet_host host{};
  ProcessLink link{limits::kWorkerHangMs};
};

}  // namespace

TEST_CASE("calls of one turn of a loop are sent together when it ends") {
  Up up;
  CHECK(up.give("one ", Send::at_turn_end));
  CHECK(up.give("two ", Send::at_turn_end));
  CHECK(up.read().empty());
  CHECK_FALSE(up.link.wanted().flush);  // it is not the socket that keeps them
  up.link.at_turn_end();
  CHECK(up.read() == "one two ");
  up.link.at_turn_end();
  CHECK(up.read().empty());
}

TEST_CASE("what cannot wait for the end of the turn takes along the calls before it") {
  Up up;
  CHECK(up.give("call ", Send::at_turn_end));
  CHECK(up.give("now", Send::now));
  CHECK(up.read() == "call now");
  CHECK(up.give("call ", Send::at_turn_end));
  up.link.cancel(7, COLLET_CANCEL_CLIENT);
  std::string cancel;
  FrameWriter(cancel, FrameType::cancel, 7).number(static_cast<std::uint32_t>(COLLET_CANCEL_CLIENT));
  CHECK(up.read() == "call " + cancel);
}

TEST_CASE("so many bytes of calls are held until the end of the turn, and not one more") {
  Up up;
  CHECK(up.give(std::string(limits::kWorkerHeldBytesMax, 'x'), Send::at_turn_end));
  CHECK(up.read().empty());
  CHECK(up.give("y", Send::at_turn_end));
  CHECK(up.read() == std::string(limits::kWorkerHeldBytesMax, 'x') + "y");
}

TEST_CASE("calls that are held for a process that ends reach no other") {
  Up up;
  CHECK(up.give("call", Send::at_turn_end));
  up.link.end();
  up.link.at_turn_end();
  up.link.begin(up.ends.ours.get(), 2, "order");
  up.link.at_turn_end();
  CHECK(up.read() == "order");
}
