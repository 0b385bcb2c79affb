#include "transport/request_memory.h"

namespace collet::transport {
namespace {

constexpr std::size_t kClients = 2;  // it takes at least so many to hold all

}  // namespace

std::size_t RequestMemory::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

bool RequestMemory::take(const std::string& client, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  std::size_t& of_client = clients_[client];
  const bool fits = bytes <= bytes_max_ - held_ && bytes <= bytes_max_ / kClients - of_client;
  if (fits) {
    held_ += bytes;
    of_client += bytes;
  }
  if (of_client == 0) clients_.erase(client);
  return fits;
}

void RequestMemory::give_back(const std::string& client, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  held_ -= bytes;
  const auto found = clients_.find(client);
  if ((found->second -= bytes) == 0) clients_.erase(found);
}

bool RequestHold::grow(std::size_t bytes) {
  if (bytes <= bytes_) return true;
  if (!memory_->take(client_, bytes - bytes_)) return false;
  bytes_ = bytes;
  return true;
}

void RequestHold::shrink(std::size_t bytes) {
  if (bytes >= bytes_) return;
  memory_->give_back(client_, bytes_ - bytes);
  bytes_ = bytes;
}

bool RequestHold::pass_to(const std::string& client) {
  if (bytes_ > 0) {
    memory_->give_back(client_, bytes_);
    if (!memory_->take(client, bytes_)) {
      bytes_ = 0;
      return false;
    }
  }
  client_ = client;
  return true;
}

}  // namespace collet::transport
