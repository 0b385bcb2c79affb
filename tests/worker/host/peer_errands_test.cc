// What a hostile worker asks of the host's items, beside a host table that never answers.
#include "worker/host/peer_errands.h"

#include "support/catch.h"

using namespace collet;
using namespace collet::worker;

namespace {

// What waits for an answer.
std::vector<collet_list_params> lists;
std::vector<collet_invoke_params> invoked;

const collet_tools kTools = {.struct_size = sizeof(collet_tools), .reserved = 0,
                             .invoke = [](const collet_host*, const collet_invoke_params* params, collet_invocation* out) {
                               invoked.push_back(*params);
                               *out = invoked.size();
                               return COLLET_OK;
                             },
                             .cancel = [](const collet_host*, collet_invocation) { return COLLET_OK; }};
const collet_registry kItems = {.struct_size = sizeof(collet_registry), .reserved = 0,
                                .list = [](const collet_host*, const collet_list_params* params) {
                                  lists.push_back(*params);
                                  return COLLET_OK;
                                },
                                .watch = [](const collet_host*, const collet_watch_params*) { return COLLET_OK; }};

struct AskingWorker {
  AskingWorker() {
    host.get_extension = [](const collet_host*, const char* id, std::size_t size) -> const void* {
      return std::string_view(id, size) == COLLET_EXT_TOOLS ? static_cast<const void*>(&kTools) : &kItems;
    };
    errands.begin(1);
  }
  ~AskingWorker() {
    while (!lists.empty()) answer_list();
    collet_outcome ended{};
    ended.struct_size = sizeof ended;
    for (const collet_invoke_params& each : invoked) each.ended(each.context, &ended);
    invoked.clear();
  }
  void answer_list() {
    lists.back().listed(lists.back().context, COLLET_OK, "{}", 2);
    lists.pop_back();
  }

  std::string list(std::uint64_t id) {
    std::string frame;
    FrameWriter(frame, FrameType::list, id).number(std::uint64_t{0}).number(std::uint32_t{COLLET_TOOL}).number(std::uint32_t{0})
        .text_or_nothing(std::nullopt).number(std::uint8_t{0});
    return take(frame);
  }
  std::string invoke(std::uint64_t id, std::size_t bytes = 1) {
    std::string frame;
    FrameWriter(frame, FrameType::invoke, id).number(std::uint64_t{0}).number(std::uint32_t{COLLET_TOOL}).number(std::uint64_t{0})
        .text("n").text_or_nothing(std::string(bytes, ' ')).text_or_nothing(std::nullopt).text_or_nothing(std::nullopt);
    return take(frame);
  }
  std::string take(std::string_view frame) {
    FrameHead head;
    std::memcpy(&head, frame.data(), sizeof head);
    return errands.take(head, frame.substr(sizeof head));
  }

  unsigned sent = 0;  // frames to the worker
  collet_host host{};
  PeerErrands errands{[this](std::uint32_t, std::string_view, Errands::Need) { return ++sent, true; }};
};

}  // namespace

TEST_CASE("a worker waits for so many lists, and is refused one more") {
  AskingWorker worker;
  worker.errands.attach(worker.host);
  for (unsigned id = 1; id <= limits::kWorkerListsMax; ++id) CHECK(worker.list(id).empty());
  CHECK(worker.sent == 0);
  CHECK(worker.list(99).empty());
  CHECK(worker.sent == 1);
  worker.answer_list();  // now there is room again
  CHECK(worker.sent == 2);
  CHECK(worker.list(100).empty());
  CHECK(worker.sent == 2);
}

TEST_CASE("a worker that uses a number twice breaks the rules") {
  AskingWorker worker;
  worker.errands.attach(worker.host);
  CHECK(worker.invoke(1).empty());
  CHECK(worker.invoke(2).empty());
  CHECK_THAT(worker.invoke(1), Catch::Contains("twice"));
  CHECK_FALSE(worker.invoke(0).empty());
  worker.errands.begin(2);  // another process counts anew
  CHECK(worker.invoke(1).empty());
}

TEST_CASE("what a worker asks before its host is up is kept, up to a limit") {
  AskingWorker worker;
  for (unsigned id = 1; id <= limits::kInvocationsMax; ++id) CHECK(worker.invoke(id).empty());
  CHECK(invoked.empty());
  CHECK_FALSE(worker.invoke(limits::kInvocationsMax + 1).empty());
  worker.errands.attach(worker.host);
  CHECK(invoked.size() == limits::kInvocationsMax);
}

TEST_CASE("what a worker has given to calls has a bound, all together") {
  AskingWorker worker;
  worker.errands.attach(worker.host);
  CHECK(worker.invoke(1, limits::kWorkerQueueBytesMax - 1024).empty());
  CHECK(worker.invoke(2, 2048).empty());
  CHECK(invoked.size() == 1);  // the other has been refused
  CHECK(worker.sent == 1);
}
