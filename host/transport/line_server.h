// Lines over a unix socket: each line that a client sends is answered with one. Knows nothing of what they say.
//
// Threads: belongs to the thread of its loop.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/callback.h"
#include "transport/http.h"

namespace collet::transport {

class LineServer {
 public:
  // Answers a line, at once or later; once. Does nothing if the client, or the server, is gone.
  using Answer = Callback<void(std::string_view line)>;
  using Handler = Callback<void(std::string_view line, Answer answer)>;

  // Accepts from that socket's part for the loop of that number. Clients beyond `connections_max` are turned away,
  // and so is one that sends more than `line_bytes_max` without a line end.
  LineServer(loop::Loop& loop, ListenSocket& socket, unsigned index, std::size_t line_bytes_max,
             unsigned connections_max, Handler handler);
  ~LineServer();  // closes every connection
  LineServer(const LineServer&) = delete;
  LineServer& operator=(const LineServer&) = delete;

 private:
  class Connection;
  struct Clients;
  std::shared_ptr<Clients> clients_;  // shared with what answers later
};

}  // namespace collet::transport
