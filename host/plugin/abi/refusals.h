// The debug host: the log says which function of the host's table has refused what its plugin gave it, and why.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace collet::plugin {

// Of one generation. Any thread.
class Refusals {
 public:
  explicit Refusals(std::string plugin) : plugin_(std::move(plugin)) {}

  // Says it the first kRefusalsSaidMax times of a function and a status, and then no more.
  void note(const char* function, std::int32_t status);
  // When the plugin has been destroyed: what it has left.
  void note_blobs_left(std::size_t count) const;

 private:
  const std::string plugin_;
  std::mutex mutex_;  // guards the one below
  std::map<std::pair<std::string_view, std::int32_t>, unsigned> counts_;
};

}  // namespace collet::plugin
