#include "registry/registry.h"

#include <algorithm>

#include "base/json_members.h"
#include "base/log.h"
#include "registry/uri_spelling.h"

namespace collet::registry {
namespace {

bool same_definitions(const std::vector<Item>& a, const std::vector<Item>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Item& x, const Item& y) {
    return x.name == y.name &&
           (x.def == y.def || (x.def->definition == y.def->definition && x.def->traits == y.def->traits));
  });
}

std::string key_of(Kind kind, const std::string& name) { return mcp::has_uri_name(kind) ? normalised_uri(name) : name; }

bool leaves_out(const Snapshot& snapshot, const Rejected& item) {
  return std::any_of(snapshot.rejected().begin(), snapshot.rejected().end(),
                     [&](const Rejected& other) { return other.source == item.source && other.name == item.name; });
}

void warn_of_offers(const Change& change) {
  for (const Offer& offer : *change.offers) {
    for (const std::string& left_out : offer.compiled.left_out) {
      log::warning("{}: of {}'s definition is left out: {}", change.source, offer.def.name, left_out);
    }
    if (const std::string& unread = offer.compiled.unread; !unread.empty()) {
      log::warning("{}: {} is offered, and its arguments are not checked: {}", change.source, offer.def.name, unread);
    }
  }
}

}  // namespace

OffersPtr examine(std::vector<ItemDef> items, std::int64_t schema_steps_max) {
  auto offers = std::make_shared<std::vector<Offer>>();
  offers->reserve(items.size());
  SchemaCache cache;  // sources offer the same schema for many tools
  for (ItemDef& def : items) {
    Offer& offer = offers->emplace_back();
    offer.def = std::move(def);
    auto compiled = read_definition(offer.def, cache, schema_steps_max);
    if (compiled) {
      offer.compiled = std::move(*compiled);
      // What clients could not read either is not shown to them.
      if (offer.compiled.output_unread) {
        offer.def.definition = json::without_member(offer.def.definition, mcp::kOutputSchema);
      }
    } else {
      offer.problem = compiled.message();
    }
  }
  return offers;
}

const Item* Snapshot::find(Kind kind, std::string_view name) const {
  const auto& index = index_[static_cast<unsigned>(kind)];
  const auto found = mcp::has_uri_name(kind) ? index.find(normalised_uri(name)) : index.find(name);
  return found == index.end() ? nullptr : found->second;
}

Snapshot::Found Snapshot::find_resource(std::string_view uri, const View* view, const View* reach) const {
  if (uri.size() > limits::kUriBytesMax) return {};
  const auto is_shown = [&](const Item& item) {
    return (!view || view->sight_of(item) != Sight::hidden) && (!reach || reach->sight_of(item) != Sight::hidden);
  };
  if (const Item* exact = find(Kind::resource, uri)) return is_shown(*exact) ? Found{exact, {}} : Found();
  if ((view && view->denies(uri)) || (reach && reach->denies(uri))) return {};
  const std::string spelt = UriTemplate::spelt(uri);
  for (const Item& item : items(Kind::resource_template)) {
    auto variables = item.compiled->uri_template->match_spelt(spelt);
    if (variables && is_shown(item)) return {&item, std::move(*variables)};
  }
  return {};
}

void Registry::declare(std::string source, NameRules rules) {
  const std::lock_guard lock(mutex_);
  sources_.push_back(std::make_unique<Source>(Source{std::move(source), std::move(rules)}));
}

void Registry::arrange(std::vector<Declaration> declarations) {
  const std::lock_guard lock(mutex_);
  std::vector<std::unique_ptr<Source>> before = std::exchange(sources_, {});
  const auto take = [](std::vector<std::unique_ptr<Source>>& from, const std::string& id) {
    const auto found = std::find_if(from.begin(), from.end(), [&](const auto& source) { return source->id == id; });
    std::unique_ptr<Source> taken;
    if (found == from.end()) return taken;
    taken = std::move(*found);
    from.erase(found);
    return taken;
  };
  for (Declaration& declaration : declarations) {
    auto source = take(before, declaration.source);
    if (!source) source = take(former_, declaration.source);
    if (!source) source = std::make_unique<Source>(Source{declaration.source, {}});
    source->rules = std::move(declaration.rules);
    sources_.push_back(std::move(source));
  }
  for (auto& source : before) {
    source->provider = nullptr;
    source->offers = std::make_shared<std::vector<Offer>>();
    former_.push_back(std::move(source));
  }
}

Registry::Source* Registry::find(std::string_view id) const {
  const auto found = std::find_if(sources_.begin(), sources_.end(), [&](const auto& s) { return s->id == id; });
  return found == sources_.end() ? nullptr : found->get();
}

void Registry::replace(std::string_view source, Provider* provider, std::vector<ItemDef> items,
                       Callback<void()> adopted) {
  std::vector<Change> changes;
  changes.push_back({std::string(source), provider, examine(std::move(items))});
  static_cast<void>(replace(std::move(changes), std::move(adopted)));
}

