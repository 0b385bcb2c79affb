#include "client/handshake.h"

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
  options_.known_era == Era::legacy ? initialize() : discover();
}

Handshake::~Handshake() {
  connection_.cancel(discover_, nullptr);
  connection_.cancel(initialize_, nullptr);
}

void Handshake::discover() {
  ++attempts_;
  connection_.set_version(Era::modern, kModernVersion);
  discover_ = connection_.ask("server/discover", "", limits::kStartMs,
                              [this](const Answer& answer) { on_discovered(answer); });
  if (options_.probe_ms) silence_.start(options_.probe_ms, [this] { initialize(); });
}

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
  if (initialize_) return;
  silence_.stop();
  probe_problem_ = answer.problem();
  if (answer.error && is_modern(*answer.error)) {
    constexpr unsigned kAttemptsMax = 2;
    const std::string_view versions = find_member(answer.error->data, "supported");
    if (names(versions, kModernVersion) && attempts_ < kAttemptsMax) return discover();
    const bool legacy_too = std::any_of(kLegacyVersions.begin(), kLegacyVersions.end(),
                                        [&](std::string_view version) { return names(versions, version); });
    return legacy_too ? initialize() : fail(probe_problem_);
  }
  if (answer.lost) {
    probe_status_ = answer.lost->http_status;
    // Nobody was there, or nobody who lets us in.
    if (!probe_status_ || probe_status_ == 401 || probe_status_ == 403 || probe_status_ / 100 == 3) {
      return fail(probe_problem_);
    }
  }
  initialize();
}

void Handshake::initialize() {
  connection_.set_version(Era::legacy, "");
  std::string params = R"("protocolVersion":")" + options_.legacy_version + R"(","capabilities":)";
  params += kRelayedCapabilities;
  params += R"(,"clientInfo":)" + connection_.client_info();
  initialize_ = connection_.ask("initialize", params, limits::kStartMs,
                                [this](const Answer& answer) { on_initialized(answer); });
}

void Handshake::on_initialized(const Answer& answer) {
  initialize_ = 0;
  if (!answer.ok()) {
    const int status = answer.lost ? answer.lost->http_status : 0;
    return fail(
        "it understands neither server/discover (" + probe_problem_ + ") nor initialize (" + answer.problem() + ")",
        status == 400 || status == 404 || status == 405);
  }
  const std::string version = find_string(answer.result, "protocolVersion").value_or("");
  if (std::find(kLegacyVersions.begin(), kLegacyVersions.end(), version) == kLegacyVersions.end()) {
    return fail("it speaks the version \"" + version + "\", which is none of ours");
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

void Handshake::fail(std::string message, bool unknown_endpoint) {
  const auto failed = failed_;
  failed({std::move(message), unknown_endpoint});
}

}  // namespace collet::client
