// Reads a list of a remote to its end, page by page, within bounds.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/mcp/connection.h"

namespace collet::client {

struct List {
  std::vector<std::string> elements;    // JSON texts
  std::optional<std::uint64_t> ttl_ms;  // how long the remote says that it stays so
  std::string warning;                  // what was left out, and why; or empty
  std::string version;                  // of MCP, that its server speaks
};

class ListReader {
 public:
  // `method` is such as "tools/list", `member` such as "tools"; each page may take `page_ms`. Begins at once;
  // `done` is called later, once, unless this is destroyed before. Borrows the connection until then.
  ListReader(Connection& connection, std::string method, std::string member, std::uint64_t page_ms,
             std::function<void(Result<List>)> done);
  // Of a list that could not be read: nothing has answered.
  const std::optional<Lost>& lost() const { return lost_; }
  ~ListReader() {
    if (request_) connection_.cancel(request_, nullptr);  // else the connection may be gone
  }

 private:
  void ask(std::string_view cursor);
  void on_page(const Answer& answer);
  void finish(Result<List> result);
  // Why an element of that size cannot be taken, or null.
  const char* too_much(std::size_t element_bytes) const;

  Connection& connection_;
  const std::string method_, member_;
  const std::uint64_t page_ms_;
  const std::function<void(Result<List>)> done_;
  RequestId request_ = 0;
  List list_;
  std::size_t bytes_ = 0;
  unsigned pages_ = 0;
  std::optional<Lost> lost_;
  std::string cursor_;
};

}  // namespace collet::client