std::vector<Result<void>> Registry::replace(std::vector<Change> changes, Callback<void()> adopted) {
  std::vector<Result<void>> results(changes.size());
  const std::lock_guard lock(mutex_);
  for (const Change& change : changes) warn_of_offers(change);
  publish(build_with(changes, results), std::move(adopted));
  return results;
}

SnapshotPtr Registry::build_with(std::vector<Change>& changes, std::vector<Result<void>>& results) {
  const auto exchange = [this](Change& change) {
    Source* source = find(change.source);
    if (!source) return;
    std::swap(source->provider, change.provider);
    std::swap(source->offers, change.offers);
  };
  for (Change& change : changes) exchange(change);
  for (;;) {
    SnapshotPtr next = build();
    const auto loss = find_loss(*next, changes, results);
    if (!loss) return next;
    results[loss->first] = Error{loss->second};
    exchange(changes[loss->first]);
  }
}

std::optional<std::pair<std::size_t, std::string>> Registry::find_loss(
    const Snapshot& next, const std::vector<Change>& changes, const std::vector<Result<void>>& results) const {
  const auto careful = [&](const std::string& source) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
      if (changes[i].source == source && changes[i].careful && results[i]) return i;
    }
    return changes.size();
  };
  for (const Rejected& item : next.rejected()) {
    if (leaves_out(*current_, item)) continue;
    std::size_t guilty = careful(item.source);
    for (unsigned kind = 0; kind < kKinds && guilty == changes.size(); ++kind) {
      const Item* winner =
          next.find(static_cast<Kind>(kind), item.name);  // it may have taken the name from another
      if (winner) guilty = careful(*winner->source);
    }
    if (guilty != changes.size()) {
      return std::pair(guilty,
                       fmt::format("{} of plugin {} would be left out: {}", item.name, item.source, item.reason));
    }
  }
  return std::nullopt;
}

void Registry::publish(SnapshotPtr next, Callback<void()> adopted) {
  std::erase_if(replaced_, [](const SnapshotPtr& snapshot) { return snapshot.use_count() == 1; });
  SnapshotPtr before;
  {
    const std::lock_guard lock(current_mutex_);
    before = std::exchange(current_, std::move(next));
  }
  replaced_.push_back(before);
  unsigned changed = 0;
  for (unsigned kind = 0; kind < kKinds; ++kind) {
    if (!same_definitions(before->items_[kind], current_->items_[kind])) changed |= 1u << kind;
  }
  if (changed) tell_watchers(changed);
  if (!publisher_) {
    if (adopted) adopted();
    return;
  }
  publisher_(current_, changed, std::move(adopted));
}

void Registry::publish_to(Publisher publisher) {
  const std::lock_guard lock(mutex_);
  publisher_ = std::move(publisher);
  if (publisher_) publisher_(current_, 0, nullptr);
}

SnapshotPtr Registry::current() const {
  const std::lock_guard lock(current_mutex_);
  return current_;
}

void Registry::tell_watchers(unsigned changed) {
  const std::lock_guard lock(watchers_mutex_);
  for (const auto& [id, watcher] : watchers_) watcher(current_->version(), changed);
}

std::uint64_t Registry::watch(Watcher watcher) {
  const std::lock_guard lock(watchers_mutex_);
  watchers_.emplace(++last_watcher_, std::move(watcher));
  return last_watcher_;
}

void Registry::unwatch(std::uint64_t id) {
  const std::lock_guard lock(watchers_mutex_);
  watchers_.erase(id);
}

SnapshotPtr Registry::build() const {
  auto next = std::make_shared<Snapshot>();
  next->version_ = current_->version_ + 1;
  if (!observers_.empty()) next->observers_ = &observers_;
  std::unordered_map<std::string, const Source*> taken[kKinds];
  for (const auto& source : sources_) {
    next->offers_.push_back(source->offers);
    for (const Offer& offer : *source->offers) {
      const ItemDef& def = offer.def;
      if (source->rules.hides(def.name)) continue;
      std::string name = source->rules.final_name(def.kind, source->id, def.name);
      const auto reject = [&](std::string reason) {
        next->rejected_.push_back({source->id, name, std::move(reason)});
      };
      if (auto good = check_name(def.kind, name, name_bytes_max_); !good) {
        reject(good.message());
        continue;
      }
      if (!offer.problem.empty()) {
        reject(offer.problem);
        continue;
      }
      const auto [owner, fresh] =
          taken[static_cast<unsigned>(def.kind)].try_emplace(key_of(def.kind, name), source.get());
      if (!fresh) {
        reject(fmt::format("plugin {} already offers that name: set `prefix` or `rename` for one of them",
                           owner->second->id));
        continue;
      }
      for (const std::string& left_out : offer.compiled.left_out) {
        next->mended_.push_back({source->id, name, left_out});
      }
      next->items_[static_cast<unsigned>(def.kind)].push_back(
          {std::move(name), &def, &offer.compiled, source->provider, &source->id, owner->first});
    }
  }
  for (unsigned kind = 0; kind < kKinds; ++kind) {
    auto& items = next->items_[kind];
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.name < b.name; });
    next->index_[kind].reserve(items.size());
    for (const Item& item : items) next->index_[kind].emplace(item.key, &item);
  }
  return next;
}

}  // namespace collet::registry
