// What a hostile worker has its host fetch, beside a host table that never answers by itself.
#include "worker/host/fetch_errands.h"

#include "plugin/abi/structs.h"
#include "support/catch.h"

using namespace collet;
using namespace collet::worker;

namespace {

struct Fetched {
  collet_fetch_params params;
  bool cancelled = false;
  std::size_t untaken = 0;
};
std::map<collet_exchange, Fetched> exchanges;
collet_exchange last_exchange = 0;
std::int32_t next_status = COLLET_OK;

const collet_fetch kFetching = {.struct_size = sizeof(collet_fetch), .reserved = 0,
                                .fetch = [](const collet_host*, const collet_fetch_params* params, collet_exchange* out) {
                                  if (next_status < 0) return std::exchange(next_status, COLLET_OK);
                                  exchanges[*out = ++last_exchange].params = *params;
                                  return COLLET_OK;
                                },
                                .taken = [](const collet_host*, collet_exchange exchange, std::size_t size) {
                                  const auto found = exchanges.find(exchange);
                                  if (found == exchanges.end()) return COLLET_E_STALE;
                                  if (size > found->second.untaken) return COLLET_E_INVALID;
                                  found->second.untaken -= size;
                                  return COLLET_OK;
                                },
                                .cancel = [](const collet_host*, collet_exchange exchange) {
                                  exchanges[exchange].cancelled = true;
                                  return COLLET_OK;
                                }};

struct FetchingWorker {
  FetchingWorker() {
    host.get_extension = [](const collet_host*, const char* id, std::size_t size) -> const void* {
      return std::string_view(id, size) == COLLET_EXT_FETCH ? &kFetching : nullptr;
    };
    errands.begin(1);
  }
  ~FetchingWorker() {
    while (!exchanges.empty()) end(exchanges.begin()->first);
  }
  void end(collet_exchange exchange) {
    collet_fetch_end ended{};
    ended.struct_size = sizeof ended;
    const collet_fetch_params params = exchanges.extract(exchange).mapped().params;
    params.ended(params.context, &ended);
  }
  void tell(collet_exchange exchange, const std::string& bytes) {
    Fetched& fetched = exchanges.at(exchange);
    fetched.untaken += bytes.size();
    fetched.params.body(fetched.params.context, bytes.data(), bytes.size());
  }

  std::string fetch(std::uint64_t id, std::size_t fields = 0, std::string_view content = "") {
    std::string frame;
    {
      FrameWriter writer(frame, FrameType::fetch, id);
      writer.number(std::uint64_t{0}).number(std::uint64_t{0}).number(std::uint64_t{0}).number(std::uint64_t{0}).number(std::uint32_t{0});
      writer.text("GET").text("http://a/").text(content);
      for (std::size_t i = 0; i < fields; ++i) writer.text("n").text("v");
    }
    return take(frame);
  }
  std::string taken(std::uint64_t id, std::uint64_t bytes) {
    std::string frame;
    FrameWriter(frame, FrameType::fetch_taken, id).number(bytes);
    return take(frame);
  }
  std::string cancel(std::uint64_t id) {
    std::string frame;
    FrameWriter(frame, FrameType::cancel_fetch, id);
    return take(frame);
  }
  std::string take(std::string_view frame) {
    FrameHead head;
    std::memcpy(&head, frame.data(), sizeof head);
    return errands.take(head, frame.substr(sizeof head));
  }

  std::vector<FrameType> sent;  // to the worker
  bool takes = true;            // it has room for what may be lost
  collet_host host{};
  FetchErrands errands{[this](std::uint32_t, std::string_view frames, Errands::Need need) {
    if (!takes && need == Errands::Need::may_be_lost) return false;
    FrameHead head;
    std::memcpy(&head, frames.data(), sizeof head);
    sent.push_back(head.type);
    return true;
  }};
};

}  // namespace

TEST_CASE("a worker that uses the number of an exchange twice breaks the rules") {
  FetchingWorker worker;
  worker.errands.attach(worker.host);
  CHECK(worker.fetch(1).empty());
  CHECK(worker.fetch(2).empty());
  CHECK_THAT(worker.fetch(1), Catch::Contains("twice"));
  CHECK_FALSE(worker.fetch(0).empty());
  worker.errands.begin(2);  // another process counts anew
  CHECK(exchanges[1].cancelled);
  CHECK(exchanges[2].cancelled);
  CHECK(worker.fetch(1).empty());
}

TEST_CASE("what a worker fetches before its host is up is kept, up to a limit") {
  FetchingWorker worker;
  for (unsigned id = 1; id <= limits::kFetchesMax; ++id) {
    CHECK(worker.fetch(id).empty());
    CHECK(worker.cancel(id).empty());
  }
  CHECK(exchanges.empty());
  CHECK_FALSE(worker.fetch(limits::kFetchesMax + 1).empty());
  worker.errands.attach(worker.host);
  CHECK(exchanges.size() == limits::kFetchesMax);
  CHECK(std::all_of(exchanges.begin(), exchanges.end(), [](const auto& each) { return each.second.cancelled; }));
}

TEST_CASE("frames about exchanges that are none break the rules, those about what has ended do not") {
  FetchingWorker worker;
  worker.errands.attach(worker.host);
  const auto frame_of = [](FrameType type, std::string_view body) {
    std::string frame;
    {
      FrameWriter writer(frame, type, 1);
      for (const char each : body) writer.number(each);
    }
    return frame;
  };
  for (std::size_t size = 0; size < 60; ++size) CHECK_FALSE(worker.take(frame_of(FrameType::fetch, std::string(size, '\xff'))).empty());
  CHECK_FALSE(worker.take(frame_of(FrameType::fetch_taken, "1234567")).empty());
  CHECK_FALSE(worker.fetch(1, limits::kFetchFieldsMax + 2).empty());
  CHECK(exchanges.empty());
  CHECK(worker.taken(7, 100).empty());
  CHECK(worker.cancel(7).empty());
  next_status = COLLET_E_INVALID;
  CHECK_FALSE(worker.fetch(1).empty());
  next_status = COLLET_E_LIMIT;
  CHECK(worker.fetch(1).empty());
  CHECK(worker.sent == std::vector{FrameType::fetch_end});
}

TEST_CASE("a worker has taken no more than it was told") {
  FetchingWorker worker;
  worker.errands.attach(worker.host);
  CHECK(worker.fetch(5).empty());
  worker.tell(last_exchange, "abc");
  CHECK(worker.taken(5, 2).empty());
  CHECK(worker.taken(5, 1).empty());
  CHECK_THAT(worker.taken(5, 1), Catch::Contains("taken more"));
  CHECK(worker.sent == std::vector{FrameType::fetch_bytes});
}

TEST_CASE("a worker that does not take what it is told loses the exchange, and hears that") {
  FetchingWorker worker;
  worker.errands.attach(worker.host);
  CHECK(worker.fetch(5).empty());
  worker.takes = false;
  const collet_exchange exchange = last_exchange;
  worker.tell(exchange, "abc");
  CHECK(exchanges[exchange].cancelled);
  worker.tell(exchange, "def");
  worker.takes = true;
  worker.tell(exchange, "ghi");
  CHECK(worker.sent.empty());
  worker.end(exchange);
  CHECK(worker.sent == std::vector{FrameType::fetch_end});
}
