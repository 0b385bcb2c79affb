#include <atomic>
#include <set>
#include <thread>

#include "base/limits.h"
#include "store/backends.h"

using namespace collet;
using namespace collet::store;
using test::InFile;
using test::InMemory;
using test::told;

using Status = Records::Status;

namespace {

// Who asks and waits for the answer, at a time that the test sets.
template <class Backend>
struct Desk {
  Records::Answer get(const std::string& key) {
    return told<Records::Answer>([&](Records::Answered then) { records.get(space, key, std::move(then)); });
  }
  std::string text(const std::string& key) {
    const Records::Answer answer = get(key);
    return answer.value ? *answer.value : "none";
  }
  Records::Answer put(const std::string& key, std::string value, Records::Expected expected = {}, std::uint64_t ttl_ms = 0) {
    return told<Records::Answer>(
        [&](Records::Answered then) { records.put(space, {key, std::move(value), expected, ttl_ms}, std::move(then)); });
  }
  Records::Answer remove(const std::string& key, Records::Expected expected = {}) {
    return told<Records::Answer>([&](Records::Answered then) { records.remove(space, key, expected, std::move(then)); });
  }
  Records::Page list(const Records::List& wanted) {
    return told<Records::Page>([&](Records::Listed then) { records.list(space, wanted, std::move(then)); });
  }
  // Puts a record without waiting; what is asked next waits for it. Those that were refused are counted.
  void put_on(const std::string& key, std::string value, std::uint64_t ttl_ms = 0) {
    records.put(space, {key, std::move(value), {}, ttl_ms}, [this](Records::Answer answer) { refused += answer.status != Status::done; });
  }
  // "a b …", with what follows behind them.
  std::string keys(const Records::List& wanted) {
    const Records::Page page = list(wanted);
    std::string keys;
    for (const auto& [key, version] : page.keys) keys += (keys.empty() ? "" : " ") + key;
    return keys + (page.more ? " …" : "");
  }

  std::uint64_t now_ms = 1'000'000;
  std::string space = "p";
  std::atomic<unsigned> refused{0};
  Backend backend{now_ms};
  Records& records = backend.records;
};

}  // namespace

TEMPLATE_TEST_CASE("a record is there under its key until it is removed", "", InMemory, InFile) {
  Desk<TestType> desk;
  CHECK(desk.get("a").version == 0);
  CHECK(desk.text("a") == "none");
  const Records::Answer put = desk.put("a", "1");
  CHECK(put.status == Status::done);
  CHECK(desk.get("a").version == put.version);
  CHECK(desk.text("a") == "1");
  CHECK(desk.put("b", "").version != put.version);
  CHECK(desk.text("b").empty());
  CHECK(desk.remove("a").version == put.version);
  CHECK(desk.text("a") == "none");
  CHECK(desk.remove("a").version == 0);
}

TEMPLATE_TEST_CASE("a space has its records for itself", "", InMemory, InFile) {
  Desk<TestType> desk;
  desk.put("a", "1");
  desk.space = "q";
  CHECK(desk.text("a") == "none");
  desk.put("a", "2");
  desk.space = "p";
  CHECK(desk.text("a") == "1");
}

TEMPLATE_TEST_CASE("what is not as expected is left as it is, and its version told", "", InMemory, InFile) {
  Desk<TestType> desk;
  const std::uint64_t first = desk.put("a", "1", 0).version;
  CHECK(first != 0);
  const Records::Answer there = desk.put("a", "2", 0);
  CHECK(there.status == Status::unexpected);
  CHECK(there.version == first);
  const std::uint64_t second = desk.put("a", "2", first).version;
  CHECK(desk.put("a", "3", first).status == Status::unexpected);
  CHECK(desk.remove("a", first).status == Status::unexpected);
  CHECK(desk.text("a") == "2");
  CHECK(desk.remove("a", second).status == Status::done);
  CHECK(desk.put("a", "4", second).version == 0);
  CHECK(desk.remove("a", 0).status == Status::done);  // as there is none
  CHECK(desk.text("a") == "none");
}

TEMPLATE_TEST_CASE("no version comes twice, whatever was removed or has expired", "", InMemory, InFile) {
  Desk<TestType> desk;
  std::set<std::uint64_t> versions;
  for (int i = 0; i < 3; ++i) {
    versions.insert(desk.put("a", "1").version);
    versions.insert(desk.put("a", "1", {}, 10).version);
    desk.now_ms += 10;
    versions.insert(desk.put("b", "1", 0).version);
    desk.remove("b");
  }
  CHECK(versions.size() == 9);
}

TEMPLATE_TEST_CASE("a record is there up to its end, and not at it", "", InMemory, InFile) {
  Desk<TestType> desk;
  const std::uint64_t version = desk.put("a", "1", {}, 100).version;
  desk.now_ms += 99;
  CHECK(desk.text("a") == "1");
  desk.now_ms += 1;
  CHECK(desk.text("a") == "none");
  CHECK(desk.keys({}).empty());
  CHECK(desk.put("a", "2", version).status == Status::unexpected);
  CHECK(desk.put("a", "2", 0).status == Status::done);
}

TEMPLATE_TEST_CASE("each put says anew when a record ends", "", InMemory, InFile) {
  Desk<TestType> desk;
  desk.put("a", "1", {}, 100);
  desk.put("a", "2", {}, 300);
  desk.put("b", "1", {}, 100);
  desk.put("b", "2");
  desk.now_ms += 200;
  CHECK(desk.text("a") == "2");
  desk.now_ms += 100;
  CHECK(desk.text("a") == "none");
  CHECK(desk.text("b") == "2");
}

