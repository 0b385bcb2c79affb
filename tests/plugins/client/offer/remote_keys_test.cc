#include "client/offer/remote_keys.h"

#include <collet/schema.hpp>

#include "client/offer/config.h"
#include "support/catch.h"

using namespace collet::client;

namespace {

// One of the remotes of a configuration, with that member besides its address.
RemoteConfig read_with(const std::string& member) {
  return read_config(R"({"remotes":[{"name":"r","url":"http://r/",)" + member + "}]}").remotes.at(0);
}

// What stands between the two in there, for each time that they do.
std::vector<std::string> between(const std::string& text, const std::string& begin, const std::string& end) {
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
    at += begin.size();
    found.push_back(text.substr(at, text.find(end, at) - at));
  }
  return found;
}

}  // namespace

TEST_CASE("the words that the schema of a remote states are those that are read") {
  const std::string schema = schema_of_remote();
  unsigned words = 0;
  for (const std::string key : {"transport", "protocol", "on_clash", "when_down"}) {
    const auto list = between(schema.substr(schema.find('"' + key + "\":")), R"("enum":[)", "]");
    REQUIRE_FALSE(list.empty());
    for (const std::string& word : collet::from_json<std::vector<std::string>>('[' + list[0] + ']')) {
      CHECK_NOTHROW(read_with('"' + key + "\":\"" + word + '"'));
      ++words;
    }
    CHECK_THROWS(read_with('"' + key + "\":\"no such word\""));
  }
  CHECK(words == 16);
}

TEST_CASE("the times that the schema of a remote states are those that are read, at the limit and one past it") {
  for (const std::string key : {"timeout_ms", "start_timeout_ms", "list_timeout_ms", "restart_timeout_ms", "drain_timeout_ms", "refresh_ms"}) {
    INFO(key);
    CHECK_NOTHROW(read_with('"' + key + "\":604800000"));
    CHECK_THROWS(read_with('"' + key + "\":604800001"));
    const bool takes_none = key == "restart_timeout_ms" || key == "drain_timeout_ms" || key == "refresh_ms";
    if (takes_none) {
      CHECK_NOTHROW(read_with('"' + key + "\":0"));
    } else {
      CHECK_THROWS(read_with('"' + key + "\":0"));
      CHECK_NOTHROW(read_with('"' + key + "\":1"));
    }
  }
}

TEST_CASE("the deadline of a tool is its own, else that of its remote, else the host's") {
  CHECK(read_with(R"("timeout_ms":7,"tools":{"t":{"timeout_ms":3},"u":{}})").timeout_of("t") == 3);
  CHECK(read_with(R"("timeout_ms":7,"tools":{"t":{"timeout_ms":3},"u":{}})").timeout_of("u") == 7);
  CHECK(read_with(R"("tools":{"t":{"timeout_ms":3}})").timeout_of("other") == 0);
}

TEST_CASE("the plugin states its whole configuration, remotes included") {
  const std::string schema = schema_of_config();
  const std::string remote = schema_of_remote();
  CHECK(schema.find(R"("remotes":{"type":"array","items":)" + remote) != std::string::npos);
  CHECK(schema.find(R"("name_bytes_max":)") != std::string::npos);
}
