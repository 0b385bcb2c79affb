// Holds what a server said in a transcript against the schemas of the protocol's revisions.
//
// usage: wire_check < TRANSCRIPT
//
// '>' is what the client sent, '<' what the server answered. Over stdio each line is a message. Over HTTP an
// exchange begins with "> METHOD PATH" and has its headers and bodies, event streams as they are; exchanges stand
// one after the other, also if they ran at the same time. Every other line is passed over.
#include <cctype>
#include <iostream>
#include <string>

#include "support/wire_schema.h"

namespace {

using collet::test::Conversation;

class Transcript {
 public:
  void line(std::string_view line) {
    if (line.starts_with("> ")) return client(line.substr(2));
    if (line.starts_with("< ")) return server(line.substr(2));
  }

  unsigned messages = 0;
  unsigned refused = 0;

 private:
  static bool is_message(std::string_view text) { return text.starts_with('{') || text.starts_with('['); }

  // The header's value, if it is that one.
  static std::string_view header(std::string_view line, std::string_view name) {
    const std::size_t colon = line.find(": ");
    if (colon != name.size()) return {};
    for (std::size_t i = 0; i < colon; ++i) {
      if (std::tolower(static_cast<unsigned char>(line[i])) != name[i]) return {};
    }
    return line.substr(colon + 2);
  }

  void client(std::string_view text) {
    if (is_message(text)) return conversation_.client_sent(text);
    if (text.starts_with("POST /") || text.starts_with("GET /") || text.starts_with("DELETE /")) {
      conversation_ = Conversation();
      only_events_ = !text.starts_with("POST ");
      session_.clear();
    } else if (const auto version = header(text, "mcp-protocol-version"); version.data() && session_.empty()) {
      conversation_ = Conversation(version);
    } else if (const auto id = header(text, "mcp-session-id"); id.data()) {
      const auto found = sessions_.find(id);
      if (found == sessions_.end()) return;
      session_ = id;
      conversation_ = Conversation(found->second);
    }
  }

  void server(std::string_view text) {
    if (const auto id = header(text, "mcp-session-id"); id.data()) session_ = id;
    if (text.starts_with("data: ")) {
      text.remove_prefix(6);
    } else if (only_events_) {
      return;
    }
    if (!is_message(text)) return;
    ++messages;
    const std::string why = conversation_.server_sent(text);
    if (!session_.empty()) sessions_[session_] = conversation_.revision();
    if (why.empty()) return;
    ++refused;
    std::cout << why << "\n";
  }

  Conversation conversation_;
  bool only_events_ = false;                                  // other answers are documents
  std::string session_;                                       // of this exchange
  std::map<std::string, std::string, std::less<>> sessions_;  // their revisions
};

}  // namespace

int main() {
  Transcript transcript;
  for (std::string line; std::getline(std::cin, line);) transcript.line(line);
  std::cout << transcript.refused << " of " << transcript.messages << " messages are refused"
            << (collet::test::WireSchema::is_there() ? "" : ": there are no schemas") << "\n";
  return transcript.refused ? 1 : 0;
}
