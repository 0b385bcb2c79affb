#include "worker/host/send_queue.h"

#include <string>

#include "base/limits.h"
#include "socket_pair.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::worker;

TEST_CASE("what is held is sent by a flush, in order, and waits for nobody") {
  const SocketPair ends;
  SendQueue queue;
  queue.begin(ends.ours.get());
  CHECK(queue.hold("one ") == SendQueue::Sent::yes);
  CHECK(queue.hold("two ") == SendQueue::Sent::yes);
  CHECK(ends.read().empty());
  CHECK_FALSE(queue.waits());
  queue.flush();
  CHECK(ends.read() == "one two ");
  CHECK(queue.size() == 0);
}

TEST_CASE("what is sent takes along what is held before it") {
  const SocketPair ends;
  SendQueue queue;
  queue.begin(ends.ours.get());
  CHECK(queue.hold("call ") == SendQueue::Sent::yes);
  CHECK(queue.send("cancel") == SendQueue::Sent::yes);
  CHECK(ends.read() == "call cancel");
  CHECK_FALSE(queue.waits());
}

TEST_CASE("what the socket does not take waits, and comes whole and in order") {
  const SocketPair ends;
  SendQueue queue;
  queue.begin(ends.ours.get());
  std::string sent;
  while (!queue.waits()) {
    const std::string frame(64 << 10, static_cast<char>('a' + sent.size() % 23));
    REQUIRE(queue.send(frame) == SendQueue::Sent::yes);
    sent += frame;
  }
  CHECK(queue.hold("end") == SendQueue::Sent::yes);
  sent += "end";
  std::string read;
  while (queue.waits()) {
    read += ends.read();
    queue.flush();
  }
  CHECK(read + ends.read() == sent);
}

TEST_CASE("a queue holds its limit and not one byte more, until its process is gone") {
  const SocketPair ends;
  SendQueue queue;
  queue.begin(ends.ours.get());
  const std::string most(limits::kWorkerQueueBytesMax, 'x');
  CHECK(queue.hold(most) == SendQueue::Sent::yes);
  CHECK(queue.hold("y") == SendQueue::Sent::no_room);
  CHECK(queue.send("y") == SendQueue::Sent::no_room);
  queue.end();
  CHECK(queue.size() == 0);
  CHECK_FALSE(queue.waits());
}
