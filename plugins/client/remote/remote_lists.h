// The lists of a remote that is connected: read, and read again when it tells of a change or their time is over.
#pragma once

#include <collet/plugin.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/limits.h"
#include "client/mcp/handshake.h"
#include "client/offer/config.h"
#include "client/offer/list_reader.h"

namespace collet::client {

// One of the four that there are.
struct ListKind {
  std::uint32_t kind;  // COLLET_*
  std::string_view capability, method, member, plural;
};
std::span<const ListKind> list_kinds();

class RemoteLists {
 public:
  // It may call stop() whenever it is called.
  class Owner {
   public:
    // One was read.
    virtual void on_list(const ListKind& kind, const List& list) = 0;
    // One could not be read.
    virtual void on_unread(const std::string& why) = 0;
    // Nothing can be read any more.
    virtual void on_unreachable(const std::string& why) = 0;
    // One reading is over; `last`: no other is under way.
    virtual void on_reading_over(bool last) = 0;

   protected:
    ~Owner() = default;
  };

  // All are borrowed.
  RemoteLists(Loop& loop, const RemoteConfig& config, Owner& owner);

  // Reads all that the remote has. Connection and peer are borrowed until stop(). False: it has none.
  bool begin(Connection& connection, const Peer& peer);
  // Nothing is read any more.
  void stop();
  // Reads the list of that kind again, soon.
  void refresh(std::uint32_t kind, std::uint64_t pause_ms = limits::kRelistMs);
  // Whether the remote tells of changes; where it does not, or the user does not rely on it, lists are read now and
  // then.
  void expect_changes(bool told);
  // Why lists could not be read when that was last tried.
  std::vector<std::string> unread() const;

 private:
  void read(const ListKind& kind);
  void on_read(const ListKind& kind, Result<List> list);
  void schedule();

  Loop& loop_;
  const RemoteConfig& config_;
  Owner& owner_;
  Connection* connection_ = nullptr;  // null: stopped
  const Peer* peer_ = nullptr;        // likewise
  std::map<std::uint32_t, std::unique_ptr<ListReader>> readers_;  // by kind
  std::set<std::uint32_t> stale_;                                 // lists to read again
  std::map<std::uint32_t, unsigned> lost_;                        // how often in a row, by kind
  std::map<std::uint32_t, std::string> unread_;                   // why, by kind
  std::optional<std::uint64_t> ttl_ms_;
  bool told_ = true;
  Timer relist_;
  Timer periodic_;
};

}  // namespace collet::client