TEMPLATE_TEST_CASE("what has expired is freed, so much at a time, whoever puts what", "", InMemory, InFile) {
  Desk<TestType> desk;
  constexpr unsigned kMany = 10 * limits::kRecordsFreedAtOnce;
  for (unsigned i = 0; i < kMany; ++i) desk.put_on("k" + std::to_string(i), "v", 100);
  desk.put("stays", "v");
  CHECK(desk.backend.count() == kMany + 1);
  desk.now_ms += 100;
  desk.put("stays", "v");
  const std::size_t after_one = desk.backend.count();
  CHECK(after_one < kMany + 1);
  CHECK(after_one + 2 * limits::kRecordsFreedAtOnce >= kMany + 1);
  desk.space = "q";
  for (unsigned i = 0; i < 2 * 10; ++i) desk.put("other", "v");
  CHECK(desk.backend.count() == 2);
  desk.space = "p";
  CHECK(desk.text("stays") == "v");
}

TEMPLATE_TEST_CASE("a space has room for so many records, and for none more until one goes", "", InMemory, InFile) {
  Desk<TestType> desk;
  for (unsigned i = 0; i < limits::kRecordsMax; ++i) desk.put_on("k" + std::to_string(i), "v");
  const Records::Answer past = desk.put("more", "v");
  CHECK(desk.refused == 0);
  CHECK(past.status == Status::full);
  CHECK(past.version == 0);
  CHECK(desk.text("more") == "none");
  CHECK(desk.put("k1", "w").status == Status::done);
  desk.remove("k0");
  CHECK(desk.put("more", "v").status == Status::done);
}

TEMPLATE_TEST_CASE("a space has room for so many bytes, and for none more", "", InMemory, InFile) {
  Desk<TestType> desk;
  constexpr std::size_t kFit = limits::kRecordsBytesMax / limits::kRecordValueBytesMax;
  const std::string value(limits::kRecordValueBytesMax - 2, 'v');
  for (std::size_t i = 0; i < kFit; ++i) REQUIRE(desk.put(std::to_string(10 + i), value).status == Status::done);
  const Records::Answer longer = desk.put("10", value + "v");
  CHECK(longer.status == Status::full);
  CHECK(longer.version == desk.get("10").version);
  CHECK(desk.get("10").value->size() == value.size());
  CHECK(desk.put("10", value).status == Status::done);
  CHECK(desk.put("x", "").status == Status::full);
  CHECK(desk.put("11", value.substr(1)).status == Status::done);
  CHECK(desk.put("x", "").status == Status::done);
}

TEMPLATE_TEST_CASE("what has expired keeps no room from others", "", InMemory, InFile) {
  Desk<TestType> desk;
  for (unsigned i = 0; i < limits::kRecordsMax; ++i) desk.put_on("k" + std::to_string(i), "v", i % 2 ? 100 : 200);
  CHECK(desk.backend.count() == limits::kRecordsMax);
  desk.now_ms += 100;
  for (unsigned i = 0; i < limits::kRecordsMax / 2; ++i) desk.put_on("n" + std::to_string(i), "v");
  CHECK(desk.put("more", "v").status == Status::full);
  CHECK(desk.refused == 0);
}

TEMPLATE_TEST_CASE("keys are listed by their prefix, in order, page by page", "", InMemory, InFile) {
  Desk<TestType> desk;
  for (const char* key : {"b/2", "a", "b/1", "b", "c", "b/3"}) desk.put(key, "v");
  CHECK(desk.keys({}) == "a b b/1 b/2 b/3 c");
  CHECK(desk.keys({.prefix = "b"}) == "b b/1 b/2 b/3");
  CHECK(desk.keys({.prefix = "b/", .keys_max = 2}) == "b/1 b/2 …");
  CHECK(desk.keys({.prefix = "b/", .after = "b/2", .keys_max = 2}) == "b/3");
  CHECK(desk.keys({.prefix = "b/", .keys_max = 3}) == "b/1 b/2 b/3");
  CHECK(desk.keys({.prefix = "b/", .after = "a"}) == "b/1 b/2 b/3");
  CHECK(desk.keys({.prefix = "b/", .after = "c"}).empty());
  CHECK(desk.keys({.after = ""}) == "a b b/1 b/2 b/3 c");
  CHECK(desk.list({.prefix = "a"}).keys.front().version == desk.get("a").version);
}

TEMPLATE_TEST_CASE("a page has as many keys as the limit allows", "", InMemory, InFile) {
  Desk<TestType> desk;
  for (unsigned i = 0; i < limits::kRecordPageKeys; ++i) desk.put_on(std::to_string(100'000 + i), "v");
  CHECK(desk.list({.keys_max = limits::kRecordPageKeys + 1}).keys.size() == limits::kRecordPageKeys);
  CHECK_FALSE(desk.list({}).more);
  desk.put("z", "v");
  CHECK(desk.list({}).keys.size() == limits::kRecordPageKeys);
  CHECK(desk.list({}).more);
}

TEMPLATE_TEST_CASE("a value that was read stays as it was", "", InMemory, InFile) {
  Desk<TestType> desk;
  desk.put("a", "1");
  const Records::Answer read = desk.get("a");
  desk.put("a", "2");
  desk.remove("a");
  CHECK(*read.value == "1");
}

TEMPLATE_TEST_CASE("who has read a version is the only one to replace it, from however many threads", "", InMemory, InFile) {
  Desk<TestType> desk;
  constexpr int kThreads = 4, kEach = 200;
  const auto count_up = [&] {
    for (int done = 0; done < kEach;) {
      const Records::Answer read = desk.get("n");
      const int before = read.value ? std::stoi(*read.value) : 0;
      done += desk.put("n", std::to_string(before + 1), read.version).status == Status::done;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(count_up);
  for (std::thread& thread : threads) thread.join();
  CHECK(desk.text("n") == std::to_string(kThreads * kEach));
}
