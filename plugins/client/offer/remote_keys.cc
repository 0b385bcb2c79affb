#include "client/offer/remote_keys.h"

#include <algorithm>
#include <span>

#include <collet/kit/text.hpp>
#include <collet/schema.hpp>

namespace collet::client {
namespace {

constexpr std::string_view kTransports[] = {"auto", "stdio", "http", "sse"};
constexpr std::string_view kProtocols[] = {"auto",       "2026-07-28", "2025-11-25",
                                           "2025-06-18", "2025-03-26", "2024-11-05"};
constexpr std::string_view kOnClash[] = {"prefix", "first", "last", "error"};
constexpr std::string_view kWhenDown[] = {"fail", "hide"};

// Formats that the host knows: host/config/stated_keys.h.
constexpr std::string_view kPath = R"("format":"path")";
constexpr std::string_view kFile = R"("format":"file")";  // its path starts from the folder of the configuration
constexpr std::string_view kHttpUrl = R"("format":"http-url")";
constexpr std::string_view kHeaderName = R"("format":"header-name")";
constexpr std::string_view kHeaderNames = R"("propertyNames":{"format":"header-name"})";
constexpr std::string_view kItemName = R"("format":"item-name")";
constexpr std::string_view kItemNamePart = R"("format":"item-name-part")";
constexpr std::string_view kSomeText = R"("minLength":1)";
constexpr std::string_view kTable = R"("type":"object")";

std::string one_of(std::span<const std::string_view> words) {
  std::string list;
  for (const std::string_view word : words) list.append(list.empty() ? "\"" : ",\"").append(word).append("\"");
  return R"("enum":[)" + list + ']';
}

void check_word(const RemoteConfig& remote, const char* key, const std::string& word,
                std::span<const std::string_view> words) {
  if (std::find(words.begin(), words.end(), word) != words.end()) return;
  throw collet::Error("remote." + remote.name + "." + key + ": unknown word \"" + word + "\"");
}

}  // namespace

const std::string_view kOneAddress = R"("oneOf":[{"required":["url"]},{"required":["command"]}])";

void ToolConfig::describe(collet::Fields<ToolConfig>& f) {
  f(&ToolConfig::timeout_ms, "Deadline of its calls; that of the remote unless set").min(1).max(limits::kSetTimeMsMax);
}

void RemoteConfig::describe(collet::Fields<RemoteConfig>& f) {
  using R = RemoteConfig;
  f(&R::name, "The name of the table");
  f(&R::enabled, "Whether it is used").optional();
  f(&R::transport, "How to reach it").optional().schema(one_of(kTransports));
  f(&R::protocol, "The version of MCP to speak with it; auto: whichever both know").optional().schema(one_of(kProtocols));
  f(&R::url, "Where it is; this or command").optional().schema(kHttpUrl);
  f(&R::command, "The program that it is; this or url").optional().schema(kSomeText);
  f(&R::args, "Arguments of the command").optional();
  f(&R::env, "Variables of the environment that the command gets").optional();
  f(&R::cwd, "The folder that the command starts in").optional().schema(kPath);
  f(&R::inherit_env, "The variables of the host's environment that the command gets, in which * stands for any text; those by which a "
                     "program finds its way unless set")
      .element_schema(kSomeText);
  f(&R::ca, "Authorities that are trusted besides the usual ones, PEM").optional().schema(kFile);
  f(&R::client_certificate, "Our own certificate, PEM").optional().schema(kFile);
  f(&R::client_key, "Its key, PEM, if it is not in the same file").optional().schema(kFile);
  f(&R::prefix, "Put before the names of its tools and prompts; its name and __ unless set").schema(kItemNamePart);
  f(&R::rename, "Final names of tools and prompts, by the remote's own").optional().element_schema(kItemName);
  f(&R::only, "The items to offer, by the remote's own names and URIs, in which * stands for any text; all unless set")
      .element_schema(kSomeText);
  f(&R::hide, "Of these, the items to leave out").optional().element_schema(kSomeText);
  f(&R::on_clash, "What becomes of a name that a remote before it offers, too").optional().schema(one_of(kOnClash));
  f(&R::headers, "Headers of every request").optional().schema(kHeaderNames);
  f(&R::variables, "What ${name} stands for in the other texts").optional();
  f(&R::forward_headers, "Headers of the caller's request to hand on").optional().element_schema(kHeaderName);
  f(&R::forward_token, "Whether the caller's Authorization is handed on").optional();
  f(&R::timeout_ms, "Deadline of its calls; that of [plugins] unless set").min(1).max(limits::kSetTimeMsMax);
  f(&R::tools, "What holds for single tools, by the remote's own names").optional();
  f(&R::start_timeout_ms, "How long it may take to answer the handshake").optional().min(1).max(limits::kSetTimeMsMax);
  f(&R::list_timeout_ms, "How long it may take for each page of a list").optional().min(1).max(limits::kSetTimeMsMax);
  f(&R::restart_timeout_ms, "How long calls wait for it when it was up a moment ago").optional().max(limits::kSetTimeMsMax);
  f(&R::strict, "Whether arguments are checked here, and tools left out whose schemas cannot be read").optional();
  f(&R::drain_timeout_ms, "How long its calls may go on when its table is changed or taken out").optional().max(limits::kSetTimeMsMax);
  f(&R::refresh_ms, "How often its lists are read again; 0: when it says so").optional().max(limits::kSetTimeMsMax);
  f(&R::when_down, "What its items do while it cannot be reached").optional().schema(one_of(kWhenDown));
  f(&R::instructions, "Whether what it tells clients about its use is part of the server's instructions").optional();
  f(&R::auth, "How authorization is had; auth/config.h has the keys").schema(kTable);
}

bool RemoteConfig::offers(std::string_view item) const {
  const auto one_fits = [&](const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) { return kit::is_like(item, pattern); });
  };
  return (!only || one_fits(*only)) && !one_fits(hide);
}

void check(const RemoteConfig& remote) {
  check_word(remote, "transport", remote.transport, kTransports);
  check_word(remote, "protocol", remote.protocol, kProtocols);
  check_word(remote, "on_clash", remote.on_clash, kOnClash);
  check_word(remote, "when_down", remote.when_down, kWhenDown);
  if (remote.url.empty() == remote.command.empty()) {
    throw collet::Error("remote." + remote.name + ": set either url or command");
  }
}

std::string schema_of_remote() {
  std::string schema = collet::schema_of<RemoteConfig>();
  schema.pop_back();
  return schema.append(",").append(kOneAddress).append("}");
}

}  // namespace collet::client
