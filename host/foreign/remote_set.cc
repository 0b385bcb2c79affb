#include "foreign/remote_set.h"

#include <fmt/core.h>

#include <utility>

namespace collet::foreign {

std::optional<std::string> RemoteSet::add(Remote remote, std::string_view suffix) {
  const std::string name = remote.name;
  for (unsigned number = 1;; ++number) {
    const auto before = by_name_.find(remote.name);
    if (before == by_name_.end()) break;
    Remote& other = remotes_[before->second];
    if (same_remote(remote, other)) {
      other.enabled = other.enabled || remote.enabled;
      return std::nullopt;
    }
    remote.name = number == 1 ? fmt::format("{}_{}", name, suffix) : fmt::format("{}_{}_{}", name, suffix, number);
  }
  by_name_.emplace(remote.name, remotes_.size());
  remotes_.push_back(std::move(remote));
  return remotes_.back().name;
}

bool same_remote(Remote one, const Remote& other) {
  one.name = other.name;
  one.enabled = other.enabled;
  return to_toml(one, Secrets::shown) == to_toml(other, Secrets::shown);
}

}  // namespace collet::foreign
