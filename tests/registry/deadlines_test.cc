#include "registry/deadlines.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/manual_time.h"

using collet::registry::Deadline;
using collet::registry::Deadlines;

namespace {

struct World {
  collet::loop::Loop loop;
  Deadlines deadlines{loop};
  ManualTime time{loop};
  std::string passed;  // a letter each

  // One that notes its letter.
  std::unique_ptr<Deadline> noting(char letter) {
    return std::make_unique<Deadline>([this, letter] { passed += letter; });
  }
};

}  // namespace

TEST_CASE("deadlines pass once each, when their time has come, in the order of their times") {
  World world;
  const auto a = world.noting('a');
  const auto b = world.noting('b');
  const auto c = world.noting('c');
  b->arm(world.deadlines, 20);
  a->arm(world.deadlines, 10);
  c->arm(world.deadlines, 30);
  world.time.pass(9);
  CHECK(world.passed.empty());
  world.time.pass(1);
  CHECK(world.passed == "a");
  CHECK_FALSE(a->armed());
  CHECK(b->armed());
  world.time.pass(20);
  CHECK(world.passed == "abc");
  world.time.pass(1'000);
  CHECK(world.passed == "abc");
}

TEST_CASE("a deadline knows how much time is left, and until it passes that is some") {
  World world;
  const auto a = world.noting('a');
  a->arm(world.deadlines, 10);
  CHECK(a->left_ms() == 10);
  world.time.pass(9);
  CHECK(a->left_ms() == 1);
  Deadline due([&] { CHECK(a->left_ms() == 1); });
  due.arm(world.deadlines, 1);
  a->arm(world.deadlines, 1);
  world.time.pass(1);
  CHECK(world.passed == "a");
}

TEST_CASE("deadlines of the same moment pass in the order in which they were armed") {
  World world;
  const auto a = world.noting('a');
  const auto b = world.noting('b');
  const auto c = world.noting('c');
  const auto d = world.noting('d');
  a->arm(world.deadlines, 10);
  b->arm(world.deadlines, 10);
  c->arm(world.deadlines, 10);
  world.time.pass(4);
  d->arm(world.deadlines, 6);
  a->arm(world.deadlines, 6);
  world.time.pass(6);
  CHECK(world.passed == "bcda");
}

TEST_CASE("a deadline that is disarmed or destroyed does not pass, and the others do") {
  World world;
  const auto a = world.noting('a');
  auto b = world.noting('b');
  const auto c = world.noting('c');
  a->arm(world.deadlines, 10);
  b->arm(world.deadlines, 20);
  c->arm(world.deadlines, 30);
  a->disarm();
  a->disarm();
  b.reset();
  CHECK_FALSE(a->armed());
  world.time.pass(100);
  CHECK(world.passed == "c");
}

TEST_CASE("a deadline that is armed again passes at the new time only, be it later or sooner") {
  World world;
  const auto later = world.noting('l');
  const auto sooner = world.noting('s');
  later->arm(world.deadlines, 10);
  sooner->arm(world.deadlines, 1'000);
  world.time.pass(5);
  later->arm(world.deadlines, 10);
  sooner->arm(world.deadlines, 3);
  world.time.pass(5);
  CHECK(world.passed == "s");
  world.time.pass(5);
  CHECK(world.passed == "sl");
  world.time.pass(1'000);
  CHECK(world.passed == "sl");
}

TEST_CASE("a deadline may be armed again from within, and then passes in another turn, also without delay") {
  World world;
  int passed = 0;
  Deadline again([&] {
    CHECK_FALSE(again.armed());
    if (++passed < 3) again.arm(world.deadlines, 10);
  });
  again.arm(world.deadlines, 10);
  world.time.pass(10);
  CHECK(passed == 1);
  world.time.pass(20);
  CHECK(passed == 3);

  const auto after = world.noting('a');
  Deadline at_once([&] {
    world.passed += 'o';
    if (world.passed.size() < 4) at_once.arm(world.deadlines, 0);
  });
  at_once.arm(world.deadlines, 0);
  after->arm(world.deadlines, 0);
  collet::loop::Timer other(world.loop);
  other.start(0, [&] { world.passed += 't'; });
  world.time.pass(0);
  CHECK(world.passed == "oato");
}

TEST_CASE("from within a deadline's passing others of that moment can be taken away and armed") {
  World world;
  auto doomed = world.noting('d');
  const auto disarmed = world.noting('x');
  const auto put_off = world.noting('p');
  const auto late = world.noting('l');
  Deadline first([&] {
    world.passed += 'f';
    doomed.reset();
    disarmed->disarm();
    put_off->arm(world.deadlines, 5);
    late->arm(world.deadlines, 1);
  });
  first.arm(world.deadlines, 10);
  doomed->arm(world.deadlines, 10);
  disarmed->arm(world.deadlines, 10);
  put_off->arm(world.deadlines, 10);
  world.time.pass(10);
  CHECK(world.passed == "f");
  world.time.pass(1);
  CHECK(world.passed == "fl");
  world.time.pass(4);
  CHECK(world.passed == "flp");
}

TEST_CASE("the owner of a deadline may be destroyed by its passing") {
  World world;
  struct Owner {
    Owner(World& in, std::unique_ptr<Owner>& owner) : world(in), self(owner) {}
    void expire() {
      world.passed += 'o';
      self.reset();
    }
    World& world;
    std::unique_ptr<Owner>& self;
    Deadline deadline{[this] { expire(); }};
    Deadline other{[this] { world.passed += '!'; }};
  };
  std::unique_ptr<Owner> owner;
  owner = std::make_unique<Owner>(world, owner);
  owner->deadline.arm(world.deadlines, 10);
  owner->other.arm(world.deadlines, 10);
  const auto next = world.noting('n');
  next->arm(world.deadlines, 10);
  world.time.pass(10);
  CHECK_FALSE(owner);
  CHECK(world.passed == "on");
}

TEST_CASE("deadlines that are gone leave nothing armed") {
  collet::loop::Loop loop;
  Deadline a([] { FAIL("passed"); });
  Deadline b([] { FAIL("passed"); });
  {
    Deadlines deadlines(loop);
    a.arm(deadlines, 10);
    b.arm(deadlines, 5);
  }
  CHECK_FALSE(a.armed());
  CHECK_FALSE(b.armed());
  ManualTime(loop).pass(100);
}

TEST_CASE("a loop that runs lets its deadlines pass") {
  collet::loop::Loop loop;
  Deadlines deadlines(loop);
  Deadline deadline([&] { loop.stop(); });
  loop.post([&] { deadline.arm(deadlines, 1); });
  loop.run();
  CHECK_FALSE(deadline.armed());
}

TEST_CASE("of 10,000 deadlines, some of them taken away or put off, each other passes in its turn") {
  World world;
  constexpr std::size_t kCount = 10'000;
  std::mt19937 random(7);
  const auto some = [&](std::uint64_t below) { return random() % below; };
  std::vector<std::size_t> passed;
  std::vector<std::unique_ptr<Deadline>> deadlines;
  struct When {
    std::uint64_t ms, order;
    std::size_t which;
  };
  std::vector<When> expected(kCount);
  std::uint64_t order = 0;
  const auto arm = [&](std::size_t which) {
    const std::uint64_t ms = 1 + some(1'000);
    deadlines[which]->arm(world.deadlines, ms);
    expected[which] = {ms, ++order, which};
  };
  for (std::size_t i = 0; i < kCount; ++i) {
    deadlines.push_back(std::make_unique<Deadline>([&passed, i] { passed.push_back(i); }));
    arm(i);
  }
  for (std::size_t i = 0; i < kCount / 2; ++i) {
    const std::size_t which = some(kCount);
    if (i % 2 == 0) {
      arm(which);
    } else {
      deadlines[which]->disarm();
      expected[which].ms = 0;
    }
  }
  std::erase_if(expected, [](const When& when) { return when.ms == 0; });
  std::sort(expected.begin(), expected.end(),
            [](const When& a, const When& b) { return std::pair(a.ms, a.order) < std::pair(b.ms, b.order); });
  world.time.pass(500);
  CHECK(passed.size() == static_cast<std::size_t>(std::count_if(expected.begin(), expected.end(),
                                                                [](const When& when) { return when.ms <= 500; })));
  world.time.pass(500);
  std::vector<std::size_t> in_turn;
  for (const When& when : expected) in_turn.push_back(when.which);
  CHECK(passed == in_turn);
}
