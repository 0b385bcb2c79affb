#include "client/offer/publisher.h"

#include <algorithm>
#include <set>

#include "client/limits.h"
#include "client/offer/lineage.h"

namespace collet::client {
namespace {

bool has_uri_name(const RemoteItem& item) {
  return item.kind == COLLET_RESOURCE || item.kind == COLLET_RESOURCE_TEMPLATE;
}

collet_str str(std::string_view text) { return {text.data(), text.size()}; }

std::uint32_t flags_of(const RemoteItem& item, bool strict) {
  // One that is a task only at its remote is awaited for clients that know no tasks.
  return COLLET_ITEM_NONBLOCKING | (strict ? 0 : COLLET_ITEM_UNCHECKED) |
         (item.idempotent ? COLLET_ITEM_IDEMPOTENT : 0) |
         (item.tasks != TaskSupport::forbidden ? COLLET_ITEM_TASK_OPTIONAL : 0);
}

// What is left out for clashes of names, in words. Remotes that have one URI in common often have all: the first is
// named then, and the others are counted.
class Clashes {
 public:
  void add(const std::string& remote, const RemoteItem& item, const std::string& other, const std::string& name) {
    const std::string why = " as remote " + other + " offers ";
    if (!has_uri_name(item)) {
      lines_.push_back("remote " + remote + ": " + item.name + " is left out," + why + name + " too");
      return;
    }
    const auto [at, is_new] = more_.try_emplace({remote, other}, lines_.size(), 0u);
    if (!is_new) return void(++at->second.second);
    lines_.push_back("remote " + remote + ": " + item.name + " is left out," + why + "it too");
  }

  std::vector<std::string> in_words() {
    for (const auto& [remotes, counted] : more_) {
      const auto& [line, more] = counted;
      if (more > 0) lines_[line] += ", and " + std::to_string(more) + " more of its URIs likewise";
    }
    return std::move(lines_);
  }

