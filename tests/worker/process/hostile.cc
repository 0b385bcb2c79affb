// A worker that offers one tool, "echo", and answers its calls as no sound worker does, in the way that the
// variable COLLET_TEST_CASE names. "cut N" ends the process after N bytes of what a sound one would say.
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "registry/item.h"
#include "worker/host/process.h"
#include "worker/talk/frame.h"
#include "worker/talk/open_order.h"

using namespace collet;
using namespace collet::worker;

namespace {

std::size_t left_to_say = SIZE_MAX;

void say(std::string_view bytes) {
  const std::size_t size = std::min(bytes.size(), left_to_say);
  if (size > 0 && send(kSocketDescriptor, bytes.data(), size, MSG_NOSIGNAL) < 0) _exit(3);
  left_to_say -= size;
  if (left_to_say == 0) _exit(9);
}

std::string introduction() {
  std::string out;
  {
    FrameWriter items(out, FrameType::items);
    items.number(std::uint32_t{0}).number(std::uint32_t{1}).number(std::uint32_t{1}).number(std::uint32_t{1});
    items.number(std::uint32_t{0}).number(std::uint32_t{0}).text("echo").text("{}").number(std::uint8_t{1});
  }
  FrameWriter opened(out, FrameType::opened);
  opened.text_or_nothing(std::nullopt).text("org.example.hostile").text("1.0.0").text("");
  opened.number(std::uint32_t{0}).number(std::uint32_t{0}).number(std::uint8_t{0}).text("").text("");
  return out;
}

std::string end_of(std::uint64_t call, std::string_view pieces, std::uint8_t how = 0) {
  std::string out;
  FrameWriter end(out, FrameType::end, call);
  end.number(how).number(std::uint8_t{0}).number(std::int32_t{0}).number(std::uint32_t{0}).text(pieces);
  end.text("").text("").text("").text("").text_or_nothing(std::nullopt).text("").text("");
  return out;
}

std::string blob(std::uint64_t offset, std::uint64_t size) {
  std::string out;
  FieldWriter(out).number(Piece::arena_blob).text("image").text("image/png").number(offset).number(size);
  return out;
}

std::string text_piece() {
  std::string out;
  FieldWriter(out).number(Piece::text).text("sound");
  return out;
}

// Changes the shared memory without end.
void rewrite_arena() {
  auto* at = static_cast<std::atomic<unsigned char>*>(
      mmap(nullptr, limits::kWorkerArenaBytesMax, PROT_READ | PROT_WRITE, MAP_SHARED, kArenaDescriptor, 0));
  std::thread([at] {
    for (unsigned char byte = 0;; ++byte) {
      for (std::size_t i = 0; i < 65'536; ++i) at[i].store(byte, std::memory_order_relaxed);
    }
  }).detach();
}

std::string answer(const std::string& how, std::uint64_t call) {
  std::string out;
  if (how == "another id") return end_of(call + 1, text_piece());
  if (how == "twice") return end_of(call, text_piece()) + end_of(call, text_piece());
  if (how == "beyond the arena") return end_of(call, blob(limits::kWorkerArenaBytesMax - 1, 2));
  if (how == "around the arena") return end_of(call, blob(~std::uint64_t{0} - 1, 3));
  if (how == "edge of the arena") return end_of(call, blob(limits::kWorkerArenaBytesMax - 3, 3));
  if (how == "rewritten") return end_of(call, blob(0, 65'536));
  if (how == "unknown piece") return end_of(call, std::string("\x63\0\0\0\0", 5));
  if (how == "unknown end") return end_of(call, text_piece(), 3);
  if (how == "torn piece") return end_of(call, text_piece().substr(0, 7));
  if (how == "opened again") return introduction();
  if (how == "unknown type") {
    FrameWriter(out, static_cast<FrameType>(200), call);
  } else if (how == "too few fields") {
    FrameWriter(out, FrameType::end, call).number(std::uint8_t{0});
  } else if (how == "too many items") {
    FrameWriter(out, FrameType::items).number(std::uint32_t{0}).number(~std::uint32_t{0});
  } else if (how == "body of none") {
    FrameWriter(out, FrameType::body_taken, call).number(std::uint64_t{0});
  } else if (how == "body unsent") {
    FrameWriter(out, FrameType::body_taken, call).number(std::uint64_t{1});
  } else if (how == "body unsaid") {
    FrameWriter(out, FrameType::body_taken, call).number(std::uint8_t{0});
  } else if (how == "instructions") {
    FrameWriter(out, FrameType::instructions).text(std::string(limits::kInstructionsBytesMax + 1, 'a'));
  } else if (how == "no block") {
    std::string piece;
    FieldWriter(piece).number(Piece::json).text("[]");
    out = end_of(call, piece);
  } else {
    FrameWriter(out, FrameType::progress, call).number(0.5).number(1.0).text("half");
    out += end_of(call, text_piece());
  }
  return out;
}

}  // namespace

int main() {
  const char* given = std::getenv("COLLET_TEST_CASE");
  const std::string how = given ? given : "";
  if (how.starts_with("cut ")) left_to_say = std::stoul(how.substr(4));
  if (left_to_say == 0) return 9;
  if (how == "rewritten") rewrite_arena();
  FrameBuffer input;
  for (;;) {
    while (const auto frame = input.next()) {
      if (frame->head.type == FrameType::open) say(introduction());
      if (frame->head.type == FrameType::call) say(answer(how, frame->head.id));
      if (frame->head.type == FrameType::close) return 0;
    }
    std::size_t room;
    char* at = input.room(room);
    const ssize_t size = recv(kSocketDescriptor, at, room, 0);
    if (size <= 0) return 0;
    input.filled(static_cast<std::size_t>(size));
  }
}
