// An engine on a loop of the test's thread, and a sink that keeps what it hears.
#pragma once

#include <string>

#include "fetch/engine.h"
#include "support/catch.h"
#include "support/scripted_server.h"

namespace collet::fetch {

constexpr std::size_t kPiece = 16u << 10;  // what libcurl hands on at once

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Heard final : Sink {
  void on_head(Head given) override {
    ++heads;
    head = std::move(given);
    if (at_head) at_head();
  }
  void on_body(std::string bytes) override {
    body += bytes;
    unread += bytes.size();
    ++pieces;
    if (at_body) at_body(bytes.size());
  }
  void on_end(const End& given) override {
    ++ends;
    end = given;
    if (at_end) at_end();
  }

  Head head;
  std::string body;
  End end;
  std::size_t unread = 0;
  int heads = 0, pieces = 0, ends = 0;
  std::function<void()> at_head, at_end;
  std::function<void(std::size_t)> at_body;
};

struct Fetching {
  explicit Fetching(EngineOptions options = {.user_agent = "collet-test", .ca_file = {}})
      : engine(std::make_unique<Engine>(loop, std::move(options))) {}

  // Until the condition holds, which may be about what other threads do; false: that takes too long.
  template <class Condition>
  bool run_until(Condition condition) {
    constexpr std::uint64_t kTooLongMs = 60'000, kLookMs = 2;
    bool late = false;
    loop::Timer limit(loop), look(loop);
    limit.start(kTooLongMs, [&] {
      late = true;
      loop.stop();
    });
    look.repeat(kLookMs, [&] {
      if (condition()) loop.stop();
    });
    while (!late && !condition()) loop.run();
    return !late;
  }
  // Runs it to its end, with a sink that takes all at once.
  void run(Request request, Heard& heard) {
    const Engine::Id id = engine->start(std::move(request), heard);
    heard.at_body = [this, id](std::size_t size) { engine->taken(id, size); };
    REQUIRE(run_until([&] { return heard.ends > 0; }));
  }
  Heard get(const std::string& url) {
    Heard heard;
    run({.url = url}, heard);
    heard.at_body = nullptr;
    return heard;
  }

  loop::Loop loop;
  std::unique_ptr<Engine> engine;
};

}  // namespace collet::fetch
