// What remotes have offered, remembered beyond this process: so that it is there at the next start before they are.
#pragma once

#include <collet/ext/draft/store.h>
#include <collet/plugin.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "client/net/loop.h"
#include "client/offer/config.h"
#include "client/offer/handover.h"

namespace collet::client {

// The client's thread.
class DefinitionCache {
 public:
  using Found = std::function<void(std::optional<Known>)>;

  virtual ~DefinitionCache() = default;
  // Calls back once, later, with what the remote has offered last when it was configured so; nothing: that is not known.
  virtual void find(const RemoteConfig& remote, Found found) = 0;
  // It offers this now.
  virtual void keep(const RemoteConfig& remote, const Known& known) = 0;
};

// Of a host that keeps nothing beyond its process.
class NoDefinitions final : public DefinitionCache {
 public:
  explicit NoDefinitions(Loop& loop) : loop_(loop) {}
  void find(const RemoteConfig&, Found found) override {
    loop_.post([found = std::move(found)] { found(std::nullopt); });
  }
  void keep(const RemoteConfig&, const Known&) override {}

 private:
  Loop& loop_;
};

// In the records that the host keeps for this plugin: one a remote, under its name, good for limits::kRememberedMs. What does not fit
// in a record is not remembered.
class HostDefinitions final : public DefinitionCache {
 public:
  // All are borrowed. The loop runs no more when this is destroyed; it outlives what the host still answers.
  HostDefinitions(Loop& loop, const collet_host* host, const collet_store* store)
      : loop_(loop), host_(host), store_(store) {}

  void find(const RemoteConfig& remote, Found found) override;
  void keep(const RemoteConfig& remote, const Known& known) override;

 private:
  enum class What : std::uint8_t { get, put, remove };
  struct Errand {
    What what = What::get;
    std::string key;
    std::string value = {};                                   // of put
    std::string digest = {};                                  // of put: that of the value
    std::function<void(const std::string* value)> then = {};  // of get; null: nothing is there
  };
  struct Asked;

  void ask(Errand errand);
  void begin_next();
  void on_answer(Asked& asked);

  Loop& loop_;
  const collet_host* const host_;
  const collet_store* const store_;
  std::deque<Errand> waiting_;
  unsigned under_way_ = 0;
  struct Kept {
    std::string digest;
    std::uint64_t at_ms = 0;
  };
  std::map<std::string, Kept> kept_;  // by key: what this process has put
};

}  // namespace collet::client
