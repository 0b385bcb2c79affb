#include "protocol/http/http_content.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "collet/kit/text.hpp"
#include "registry/callee.h"
#include "transport/field_list.h"

namespace collet::protocol {
namespace {

using transport::FieldList;
using transport::Header;
using transport::HttpReply;
using transport::HttpRequest;

// What a client has to send (2026-07-28, streamable-http, Sending Messages); most send it just so.
constexpr std::string_view kAsSpecified = "application/json, text/event-stream";

bool is_zero(std::string_view weight) {
  return weight.starts_with('0') &&
         std::all_of(weight.begin(), weight.end(), [](char c) { return c == '0' || c == '.'; });
}

// How closely a media range fits a type; 0: not at all.
unsigned fit(std::string_view range, std::string_view type) {
  if (text::equals_ignoring_case(range, type)) return 3;
  const std::size_t slash = type.find('/') + 1;
  if (range.size() == slash + 1 && range.back() == '*' &&
      text::equals_ignoring_case(range.substr(0, slash), type.substr(0, slash))) {
    return 2;
  }
  return range == "*/*" ? 1 : 0;
}

bool takes(std::string_view accept, std::string_view type) {
  unsigned closest = 0;
  bool taken = false;
  FieldList ranges(accept);
  while (const auto range = ranges.next()) {
    FieldList parts(*range, ';');
    const unsigned fits = fit(parts.next().value_or(""), type);
    if (fits == 0 || fits < closest) continue;
    bool wanted = true;
    while (const auto part = parts.next()) {
      if (text::equals_ignoring_case(part->substr(0, 2), "q=")) wanted = !is_zero(part->substr(2));
    }
    taken = wanted || (fits == closest && taken);
    closest = fits;
  }
  return taken;
}

// Parameters do not matter: JSON is UTF-8, whatever they say.
bool is_json(std::string_view content_type) {
  if (content_type == kJsonType) return true;
  FieldList copies(content_type);
  bool any = false;
  while (const auto copy = copies.next()) {
    if (!text::equals_ignoring_case(kit::trimmed(copy->substr(0, copy->find(';'))), kJsonType)) return false;
    any = true;
  }
  return any;
}

bool is_identity(std::string_view content_encoding) {
  FieldList codings(content_encoding);
  while (const auto coding = codings.next()) {
    if (!text::equals_ignoring_case(*coding, "identity")) return false;
  }
  return true;
}

}  // namespace

Accepted accepted(const HttpRequest& http) {
  std::string joined;
  const std::string_view accept = http.listed("accept", joined);
  if (accept.empty() || accept == kAsSpecified) return {};
  return {takes(accept, kJsonType), takes(accept, kEventsType)};
}

bool has_json_body(const HttpRequest& http, HttpReply& reply) {
  std::string joined;
  if (!is_identity(http.listed("content-encoding", joined))) {
    refuse(reply, page_of(http), 415, "Send the body as it is, without a Content-Encoding\n",
           {"Accept-Encoding", "identity"});
    return false;
  }
  if (!is_json(http.listed("content-type", joined))) {
    refuse(reply, page_of(http), 415, "Content-Type must be application/json\n");
    return false;
  }
  return true;
}

std::vector<std::pair<std::string, std::string>> kept_headers(const HttpRequest& http,
                                                              const std::vector<std::string>& names) {
  std::vector<std::pair<std::string, std::string>> kept;
  for (const std::string& name : names) {
    std::string joined;
    const std::string_view value = http.listed(name, joined);
    if (value.data()) kept.emplace_back(name, value);
  }
  return kept;
}

std::string_view page_of(const HttpRequest& http) { return http.stated("origin").value; }

std::array<Header, 3> readable_by(std::string_view page) {
  return {{{"Access-Control-Allow-Origin", page},
           {"Vary", "Origin"},
           {"Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate"}}};
}

void begin_events(const HttpRequest& http, HttpReply& reply) {
  const std::string_view page = page_of(http);
  const auto headers = readable_by(page);
  reply.begin_events(std::span(headers).first(page.empty() ? 0 : headers.size()));
}

void respond(HttpReply& reply, std::string_view page, int status, std::vector<Header> headers,
             std::string_view body) {
  if (!page.empty()) {
    const auto more = readable_by(page);
    headers.insert(headers.end(), more.begin(), more.end());
  }
  reply.respond(status, headers, {&body, 1});
}

void refuse(HttpReply& reply, std::string_view page, int status, std::string_view message, Header extra) {
  std::vector<Header> headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  if (!extra.name.empty()) headers.push_back(extra);
  respond(reply, page, status, std::move(headers), message);
}

bool takes_method(std::string_view methods, const HttpRequest& http, HttpReply& reply, std::string_view page) {
  if (methods.empty() || registry::names_method(methods, http.method)) return true;
  refuse(reply, page, 405, fmt::format("Here only {} is served\n", methods), {"Allow", methods});
  return false;
}

}  // namespace collet::protocol
