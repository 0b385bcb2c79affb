// What a remote lists, as it is taken over: what is wanted of it, each item once, and what is to be said of the
// rest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/offer/config.h"
#include "client/offer/imported_item.h"
#include "client/offer/list_reader.h"

namespace collet::client {

struct ImportedList {
  std::vector<RemoteItemPtr> items;
  std::vector<std::string> remarks;  // for a person
  bool is_ours = false;              // the remote is this gateway itself
};

// `plural` is what items of that kind are called; items of `before` that are the same are taken again.
ImportedList import_list(std::uint32_t kind, std::string_view plural, const List& list, const RemoteConfig& config,
                         const std::vector<RemoteItemPtr>& before);

}  // namespace collet::client
