// What a hostile worker asks of the host's store and streams, beside a host table that answers when the test says so.
#include "support/catch.h"
#include "worker/host/record_errands.h"
#include "worker/host/stream_errands.h"

using namespace collet;
using namespace collet::worker;

namespace {

// What waits for an answer.
std::vector<collet_store_params> questions;
std::vector<collet_events_params> follows;
std::vector<collet_follow> unfollowed;

std::int32_t take_question(const collet_host*, const collet_store_params* params) {
  if (params->key.size == 0) return COLLET_E_INVALID;
  questions.push_back(*params);
  return COLLET_OK;
}

const collet_store kStore = {.struct_size = sizeof(collet_store), .reserved = 0, .get = take_question, .put = take_question,
                             .remove = take_question,
                             .list = [](const collet_host*, const collet_keys_params*) { return COLLET_E_LIMIT; }};
const collet_events kEvents = {.struct_size = sizeof(collet_events), .reserved = 0,
                               .append = [](const collet_host*, const collet_append_params*) { return COLLET_E_LIMIT; },
                               .read = [](const collet_host*, const collet_events_params*) { return COLLET_E_UNSUPPORTED; },
                               .follow = [](const collet_host*, const collet_events_params* params, collet_follow* out) {
                                 if (std::string_view(params->stream.data, params->stream.size) == "no") return COLLET_E_UNSUPPORTED;
                                 follows.push_back(*params);
                                 *out = follows.size();
                                 return COLLET_OK;
                               },
                               .unfollow = [](const collet_host*, collet_follow follow) {
                                 unfollowed.push_back(follow);
                                 return COLLET_OK;
                               }};

// A worker that speaks of one of them, and hears what is sent to it.
template <class Errands>
struct Worker {
  Worker() {
    host.get_extension = [](const collet_host*, const char* id, std::size_t size) -> const void* {
      return std::string_view(id, size) == COLLET_EXT_STORE ? static_cast<const void*>(&kStore) : &kEvents;
    };
    errands.begin(1);
  }
  ~Worker() {
    errands.begin(0);
    while (!questions.empty()) answer("");
    follows.clear();
    unfollowed.clear();
  }

  std::string say(FrameType type, std::uint64_t id, const std::function<void(FrameWriter&)>& write) {
    std::string frame;
    {
      FrameWriter writer(frame, type, id);
      write(writer);
    }
    FrameHead head;
    std::memcpy(&head, frame.data(), sizeof head);
    return errands.take(head, std::string_view(frame).substr(sizeof head));
  }
  std::string get(std::uint64_t id, std::string_view key = "k") {
    return say(FrameType::record_get, id, [&](FrameWriter& frame) { frame.text(key); });
  }
  std::string follow(std::uint64_t id, std::string_view stream = "s") {
    return say(FrameType::follow_next, id, [&](FrameWriter& frame) {
      frame.text("p").text(stream).number(std::uint64_t{0}).number(std::uint32_t{0});
    });
  }
  std::string unfollow(std::uint64_t id) {
    return say(FrameType::unfollow, id, [](FrameWriter&) {});
  }
  void answer(std::string_view value) {
    collet_stored stored{};
    stored.struct_size = sizeof stored;
    stored.value = {value.data(), value.size()};
    const collet_store_params question = questions.back();
    questions.pop_back();
    question.answered(question.context, &stored);
  }
  void page(std::size_t of, collet_follow follow) {
    const collet_event event{1, 0, COLLET_STR("e")};
    collet_events_page page{};
    page.struct_size = sizeof page;
    page.follow = follow;
    page.events = &event;
    page.event_count = 1;
    follows[of].told(follows[of].context, &page);
  }
  std::int32_t last_status() const {
    FieldReader fields(std::string_view(sent.back()).substr(sizeof(FrameHead)));
    return fields.number<std::int32_t>();
  }

  std::vector<std::string> sent;  // to the worker
  std::size_t room = SIZE_MAX;    // for a frame
  collet_host host{};
  Errands errands{[this](std::uint32_t, std::string_view frame, Errands::Need need) {
    if (frame.size() > room && need == Errands::Need::may_be_lost) return false;
    sent.emplace_back(frame);
    return true;
  }};
};

}  // namespace

TEST_CASE("a worker that uses the number of a question twice breaks the rules") {
  Worker<RecordErrands> worker;
  worker.errands.attach(worker.host);
  CHECK(worker.get(1).empty());
  CHECK_THAT(worker.get(1), Catch::Contains("twice"));
  CHECK_FALSE(worker.get(0).empty());
  worker.answer("v");
  CHECK(worker.sent.size() == 1);
  CHECK(worker.get(1).empty());  // it is answered
  worker.errands.begin(2);
  CHECK(worker.get(1).empty());  // another process counts anew
}

TEST_CASE("a worker waits for as many answers as the limit allows, and breaks the rules past it") {
  Worker<RecordErrands> worker;
  worker.errands.attach(worker.host);
  for (unsigned id = 1; id <= limits::kAskedMax; ++id) CHECK(worker.get(id).empty());
  CHECK_THAT(worker.get(limits::kAskedMax + 1), Catch::Contains("more than"));
  worker.answer("v");
  CHECK(worker.get(limits::kAskedMax + 1).empty());
}

