#include "protocol/http/discovery.h"

#include <functional>
#include <span>
#include <utility>

#include "base/json_members.h"
#include "protocol/version.h"

namespace collet::protocol {
namespace {

constexpr std::string_view kCardType = "application/mcp-server-card+json";
constexpr std::string_view kCatalogType = "application/ai-catalog+json";
constexpr std::string_view kCatalogPath = "/.well-known/ai-catalog.json";

std::string card_text(const ServerCard& card, const std::string& mcp_path) {
  const std::string remote = json::ObjectText()
                                 .add_text("type", "streamable-http")
                                 .add_text("url", card.url + mcp_path)
                                 .add("supportedProtocolVersions", supported_versions())
                                 .take();
  json::ObjectText members;
  members.add_text("$schema", "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json")
      .add_text("name", card.name)
      .add_text("version", card.version)
      .add_text("description", card.description);
  if (!card.title.empty()) members.add_text("title", card.title);
  return members.add("remotes", "[" + remote + "]").take();
}

// "org.example/weather" → "urn:air:example.org:mcp:weather".
std::string catalog_identifier(std::string_view name) {
  const std::size_t slash = name.find('/');
  std::string_view rest = name.substr(0, slash);
  std::string domain;
  while (true) {
    const std::size_t dot = rest.rfind('.');
    domain += rest.substr(dot + 1);
    if (dot == std::string_view::npos) break;
    domain += '.';
    rest = rest.substr(0, dot);
  }
  return fmt::format("urn:air:{}:mcp:{}", domain, name.substr(slash + 1));
}

std::string catalog_text(const ServerCard& card, const std::string& card_path) {
  const std::string entry = json::ObjectText()
                                .add_text("identifier", catalog_identifier(card.name))
                                .add_text("type", kCardType)
                                .add_text("url", card.url + card_path)
                                .take();
  return json::ObjectText().add_text("specVersion", "1.0").add("entries", "[" + entry + "]").take();
}

Document document(std::string path, std::string_view media_type, std::string body) {
  const std::size_t digest = std::hash<std::string>()(body);
  return {std::move(path), std::string(media_type), std::move(body), fmt::format("\"{:016x}\"", digest)};
}

}  // namespace

Route route_to(const Document& document) {
  const auto serve = [&document](const transport::HttpRequest& http, transport::HttpReply& reply, const auto&) {
    const transport::Header headers[] = {{"Access-Control-Allow-Origin", "*"},
                                         {"Cache-Control", "public, max-age=300"},
                                         {"ETag", document.etag},
                                         {"Content-Type", document.media_type}};
    if (http.header("if-none-match") == document.etag) return reply.respond(304, std::span(headers, 3), {});
    const std::string_view body = document.body;
    reply.respond(200, headers, {&body, 1});
  };
  return {document.path, Entry::published, "GET, HEAD", serve};
}

std::vector<Document> discovery_documents(const ServerCard& card, const std::string& mcp_path) {
  const std::string card_path = mcp_path + "/server-card";
  return {document(card_path, kCardType, card_text(card, mcp_path)),
          document(std::string(kCatalogPath), kCatalogType, catalog_text(card, card_path))};
}

}  // namespace collet::protocol
