#include "client/offer/definition_cache.h"

#include <collet/kit/base64.hpp>
#include <collet/schema.hpp>

#include "client/limits.h"
#include "client/net/crypto.h"

namespace collet::client {
namespace {

std::string key_of(const RemoteConfig& remote) { return "offered/" + remote.name; }

// What is believed of a remote was said by one that was configured to the letter like it: another address, or another caller, may
// have other things to offer.
std::string first_line(const RemoteConfig& remote) {
  return std::to_string(kHandoverVersion) + " " + kit::base64url(sha256(collet::to_json(remote).text)) + "\n";
}

collet_str borrowed(const std::string& text) { return {text.data(), text.size()}; }

}  // namespace

// One errand at the host, until it is answered.
struct HostDefinitions::Asked {
  HostDefinitions& asker;
  Loop& loop;
  Errand errand;
  std::int32_t status = COLLET_E_INTERNAL;
  std::optional<std::string> value = {};

  // [answer]
  static void answered(void* context, const collet_stored* stored) noexcept {
    try {
      std::shared_ptr<Asked> asked(static_cast<Asked*>(context));
      asked->status = stored->status;
      if (stored->value.data) asked->value.emplace(stored->value.data, stored->value.size);
      asked->loop.post([asked] { asked->asker.on_answer(*asked); });
    } catch (...) {
      // Want of memory: one answer less is waited for than could be.
    }
  }
};

void HostDefinitions::find(const RemoteConfig& remote, Found found) {
  const auto then = [name = remote.name, head = first_line(remote), found = std::move(found)](const std::string* value) {
    if (!value || !value->starts_with(head)) return found(std::nullopt);
    auto all = read_handover(std::string_view(*value).substr(head.size()));
    const auto its = all.find(name);
    found(its == all.end() ? std::nullopt : std::optional(std::move(its->second)));
  };
  ask({.what = What::get, .key = key_of(remote), .then = then});
}

void HostDefinitions::keep(const RemoteConfig& remote, const Known& known) {
  std::string value = first_line(remote) + write_handover(remote.name, known);
  std::string digest = sha256(value);
  Kept& kept = kept_[key_of(remote)];
  if (kept.digest == digest && loop_.now_ms() - kept.at_ms < limits::kRememberAgainMs) return;
  kept = {digest, loop_.now_ms()};
  ask({.what = What::put, .key = key_of(remote), .value = std::move(value), .digest = std::move(digest)});
}

// One after the other is begun: the host answers so many at a time.
void HostDefinitions::ask(Errand errand) {
  waiting_.push_back(std::move(errand));
  begin_next();
}

void HostDefinitions::begin_next() {
  while (!waiting_.empty() && under_way_ < limits::kStoreErrandsMax) {
    auto asked = std::make_unique<Asked>(Asked{*this, loop_, std::move(waiting_.front())});
    waiting_.pop_front();
    collet_store_params params{};
    params.struct_size = sizeof params;
    params.key = borrowed(asked->errand.key);
    params.context = asked.get();
    params.answered = Asked::answered;
    std::int32_t status = COLLET_OK;
    ++under_way_;
    if (asked->errand.what == What::put) {
      params.value = borrowed(asked->errand.value);
      params.ttl_ms = limits::kRememberedMs;
      status = store_->put(host_, &params);
    } else {
      status = (asked->errand.what == What::get ? store_->get : store_->remove)(host_, &params);
    }
    Asked* const its = asked.release();  // the callback's, which may have come
    if (status >= 0) continue;
    its->status = status;
    loop_.post([this, refused = std::shared_ptr<Asked>(its)] { on_answer(*refused); });
  }
}

void HostDefinitions::on_answer(Asked& asked) {
  --under_way_;
  const Errand& errand = asked.errand;
  if (errand.then) errand.then(asked.status >= 0 && asked.value ? &*asked.value : nullptr);
  const auto kept = kept_.find(errand.key);
  if (errand.what == What::put && asked.status < 0 && kept != kept_.end() && kept->second.digest == errand.digest) {
    kept_.erase(kept);
    // What is there instead is out of date.
    if (asked.status == COLLET_E_LIMIT) ask({.what = What::remove, .key = errand.key});
  }
  begin_next();
}

}  // namespace collet::client
