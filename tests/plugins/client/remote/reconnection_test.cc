#include "client/remote/reconnection.h"

#include "client/limits.h"
#include "support/catch.h"

using namespace collet::client;

TEST_CASE("a remote that was up for long is tried at once, and calls wait") {
  Reconnection tries;
  tries.note_up(0);
  CHECK(tries.note_down(limits::kStableMs, true, 0) == 0);
  CHECK(tries.patient(limits::kStableMs));
}

TEST_CASE("pauses between attempts grow to their limit, and calls stop waiting") {
  Reconnection tries;
  std::uint64_t now = 0;
  for (unsigned failure = 1; failure <= 20; ++failure) {
    const std::uint64_t pause = tries.note_down(now, false, 0);
    const std::uint64_t most = std::min(limits::kBackoffMinMs << std::min(failure - 1, 10u), limits::kBackoffMaxMs);
    CAPTURE(failure);
    CHECK(pause >= most / 2);
    CHECK(pause <= most);
    CHECK(tries.remaining_ms(now) == pause);
    CHECK(tries.patient(now) == (failure == 1));
    CHECK(tries.is_news() == (failure == 1));
    now += pause;
    tries.note_attempt();
  }
}

TEST_CASE("calls wait for a remote that restarts, however often it is tried, for a while") {
  Reconnection tries;
  tries.note_up(0);
  tries.note_down(1, true, 0);
  for (unsigned failure = 0; failure < 9; ++failure) tries.note_down(2, false, 0);
  CHECK(tries.remaining_ms(2) < limits::kRestartMs);
  CHECK(tries.patient(limits::kRestartMs));
  CHECK_FALSE(tries.patient(limits::kRestartMs + 1));
}

TEST_CASE("calls wait as long as the configuration says") {
  Reconnection tries(60'000);
  tries.note_up(0);
  tries.note_down(1, true, 0);
  for (unsigned failure = 0; failure < 9; ++failure) tries.note_down(2, false, 0);
  CHECK(tries.patient(60'000));
  CHECK_FALSE(tries.patient(60'001));
  Reconnection none(0);
  none.note_up(0);
  none.note_down(1, true, 0);
  none.note_down(2, false, 0);
  CHECK_FALSE(none.patient(3));
}

TEST_CASE("a remote that asks to be left alone is, and nobody waits that long") {
  Reconnection tries;
  CHECK(tries.note_down(0, false, 60'000) == 60'000);
  CHECK_FALSE(tries.patient(0));
}

TEST_CASE("a remote that is given up is not tried, and nobody waits") {
  Reconnection tries;
  tries.give_up();
  tries.note_down(0, false, 0);
  CHECK(tries.remaining_ms(0) == 0);
  CHECK_FALSE(tries.patient(0));
}
