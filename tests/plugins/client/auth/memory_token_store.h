// Tokens and clients in memory: a TokenStore that answers at once, or when the test says so.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "client/auth/token_records.h"
#include "client/auth/token_store.h"

class MemoryTokenStore final : public collet::client::auth::TokenStore {
 public:
  enum class Answers { at_once, when_told };

  explicit MemoryTokenStore(Answers answers = Answers::at_once) : answers_(answers) {}

  // The next answer, in the order of the questions, but for locks that are held. A read is answered with what was there
  // when it was asked, a change is made with its answer. False if there is none to give.
  bool answer();
  std::size_t questions() const { return pending_.size(); }
  // The question that was asked last is passed over until it is released.
  void hold_last();
  void release();

  std::string place() const override { return "memory"; }

  void token(std::string remote, TokenDone done) override;
  void keep(collet::client::auth::StoredToken token, Done done) override;
  void forget(std::string remote, Done done) override;

  void client(std::string issuer, ClientDone done) override;
  void keep(collet::client::auth::StoredClient client, Done done) override;
  void forget_client(std::string issuer, std::string id, Done done) override;
  void forget_unused_client(std::string issuer, std::string id, Done done) override;

  void lock(std::string remote, LockDone done) override;

 private:
  class Held;
  using Names = std::set<std::string>;
  struct Question {
    std::string locks;  // waits until this remote is free; empty: for nothing
    std::function<void()> answer;
  };

  void ask(Question question);
  void change(std::function<void()> edit, Done done);

  const Answers answers_;
  collet::client::auth::TokenRecords records_;
  std::deque<Question> pending_;
  std::deque<Question> held_back_;
  const std::shared_ptr<Names> locked_ = std::make_shared<Names>();  // shared with the locks, which may outlive this
};
