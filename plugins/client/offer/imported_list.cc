#include "client/offer/imported_list.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "client/limits.h"
#include "client/offer/lineage.h"

namespace collet::client {
namespace {

class Importer {
 public:
  Importer(const RemoteConfig& config, const std::vector<RemoteItemPtr>& before) : config_(config) {
    for (const RemoteItemPtr& item : before) before_.emplace(item->name, item);
  }

  void take(RemoteItem item) {
    if (!config_.offers(item.name) || leads_back(item)) return;
    if (!names_.insert(item.name).second) return remark("it offers " + item.name + " twice: the first one counts");
    const auto known = before_.find(item.name);
    if (known != before_.end() && *known->second == item) return out.items.push_back(known->second);
    if (!item.mended.empty()) remark(item.name + ": " + item.mended);
    if (known != before_.end()) {
      remark("it has changed " + item.name + "\n" + json_diff(known->second->definition, item.definition));
    }
    out.items.push_back(std::make_shared<const RemoteItem>(std::move(item)));
  }

  void remark(std::string words) { out.remarks.push_back(std::move(words)); }

  ImportedList out;
  unsigned led_back = 0;

 private:
  bool leads_back(const RemoteItem& item) {
    const std::vector<std::string> via = via_of(item.definition);
    if (via.empty()) return false;
    if (via.back() == gateway_id()) out.is_ours = true;
    const bool back =
        std::find(via.begin(), via.end(), gateway_id()) != via.end() || via.size() >= limits::kHopsMax;
    if (back) ++led_back;
    return back;
  }

  const RemoteConfig& config_;
  std::unordered_map<std::string_view, RemoteItemPtr> before_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace

ImportedList import_list(std::uint32_t kind, std::string_view plural, const List& list, const RemoteConfig& config,
                         const std::vector<RemoteItemPtr>& before) {
  Importer importer(config, before);
  if (!list.warning.empty()) importer.remark(list.warning);
  for (const std::string& element : list.elements) {
    auto item = read_item(kind, element, list.version);
    if (item) {
      importer.take(std::move(*item));
    } else {
      importer.remark("one of its " + std::string(plural) + " is left out: " + item.message());
    }
  }
  if (importer.led_back > 0) {
    importer.remark(std::to_string(importer.led_back) + " of its " + std::string(plural) +
                    " are left out: it has them from this gateway, or through too many");
  }
  return std::move(importer.out);
}

}  // namespace collet::client
