#include "plugins/client/auth/memory_token_store.h"

#include <algorithm>
#include <utility>

using namespace collet::client::auth;

class MemoryTokenStore::Held final : public Lock {
 public:
  Held(std::shared_ptr<Names> locked, std::string name) : locked_(std::move(locked)), name_(std::move(name)) {
    locked_->insert(name_);
  }
  ~Held() override { locked_->erase(name_); }

 private:
  const std::shared_ptr<Names> locked_;
  const std::string name_;
};

bool MemoryTokenStore::answer() {
  const auto next = std::find_if(pending_.begin(), pending_.end(),
                                 [&](const Question& question) { return !locked_->count(question.locks); });
  if (next == pending_.end()) return false;
  const auto answer = std::move(next->answer);
  pending_.erase(next);
  answer();
  return true;
}

void MemoryTokenStore::hold_last() {
  held_back_.push_back(std::move(pending_.back()));
  pending_.pop_back();
}

void MemoryTokenStore::release() {
  for (Question& question : held_back_) pending_.push_back(std::move(question));
  held_back_.clear();
}

void MemoryTokenStore::ask(Question question) {
  pending_.push_back(std::move(question));
  if (answers_ == Answers::at_once) answer();
}

void MemoryTokenStore::change(std::function<void()> edit, Done done) {
  ask({{}, [edit = std::move(edit), done = std::move(done)] {
         edit();
         done({});
       }});
}

void MemoryTokenStore::token(std::string remote, TokenDone done) {
  ask({{}, [found = records_.token(remote), done = std::move(done)] { done(found); }});
}

void MemoryTokenStore::keep(StoredToken token, Done done) {
  change([this, token = std::move(token)] { records_.keep(token); }, std::move(done));
}

void MemoryTokenStore::forget(std::string remote, Done done) {
  change([this, remote = std::move(remote)] { records_.forget(remote); }, std::move(done));
}

void MemoryTokenStore::client(std::string issuer, ClientDone done) {
  ask({{}, [found = records_.client(issuer), done = std::move(done)] { done(found); }});
}

void MemoryTokenStore::keep(StoredClient client, Done done) {
  change([this, client = std::move(client)] { records_.keep(client); }, std::move(done));
}

void MemoryTokenStore::forget_client(std::string issuer, std::string id, Done done) {
  change([this, issuer = std::move(issuer), id = std::move(id)] { records_.forget_client(issuer, id); },
         std::move(done));
}

void MemoryTokenStore::forget_unused_client(std::string issuer, std::string id, Done done) {
  change([this, issuer = std::move(issuer), id = std::move(id)] { records_.forget_unused_client(issuer, id); },
         std::move(done));
}

void MemoryTokenStore::lock(std::string remote, LockDone done) {
  ask({remote, [this, remote, done = std::move(done)] { done(LockPtr(std::make_unique<Held>(locked_, remote))); }});
}
