#include "client/mcp/handshake.h"

#include <algorithm>
#include <array>

#include <collet/json.hpp>

#include "client/limits.h"

namespace collet::client {
namespace {

constexpr std::string_view kModernVersion = "2026-07-28";
constexpr std::array<std::string_view, 4> kLegacyVersions = {"2025-11-25", "2025-06-18", "2025-03-26",
                                                             "2024-11-05"};

bool names(std::string_view versions, std::string_view wanted) {
  bool found = false;
  for_each_element(versions, [&](std::string_view each) { found = found || to_string(each) == wanted; });
  return found;
}

std::string info_name(std::string_view info) {
  return find_string(info, "name").value_or("") + " " + find_string(info, "version").value_or("");
}

}  // namespace

Peer read_discovery(std::string_view result) {
  Peer peer{.era = Era::modern, .version = std::string(kModernVersion)};
  if (const auto text = find_member(result, "capabilities"); text.data()) peer.capabilities = text;
  const auto info = find_member(find_member(result, "_meta"), "io.modelcontextprotocol/serverInfo");
  peer.name = info_name(info.data() ? info : find_member(result, "serverInfo"));
  peer.instructions = find_string(result, "instructions").value_or("");
  return peer;
}

Handshake::Handshake(Loop& loop, Connection& connection, Options options, std::function<void(Peer)> done,
                     std::function<void(Failed)> failed)
    : connection_(connection),
      options_(std::move(options)),
      done_(std::move(done)),
      failed_(std::move(failed)),
      silence_(loop) {
  const bool legacy = only_legacy() || (options_.known_era == Era::legacy && !only_modern());
  legacy ? initialize() : discover();
}

Handshake::~Handshake() {
  connection_.cancel(discover_, nullptr);
  connection_.cancel(initialize_, nullptr);
}

void Handshake::discover() {
  ++attempts_;
  connection_.set_version(Era::modern, kModernVersion);
  discover_ = connection_.ask("server/discover", "", options_.start_ms,
                              [this](const Answer& answer) { on_discovered(answer); });
  if (!only_modern()) silence_.start(limits::kProbeMs, [this] { initialize(); });
}

bool Handshake::only_modern() const { return options_.version == kModernVersion; }

// Errors that only a modern server gives.
bool Handshake::is_modern(const RpcError& error) {
  return error.code == kUnsupportedVersion || error.code == kHeaderMismatch ||
         error.code == kMissingClientCapability;
}

void Handshake::on_discovered(const Answer& answer) {
  discover_ = 0;
  if (answer.ok()) {
    const std::string_view versions = find_member(answer.result, "supportedVersions");
    if (!names(versions, kModernVersion)) {  // or it answers whatever it is asked
      probe_problem_ = "it does not name 2026-07-28 among its supportedVersions " + std::string(versions);
      silence_.stop();
      if (!initialize_problem_.empty()) return fail_initialize();
      return initialize_ ? void() : initialize();
    }
    if (initialize_) {  // an answer that came after we had given up on it
      connection_.cancel(std::exchange(initialize_, 0), nullptr);
      connection_.set_version(Era::modern, kModernVersion);
    }
    silence_.stop();
    const auto done = done_;
    return done(read_discovery(answer.result));
  }
  probe_problem_ = answer.problem();
  if (initialize_) return;
  if (!initialize_problem_.empty()) return fail_initialize();
  silence_.stop();
  if (answer.error && is_modern(*answer.error)) {
    constexpr unsigned kAttemptsMax = 2;
    const std::string_view versions = find_member(answer.error->data, "supported");
    if (names(versions, kModernVersion) && attempts_ < kAttemptsMax) return discover();
    const bool legacy_too = std::any_of(kLegacyVersions.begin(), kLegacyVersions.end(),
                                        [&](std::string_view version) { return names(versions, version); });
    return legacy_too ? initialize() : fail(probe_problem_);
  }
  if (answer.lost) {
    // Nobody was there, or nobody who lets us in, or not now.
    const int status = answer.lost->http_status;
    retry_after_ms_ = answer.lost->retry_after_ms;
    if ((!answer.lost->sent && !status) || status == 401 || status == 403 || status / 100 == 3 || retry_after_ms_) {
      return fail(probe_problem_);
    }
  }
  initialize();
}

void Handshake::initialize() {
  if (only_modern()) {
    return fail("it does not speak 2026-07-28, as `protocol` wants: server/discover fails (" + probe_problem_ + ")");
  }
  ask_initialize(only_legacy() ? std::string_view(options_.version) : kLegacyVersions.front());
}

void Handshake::ask_initialize(std::string_view version) {
  offered_ = version;
  connection_.set_version(Era::legacy, "");
  std::string params = R"("protocolVersion":")" + std::string(version) + R"(","capabilities":)";
  params += kRelayedCapabilities;
  params += R"(,"clientInfo":)" + connection_.client_info();
  initialize_ = connection_.ask("initialize", params, options_.start_ms,
                                [this](const Answer& answer) { on_initialized(answer); });
}

// A server is to answer with a version of its own; some refuse ours instead, and name theirs.
bool Handshake::initialize_as_refusal_says(const Answer& answer) {
  if (only_legacy() || offered_ != kLegacyVersions.front()) return false;
  const std::string said = initialize_problem_ + (answer.error ? answer.error->data : "");
  const auto named = std::find_if(kLegacyVersions.begin() + 1, kLegacyVersions.end(), [&](std::string_view version) {
    return said.find(version) != std::string::npos;
  });
  if (named == kLegacyVersions.end()) return false;
  ask_initialize(*named);
  return true;
}

void Handshake::on_initialized(const Answer& answer) {
  initialize_ = 0;
  if (!answer.ok()) {
    initialize_problem_ = answer.problem();
    if (initialize_as_refusal_says(answer)) return;
    initialize_status_ = answer.lost ? answer.lost->http_status : 0;
    retry_after_ms_ = answer.lost ? answer.lost->retry_after_ms : 0;
    return discover_ ? void() : fail_initialize();  // else an answer to that may come yet
  }
  const std::string version = find_string(answer.result, "protocolVersion").value_or("");
  if (std::find(kLegacyVersions.begin(), kLegacyVersions.end(), version) == kLegacyVersions.end()) {
    return fail("it speaks the version \"" + version + "\", which is none of ours");
  }
  if (only_legacy() && version != options_.version) {
    return fail("it speaks " + version + " instead of " + options_.version + ", as `protocol` wants");
  }
  connection_.cancel(std::exchange(discover_, 0), nullptr);
  connection_.set_version(Era::legacy, version);
  connection_.notify("notifications/initialized", "");
  Peer peer{.era = Era::legacy, .version = version};
  if (const auto text = find_member(answer.result, "capabilities"); text.data()) peer.capabilities = text;
  peer.name = info_name(find_member(answer.result, "serverInfo"));
  peer.instructions = find_string(answer.result, "instructions").value_or("");
  const auto done = done_;
  done(std::move(peer));
}

void Handshake::fail_initialize() {
  const int status = initialize_status_;
  const std::string neither = "it understands neither server/discover (" + probe_problem_ + ") nor ";
  fail((has_probed() ? neither : "it does not understand ") + "initialize (" + initialize_problem_ + ")",
       status == 400 || status == 404 || status == 405);
}

void Handshake::fail(std::string message, bool unknown_endpoint) {
  const auto failed = failed_;
  failed({std::move(message), unknown_endpoint, retry_after_ms_});
}

}  // namespace collet::client