TEST_CASE("what the table refuses is an answer, and what there is no room for") {
  Worker<RecordErrands> worker;
  worker.errands.attach(worker.host);
  CHECK(worker.get(1, "").empty());
  CHECK(worker.last_status() == COLLET_E_INVALID);
  CHECK(worker.say(FrameType::record_list, 1, [](FrameWriter& frame) {
    frame.text("").text_or_nothing(std::nullopt).number(std::uint32_t{0});
  }).empty());
  CHECK(worker.last_status() == COLLET_E_LIMIT);
  worker.room = 1'000;
  worker.get(1);
  worker.answer(std::string(1'000, 'v'));
  CHECK(worker.last_status() == COLLET_E_LIMIT);
  worker.get(1);
  worker.answer("v");
  CHECK(worker.last_status() == COLLET_OK);
}

TEST_CASE("what a process that is gone has asked is answered to nobody, and counts for no other") {
  Worker<RecordErrands> worker;
  worker.errands.attach(worker.host);
  for (unsigned id = 1; id <= limits::kAskedMax; ++id) worker.get(id);
  worker.errands.begin(2);
  CHECK(worker.get(1).empty());
  const collet_store_params second = questions.back();
  questions.pop_back();
  worker.answer("v");                                  // of the first process, with another number
  CHECK_THAT(worker.get(1), Catch::Contains("twice"));  // that of the second is open still
  questions.push_back(second);
}

TEST_CASE("a worker's frame that is no question breaks the rules") {
  Worker<RecordErrands> records;
  records.errands.attach(records.host);
  const auto nothing = [](FrameWriter&) {};
  const auto too_much = [](FrameWriter& frame) { frame.text("k").text("k").text("k").text("k").text("k"); };
  for (const FrameType type : {FrameType::record_get, FrameType::record_put, FrameType::record_remove, FrameType::record_list}) {
    CHECK_FALSE(records.say(type, 1, nothing).empty());
    CHECK_FALSE(records.say(type, 1, too_much).empty());
  }
  Worker<StreamErrands> streams;
  streams.errands.attach(streams.host);
  for (const FrameType type : {FrameType::event_append, FrameType::event_read, FrameType::follow_next}) {
    CHECK_FALSE(streams.say(type, 1, nothing).empty());
    CHECK_FALSE(streams.say(type, 1, too_much).empty());
  }
  CHECK(questions.empty());
  CHECK(follows.empty());
}

TEST_CASE("what a worker asks of the store before its host is up is kept, up to a limit") {
  Worker<RecordErrands> worker;
  constexpr unsigned kKept = limits::kAskedMax + 2 * limits::kFollowsMax;
  for (unsigned id = 1; id <= kKept; ++id) CHECK(worker.get(id).empty());
  CHECK(questions.empty());
  CHECK_FALSE(worker.get(kKept + 1).empty());
  worker.errands.attach(worker.host);
  CHECK(questions.size() == limits::kAskedMax);  // which is all that a sound one asks
}

TEST_CASE("a worker is told the next page of what it follows once each time that it asks") {
  Worker<StreamErrands> worker;
  worker.errands.attach(worker.host);
  CHECK(worker.follow(7).empty());
  CHECK_THAT(worker.follow(7), Catch::Contains("twice"));
  worker.page(0, 1);
  CHECK(worker.sent.size() == 1);
  CHECK(unfollowed == std::vector<collet_follow>{1});
  CHECK(worker.follow(7).empty());
  CHECK(worker.follow(8, "no").empty());
  CHECK(worker.last_status() == COLLET_E_UNSUPPORTED);
  CHECK_FALSE(worker.follow(0).empty());
}

TEST_CASE("what a worker follows no more is not followed for it, nor what a process followed that is gone") {
  Worker<StreamErrands> worker;
  worker.errands.attach(worker.host);
  worker.follow(1);
  CHECK(worker.unfollow(1).empty());
  CHECK(worker.unfollow(1).empty());
  CHECK(unfollowed == std::vector<collet_follow>{1});
  worker.follow(2);
  worker.errands.begin(2);
  CHECK(unfollowed == std::vector<collet_follow>{1, 2});
  CHECK(worker.follow(2).empty());
  CHECK(worker.sent.empty());
}

TEST_CASE("a worker follows as many streams as the limit allows, and breaks the rules past it") {
  Worker<StreamErrands> worker;
  worker.errands.attach(worker.host);
  for (unsigned id = 1; id <= limits::kFollowsMax; ++id) CHECK(worker.follow(id).empty());
  CHECK_THAT(worker.follow(limits::kFollowsMax + 1), Catch::Contains("more than"));
  worker.unfollow(1);
  CHECK(worker.follow(limits::kFollowsMax + 1).empty());
}

TEST_CASE("a page that there is no room for ends what is followed") {
  Worker<StreamErrands> worker;
  worker.errands.attach(worker.host);
  worker.room = 30;
  worker.follow(1);
  worker.page(0, 1);
  CHECK(worker.last_status() == COLLET_E_LIMIT);
}