 private:
  std::vector<std::string> lines_;
  std::map<std::pair<std::string, std::string>, std::pair<std::size_t, unsigned>> more_;  // by remotes → line, count
};

// At the end of a character.
std::string cut_off(std::string_view text) {
  constexpr std::string_view kMark = "\n[…]";
  if (text.size() <= limits::kInstructionsBytesMax) return std::string(text);
  std::size_t size = limits::kInstructionsBytesMax - kMark.size();
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return std::string(text.substr(0, size)).append(kMark);
}

}  // namespace

Naming name_items(const std::vector<Offering>& offerings, std::size_t name_bytes_max) {
  Naming naming;
  std::map<std::pair<std::uint32_t, std::string>, std::size_t> taken;  // → index in naming.items
  std::set<std::pair<std::uint32_t, std::string>> disputed;            // by remotes that will have all or nothing
  Clashes clashes;
  const auto clash = [&](const RemoteConfig& config, const RemoteItem& item, const Named& other) {
    clashes.add(config.name, item, offerings[other.remote].config->name, other.name);
  };
  const auto add = [&](std::size_t remote, std::string name, const RemoteItemPtr& item) {
    taken.emplace(std::pair(item->kind, name), naming.items.size());
    naming.items.push_back({std::move(name), remote, item});
  };
  for (std::size_t remote = 0; remote < offerings.size(); ++remote) {
    const RemoteConfig& config = *offerings[remote].config;
    for (const RemoteItemPtr& item : offerings[remote].items) {
      std::string name = has_uri_name(*item) ? item->name : final_name(config, item->name, name_bytes_max);
      const auto other = taken.find({item->kind, name});
      if (other == taken.end()) {
        add(remote, std::move(name), item);
        continue;
      }
      Named& first = naming.items[other->second];
      std::string longer = with_own_prefix(config, item->name, name_bytes_max);
      if (config.on_clash == "last") {
        clash(*offerings[first.remote].config, *first.item, {name, remote, item});
        first = {std::move(name), remote, item};
      } else if (config.on_clash == "prefix" && !has_uri_name(*item) && !taken.contains({item->kind, longer})) {
        add(remote, std::move(longer), item);
      } else {
        clash(config, *item, first);
        if (config.on_clash == "error") disputed.insert({item->kind, name});
      }
    }
  }
  naming.clashes = clashes.in_words();
  for (const auto& key : disputed) {
    const Named& first = naming.items[taken.at(key)];
    naming.clashes.push_back("remote " + offerings[first.remote].config->name + ": " + first.name +
                             " is left out, as another remote has on_clash = \"error\" for it");
  }
  std::erase_if(naming.items, [&](const Named& named) {
    return disputed.contains({named.item->kind, named.name});
  });
  return naming;
}

Guidance join_instructions(const std::vector<Offering>& offerings) {
  Guidance out;
  for (const Offering& offering : offerings) {
    if (offering.instructions.empty()) continue;
    std::string section = "## " + offering.config->name + "\n\n" + cut_off(offering.instructions);
    if (!out.text.empty()) section.insert(0, "\n\n");
    if (out.text.size() + section.size() > limits::kAllInstructionsBytesMax) {
      out.left_out.push_back("remote " + offering.config->name +
                             ": its instructions are left out, as there are too many");
    } else {
      out.text += section;
    }
  }
  return out;
}

Publisher::Publisher(Loop& loop, const Host& host)
    : loop_(loop), host_(host), timer_(loop), pause_ms_(limits::kCommitMs) {}

void Publisher::arrange(std::vector<Offering> remotes, std::uint64_t name_bytes_max) {
  offerings_ = std::move(remotes);
  name_bytes_max_ = name_bytes_max;
}

void Publisher::offer(Offering offering) {
  const auto found = std::find_if(offerings_.begin(), offerings_.end(),
                                  [&](const Offering& each) { return each.remote == offering.remote; });
  if (found == offerings_.end()) return;
  *found = std::move(offering);
  schedule();
}

void Publisher::close() {
  closed_ = true;
  timer_.stop();
}

const Publisher::Target* Publisher::find(std::uint64_t key) const {
  const auto found = targets_.find(key);
  return found == targets_.end() ? nullptr : &found->second;
}

LaneTarget Publisher::find_lane(std::uint64_t key) const {
  const std::shared_lock lock(targets_mutex_);
  const Target* target = find(key);
  return target ? LaneTarget{target->item, target->gate} : LaneTarget{};
}

void Publisher::set_target(std::uint64_t key, Target target) {
  const std::lock_guard lock(targets_mutex_);
  targets_[key] = std::move(target);
}

void Publisher::schedule() {
  if (!timer_.active() && !closed_) timer_.start(pause_ms_, [this] { publish(); });
}

void Publisher::publish() {
  timer_.stop();
  const std::uint64_t began = uv_hrtime();
  const Naming naming = name_items(offerings_, name_bytes_max_);
  std::map<Name, const Named*> wanted;
  for (const Named& named : naming.items) wanted.emplace(Name(named.item->kind, named.name), &named);

  bool changed = false;
  for (auto at = published_.begin(); at != published_.end();) {
    if (wanted.contains(at->first)) {
      ++at;
      continue;
    }
    host_.remove(at->second.id);
    {
      const std::lock_guard lock(targets_mutex_);
      targets_.erase(at->second.key);
    }
    at = published_.erase(at);
    changed = true;
  }
  for (const auto& [name, named] : wanted) {
    const auto [at, is_new] = published_.try_emplace(name);
    if (is_new) at->second.key = ++last_key_;
    const Offering& offering = offerings_[named->remote];
    const Target* const before = find(at->second.key);
    const bool same = before && *named->item == *before->item && offering.remote == before->remote;
    set_target(at->second.key, {offering.remote, named->item, offering.gate});
    if (same) continue;
    if (!is_new) host_.remove(at->second.id);
    publish(*named, at->second);
    changed = true;
  }
  if (changed) host_.commit();
  publish_instructions();
  if (clashes_ != naming.clashes) {
    for (const std::string& clash : naming.clashes) host_.log(COLLET_LOG_WARNING, clash);
    clashes_ = naming.clashes;
  }
  // The more there is, the longer it takes: at most a fifth of the time goes into it.
  pause_ms_ = std::max<std::uint64_t>(limits::kCommitMs, (uv_hrtime() - began) / 1'000'000 * 4);
  host_.status_changed();
}

void Publisher::publish_instructions() {
  Guidance guidance = join_instructions(offerings_);
  if (guidance.text == instructions_) return;
  for (const std::string& remote : guidance.left_out) host_.log(COLLET_LOG_WARNING, remote);
  host_.set_instructions(guidance.text);
  instructions_ = std::move(guidance.text);
}

void Publisher::publish(const Named& named, Published& as) {
  const RemoteConfig& remote = *offerings_[named.remote].config;
  as.id = 0;
  collet_item_def def = {};
  def.struct_size = sizeof def;
  def.kind = named.item->kind;
  def.flags = flags_of(*named.item, remote.strict);
  def.timeout_ms = remote.timeout_of(named.item->name);
  def.user = reinterpret_cast<void*>(as.key);
  def.name = str(named.name);
  const std::string definition = with_via(named.item->definition, gateway_id());
  def.definition = str(definition);
  if (const std::int32_t status = host_.add(def, &as.id); status != COLLET_OK) {
    host_.log(COLLET_LOG_WARNING, "remote " + remote.name + ": the host does not take " + named.item->name +
                                      " (status " + std::to_string(status) + ")");
  }
}

}  // namespace collet::client
