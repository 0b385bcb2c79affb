#include "worker/talk/frame.h"

#include "support/catch.h"

using namespace collet;
using namespace collet::worker;

namespace {

void feed(FrameBuffer& buffer, std::string_view bytes) {
  std::size_t room;
  char* at = buffer.room(room);
  REQUIRE(room >= bytes.size());
  std::memcpy(at, bytes.data(), bytes.size());
  buffer.filled(bytes.size());
}

}  // namespace

TEST_CASE("frames are found wherever the stream is cut") {
  std::string stream;
  FrameWriter(stream, FrameType::log, 7).number(std::uint32_t{5}).text("logger").text_or_nothing(std::nullopt);
  FrameWriter(stream, FrameType::close);
  FrameWriter(stream, FrameType::end, 8).text(std::string(1000, 'x'));
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    FrameBuffer buffer;
    std::vector<std::uint64_t> ids;
    for (const std::string_view part :
         {std::string_view(stream).substr(0, cut), std::string_view(stream).substr(cut)}) {
      feed(buffer, part);
      while (const auto frame = buffer.next()) {
        ids.push_back(frame->head.id);
        FieldReader fields(frame->body);
        if (frame->head.type == FrameType::log) {
          CHECK(fields.number<std::uint32_t>() == 5);
          CHECK(fields.text() == "logger");
          CHECK_FALSE(fields.text_or_nothing());
        } else if (frame->head.type == FrameType::end) {
          CHECK(fields.text().size() == 1000);
        }
        CHECK(fields.complete());
      }
    }
    CHECK(ids == std::vector<std::uint64_t>{7, 0, 8});
    CHECK_FALSE(buffer.broken());
  }
}

TEST_CASE("a frame may be as large as the limit and not one byte larger") {
  for (const std::size_t excess : {0, 1}) {
    FrameHead head;
    head.size = static_cast<std::uint32_t>(limits::kWorkerFrameBytesMax + excess);
    FrameBuffer buffer;
    feed(buffer, {reinterpret_cast<const char*>(&head), sizeof head});
    CHECK_FALSE(buffer.next());
    CHECK(buffer.broken() == (excess == 1));
  }
}

TEST_CASE("room is made for what has come, not for what a head announces") {
  FrameHead head;
  head.size = limits::kWorkerFrameBytesMax;
  FrameBuffer buffer;
  feed(buffer, {reinterpret_cast<const char*>(&head), sizeof head});
  std::size_t room;
  buffer.room(room);
  CHECK(buffer.capacity() <= 2 * limits::kWorkerReadBytes);
}

TEST_CASE("fields that are not there read as zero and make the whole bad") {
  std::string fields;
  FieldWriter(fields).number(std::uint32_t{3}).text("abc");
  for (std::size_t size = 0; size < fields.size(); ++size) {
    FieldReader reader(std::string_view(fields).substr(0, size));
    reader.number<std::uint32_t>();
    CHECK(reader.text().empty());
    CHECK(reader.bad());
    CHECK_FALSE(reader.complete());
  }
  FieldReader rest(fields);
  rest.number<std::uint32_t>();
  CHECK_FALSE(rest.complete());
  CHECK_FALSE(rest.bad());

  std::string huge;
  FieldWriter(huge).number(std::uint32_t{0xfffffffe});
  FieldReader reader(huge);
  CHECK(reader.text().empty());
  CHECK(reader.bad());
}
