// One connection to a remote that a test plays: what is sent is kept, and the test says what comes.
#pragma once

#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/mcp/connection.h"

// Outlives its transport, which the connection owns.
struct Wire {
  std::vector<collet::client::Outgoing> sent;
  std::vector<std::pair<collet::client::RequestId, bool>> finished;  // and whether it was answered
  std::optional<collet::client::Era> era;                            // as the handshake has set it last
  std::string version;
  bool finish_cancels = false;
  bool lacks_memory = false;  // for what is sent

  class End;
  std::unique_ptr<collet::client::Transport> transport();

  // What was sent last; nothing: without a method.
  const collet::client::Outgoing& last() const {
    static const collet::client::Outgoing none;
    return sent.empty() ? none : sent.back();
  }
  std::size_t count(std::string_view method) const {
    std::size_t found = 0;
    for (const auto& message : sent) found += message.method == method;
    return found;
  }
  std::vector<std::string> methods() const {
    std::vector<std::string> out;
    for (const auto& message : sent) out.push_back(message.method);
    return out;
  }
};

class Wire::End final : public collet::client::Transport {
 public:
  explicit End(Wire& wire) : wire_(wire) {}
  void send(collet::client::Outgoing message) override {
    if (wire_.lacks_memory) throw std::bad_alloc();
    wire_.sent.push_back(std::move(message));
  }
  void finish(collet::client::RequestId id, bool answered) override { wire_.finished.emplace_back(id, answered); }
  void set_version(collet::client::Era era, std::string_view version) override {
    wire_.era = era;
    wire_.version = version;
  }
  bool finish_cancels() const override { return wire_.finish_cancels; }

 private:
  Wire& wire_;
};

inline std::unique_ptr<collet::client::Transport> Wire::transport() { return std::make_unique<End>(*this); }

// Messages of the remote.
inline std::string result_text(collet::client::RequestId id, const std::string& result = "{}") {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"result":)" + result + "}";
}
inline std::string error_text(collet::client::RequestId id, int code, const std::string& message,
                              const std::string& data = "{}") {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"error":{"code":)" + std::to_string(code) +
         R"(,"message":")" + message + R"(","data":)" + data + "}}";
}
