// What a worker's frames say, said to the host table, which believes none of it.
#pragma once

#include <string>
#include <vector>

#include "collet/plugin.h"
#include "worker/talk/arena.h"
#include "worker/talk/frame.h"

namespace collet::worker {

// Belongs to the thread that reads the frames. Both are borrowed.
class Replay {
 public:
  Replay(const collet_host& host, const ArenaView& arena) : host_(host), arena_(arena) {}

  // Each returns why the frame cannot come from a sound worker, or an empty text. The call is one that runs.
  // `denial`, if any, is what the sandbox has denied meanwhile; a call that has failed says so.
  std::string end(std::uint64_t call, std::string_view body, std::string_view denial = {});
  std::string progress(std::uint64_t call, std::string_view body);
  std::string log(std::uint64_t call, std::string_view body);
  std::string close_stream(std::uint64_t call, std::string_view body);
  std::string answer_head(std::uint64_t call, std::string_view body);
  std::string answer_bytes(std::uint64_t call, std::string_view body);
  std::string resource_updated(std::string_view body);

  void instructions(std::string_view text);
  void status_changed();

  // Blocks of the arena that have been read since.
  std::vector<std::uint64_t> take_read() { return std::exchange(read_, {}); }

 private:
  void add_pieces(std::uint64_t call, FieldReader& pieces, bool wanted);
  void add_blob(std::uint64_t call, std::string_view type, std::string_view mime, std::string_view bytes);

  const collet_host& host_;
  const ArenaView& arena_;
  std::vector<std::uint64_t> read_;
  std::string beyond_;  // what was wrong with a piece
};

}  // namespace collet::worker
