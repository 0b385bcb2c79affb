// How much of requests is in memory: of all loops together, and of each client, so that one that sends much is refused
// before others are.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace collet::transport {

class RequestMemory {
 public:
  explicit RequestMemory(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Any thread.
  std::size_t held() const;

 private:
  friend class RequestHold;

  bool take(const std::string& client, std::size_t bytes);
  void give_back(const std::string& client, std::size_t bytes);

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;  // guards the two below
  std::size_t held_ = 0;
  std::map<std::string, std::size_t> clients_;  // those that hold something
};

// What one connection holds. One thread's.
class RequestHold {
 public:
  RequestHold(std::shared_ptr<RequestMemory> memory, std::string client)
      : memory_(std::move(memory)), client_(std::move(client)) {}
  // What the other one held is this one's.
  RequestHold(RequestHold&& other) noexcept
      : memory_(other.memory_), client_(other.client_), bytes_(std::exchange(other.bytes_, 0)) {}
  ~RequestHold() { shrink(0); }
  RequestHold(const RequestHold&) = delete;
  RequestHold& operator=(const RequestHold&) = delete;

  // So much and no less. False, and nothing changes, if that is more than there is for all, or for this client.
  bool grow(std::size_t bytes);
  void shrink(std::size_t bytes);
  const std::string& client() const { return client_; }
  // From now on it is another client's. False if that has too much already.
  bool pass_to(const std::string& client);

 private:
  const std::shared_ptr<RequestMemory> memory_;
  std::string client_;
  std::size_t bytes_ = 0;
};

}  // namespace collet::transport
