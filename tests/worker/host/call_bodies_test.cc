// How much of a request's body a worker is sent, and what a hostile one may say of it, beside a host table that has bodies to read.
#include "worker/host/call_bodies.h"

#include <algorithm>

#include "support/catch.h"

using namespace collet;
using namespace collet::worker;

namespace {

constexpr std::size_t kAheadMax = limits::kHttpBodyAheadBytesMax;

struct Source {
  std::size_t left = 0;
  bool is_whole = false;
};
std::map<collet_call, Source> sources;  // of calls that run

std::int32_t read_some(const collet_host*, collet_call call, void* data, std::size_t size, std::size_t* out) {
  const auto found = sources.find(call);
  if (found == sources.end()) return COLLET_E_STALE;
  Source& source = found->second;
  *out = std::min(size, source.left);
  std::memset(data, 'x', *out);
  source.left -= *out;
  return *out > 0 || source.is_whole ? COLLET_OK : COLLET_E_STATE;
}

constexpr collet_http kReading = {.struct_size = sizeof(collet_http), .read_body = read_some};

struct ReadingWorker {
  ReadingWorker() {
    sources.clear();
    host.get_extension = [](const collet_host*, const char* id, std::size_t size) -> const void* {
      return std::string_view(id, size) == COLLET_EXT_HTTP ? &kReading : nullptr;
    };
    bodies.attach(host);
  }
  std::string taken(collet_call call, std::uint64_t bytes) {
    std::string body;
    FieldWriter(body).number(bytes);
    return bodies.taken(call, body);
  }

  std::size_t sent = 0;
  unsigned ends = 0;
  collet_host host{};
  CallBodies bodies{[this](std::string_view frame) {
    FrameHead head;
    std::memcpy(&head, frame.data(), sizeof head);
    CHECK(head.type == FrameType::body);
    FieldReader fields(frame.substr(sizeof head));
    sent += fields.text().size();
    ends += fields.number<std::uint8_t>();
    CHECK(fields.complete());
  }};
};

}  // namespace

TEST_CASE("a worker is sent a body when it asks, and so much ahead of what it has taken") {
  ReadingWorker worker;
  Source& source = sources[1] = {.left = 3 * kAheadMax};
  worker.bodies.came(1);
  CHECK(worker.sent == 0);
  CHECK(worker.taken(1, 0).empty());
  CHECK(worker.sent == kAheadMax);
  worker.bodies.came(1);
  CHECK(worker.sent == kAheadMax);
  CHECK(worker.taken(1, 1).empty());
  CHECK(worker.sent == kAheadMax + 1);
  CHECK(worker.taken(1, kAheadMax).empty());
  CHECK(worker.taken(1, kAheadMax).empty());
  CHECK(worker.sent == 3 * kAheadMax);
  CHECK(worker.ends == 0);
  source.is_whole = true;
  worker.bodies.came(1);
  CHECK(worker.ends == 1);
  CHECK(worker.taken(1, kAheadMax - 1).empty());
  CHECK(worker.ends == 1);
}

TEST_CASE("a worker that has taken more of a body than it was sent breaks the rules, by one byte as by many") {
  ReadingWorker worker;
  sources[1] = {.left = 10};
  CHECK_FALSE(worker.taken(1, 1).empty());
  CHECK(worker.taken(1, 0).empty());
  CHECK(worker.taken(1, 10).empty());
  CHECK_THAT(worker.taken(1, 1), Catch::Contains("more of a body than it was sent"));
  CHECK_FALSE(worker.taken(1, ~std::uint64_t{0}).empty());
  CHECK_FALSE(worker.bodies.taken(1, "x").empty());
}

TEST_CASE("what a worker has asked for is forgotten with its call, and with its process") {
  ReadingWorker worker;
  sources[1] = {};
  CHECK(worker.taken(1, 0).empty());
  sources.erase(1);
  worker.bodies.came(1);  // it has ended meanwhile
  sources[1] = {.left = 1};
  worker.bodies.came(1);
  CHECK(worker.sent == 0);
  CHECK(worker.taken(1, 0).empty());
  CHECK(worker.sent == 1);
  worker.bodies.ended(1);
  CHECK_FALSE(worker.taken(1, 1).empty());
  worker.bodies.forget_all();
  sources[1].left = 1;
  worker.bodies.came(1);
  CHECK(worker.sent == 1);
}
