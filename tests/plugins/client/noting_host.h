// A host whose calls are those of a test: how they end is written down, and what is asked and told in between.
#pragma once

#include <collet/ext/relay.h>

#include <map>
#include <string>
#include <vector>

#include "client/offer/host.h"
#include "support/fake_host.h"

struct NotingHost {
  struct Table : collet_host {
    NotingHost* noting;
  };

  fake::Host fake;
  Table table{*fake.table(), this};
  std::map<collet_call, std::vector<std::string>> ended;  // "result {…}", "-32603 why", "suspended"
  std::map<std::string, std::string> questions;           // by key
  std::string state;                                      // of the call that was suspended last
  std::uint32_t state_version = 0;
  std::vector<std::string> told;  // "progress 1/2 words", "log [data]"

  NotingHost(const NotingHost&) = delete;
  NotingHost& operator=(const NotingHost&) = delete;
  NotingHost() {
    table.fail = [](const collet_host* host, collet_call call, std::int32_t code, const char* message, std::size_t size,
                    const char*, std::size_t) -> std::int32_t {
      of(host).ended[call].push_back(std::to_string(code) + " " + std::string(message, size));
      return COLLET_OK;
    };
    table.suspend = [](const collet_host* host, collet_call call, const char* its_state, std::size_t size,
                       std::uint32_t version) -> std::int32_t {
      of(host).ended[call].push_back("suspended");
      of(host).state.assign(its_state, size);
      of(host).state_version = version;
      return COLLET_OK;
    };
    table.need_input = [](const collet_host* host, collet_call, const char* key, std::size_t key_size,
                          const char* request, std::size_t size) -> std::int32_t {
      of(host).questions[std::string(key, key_size)] = std::string(request, size);
      return COLLET_OK;
    };
    table.progress = [](const collet_host* host, collet_call, double done, double total, const char* message,
                        std::size_t size) -> std::int32_t {
      of(host).told.push_back("progress " + std::to_string(static_cast<int>(done)) + "/" +
                              std::to_string(static_cast<int>(total)) + " " + std::string(message, size));
      return COLLET_OK;
    };
    table.log = [](const collet_host* host, collet_call, std::uint32_t, const char*, std::size_t, const char* data,
                   std::size_t size) -> std::int32_t {
      of(host).told.push_back("log " + std::string(data, size));
      return COLLET_OK;
    };
    table.get_extension = [](const collet_host*, const char* id, std::size_t size) -> const void* {
      static constexpr collet_relay kRelay{sizeof(collet_relay), 0, complete_with};
      return std::string_view(id, size) == COLLET_EXT_RELAY ? &kRelay : nullptr;
    };
  }

  // How the call has ended; empty: it has not.
  std::string end_of(collet_call call) const {
    const auto found = ended.find(call);
    if (found == ended.end()) return {};
    const auto& ends = found->second;
    return ends.size() == 1 ? ends[0] : "it has ended " + std::to_string(ends.size()) + " times";
  }

 private:
  static NotingHost& of(const collet_host* host) { return *static_cast<const Table*>(host)->noting; }
  static std::int32_t complete_with(const collet_host* host, collet_call call, const char* json, std::size_t size) {
    of(host).ended[call].push_back("result " + std::string(json, size));
    return COLLET_OK;
  }
};
