#include "registry/registry.h"

#include <algorithm>

namespace collet::registry {
namespace {

bool same_definitions(const std::vector<Item>& a, const std::vector<Item>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Item& x, const Item& y) {
    return x.name == y.name && (x.def == y.def || x.def->definition == y.def->definition);
  });
}

// Compiles what is compiled. Sources offer the same schema for many tools, so each text is compiled once.
OffersPtr examine(std::vector<ItemDef> items) {
  auto offers = std::make_shared<std::vector<Offer>>();
  offers->reserve(items.size());
  SchemaCache cache;
  for (ItemDef& def : items) {
    Offer& offer = offers->emplace_back();
    offer.def = std::move(def);
    auto compiled = read_definition(offer.def, cache);
    if (compiled) {
      offer.compiled = std::move(*compiled);
    } else {
      offer.problem = compiled.message();
    }
  }
  return offers;
}

}  // namespace

const Item* Snapshot::find(Kind kind, std::string_view name) const {
  const auto& index = index_[static_cast<unsigned>(kind)];
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

Snapshot::Found Snapshot::find_resource(std::string_view uri) const {
  if (const Item* exact = find(Kind::resource, uri)) return {exact, {}};
  for (const Item& item : items(Kind::resource_template)) {
    if (auto variables = item.compiled->uri_template->match(uri)) return {&item, std::move(*variables)};
  }
  return {};
}

void Registry::declare(std::string source, NameRules rules) {
  const std::lock_guard lock(mutex_);
  sources_.push_back(std::make_unique<Source>(Source{std::move(source), std::move(rules)}));
}

void Registry::replace(std::string_view source, Provider* provider, std::vector<ItemDef> items,
                       Callback<void()> adopted) {
  OffersPtr offers = examine(std::move(items));
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(sources_.begin(), sources_.end(), [&](const auto& s) { return s->id == source; });
  COLLET_ASSERT(found != sources_.end());
  (*found)->provider = provider;
  (*found)->offers = std::move(offers);

  const SnapshotPtr before = std::exchange(current_, build());
  if (!publisher_) {
    if (adopted) adopted();
    return;
  }
  unsigned changed = 0;
  for (unsigned kind = 0; kind < Snapshot::kKinds; ++kind) {
    if (!same_definitions(before->items_[kind], current_->items_[kind])) changed |= 1u << kind;
  }
  publisher_(current_, changed, std::move(adopted));
}

void Registry::publish_to(Publisher publisher) {
  const std::lock_guard lock(mutex_);
  publisher_ = std::move(publisher);
  if (publisher_) publisher_(current_, 0, nullptr);
}

SnapshotPtr Registry::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

SnapshotPtr Registry::build() const {
  auto next = std::make_shared<Snapshot>();
  next->version_ = current_->version_ + 1;
  std::unordered_map<std::string, const Source*> taken[Snapshot::kKinds];
  for (const auto& source : sources_) {
    next->offers_.push_back(source->offers);
    for (const Offer& offer : *source->offers) {
      const ItemDef& def = offer.def;
      if (source->rules.hides(def.name)) continue;
      std::string name = source->rules.final_name(def.kind, def.name);
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
      const auto [owner, fresh] = taken[static_cast<unsigned>(def.kind)].try_emplace(name, source.get());
      if (!fresh) {
        reject(fmt::format("plugin {} already offers that name: set `prefix` or `rename` for one of them",
                           owner->second->id));
        continue;
      }
      next->items_[static_cast<unsigned>(def.kind)].push_back(
          {std::move(name), &def, &offer.compiled, source->provider, &source->id});
    }
  }
  for (unsigned kind = 0; kind < Snapshot::kKinds; ++kind) {
    auto& items = next->items_[kind];
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.name < b.name; });
    next->index_[kind].reserve(items.size());
    for (const Item& item : items) next->index_[kind].emplace(item.name, &item);
  }
  return next;
}

}  // namespace collet::registry
