// The one object that can answer a request.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

#include "rpc/error.h"
#include "rpc/message.h"

namespace collet::rpc {

// Where the messages that belong to one request go: an HTTP answer, an event stream, a line. Loop thread.
class Outlet {
 public:
  // A message before the answer. May turn the answer into a stream.
  virtual void interim(std::span<const std::string_view> pieces) = 0;
  // The answer. Nothing is sent afterwards. Throws std::bad_alloc if there is no memory for it; nothing was sent then.
  virtual void answer(int http_status, std::span<const std::string_view> pieces) = 0;
  // Whether messages before the answer reach the client.
  virtual bool takes_interim() const { return true; }
  // Whether the client reads more slowly than it is written to. What it can do without is to be left out meanwhile.
  virtual bool client_is_behind() const { return false; }

 protected:
  ~Outlet() = default;
};

// Hears how a request ended: by one of these, once. They throw nothing.
class ExchangeWatch {
 public:
  virtual ~ExchangeWatch() = default;
  virtual void on_result(std::size_t bytes) = 0;
  virtual void on_error(const Error& error) = 0;
  virtual void on_disowned() = 0;  // its client is gone, or has cancelled it
};

// Move-only; answered once. One that is dropped unanswered answers with an internal error, so that no client waits
// for ever; answering twice is a bug. After disown() the client is gone and everything is swallowed.
class Exchange {
 public:
  Exchange() = default;
  // `outlet` outlives this exchange, or disown() is called.
  Exchange(Id id, Outlet& outlet) : id_(std::move(id)), outlet_(&outlet) {}
  Exchange(Exchange&& other) noexcept;
  Exchange& operator=(Exchange&& other) noexcept;
  ~Exchange();

  const Id& id() const { return id_; }
  // Whether an answer can still be given.
  bool open() const { return outlet_ != nullptr; }

  // The result's JSON text, in pieces, at most kPiecesMax.
  void result(std::span<const std::string_view> pieces);
  void result(std::initializer_list<std::string_view> pieces) { result(std::span(pieces.begin(), pieces.size())); }
  void error(const Error& error);
  // A notification that belongs to this request. `params` is JSON text.
  void notify(std::string_view method, std::string_view params);

  // A request of ours, on the stream of theirs. `request` is an object's text: {"method":…,"params":…}.
  void ask(std::uint64_t id, std::string_view request);

  // Whether a request of ours would reach the client.
  bool can_ask() const { return open() && outlet_->takes_interim(); }

  bool client_is_behind() const { return open() && outlet_->client_is_behind(); }

  void watch(std::unique_ptr<ExchangeWatch> watch) { watch_ = std::move(watch); }

  void disown();
  // The same exchange through another outlet, which has taken the place of this one's.
  Exchange move_to(Outlet& outlet);

  static constexpr std::size_t kPiecesMax = 16;

 private:
  Id id_;
  Outlet* outlet_ = nullptr;
  std::unique_ptr<ExchangeWatch> watch_;  // mostly null
};

// {"jsonrpc":"2.0","id":…,"error":{…}}; without "id" if that is empty.
std::string error_message(const Id& id, const Error& error);

}  // namespace collet::rpc
