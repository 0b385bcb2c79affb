#include "plugin/abi/abi_items.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>

#include "support/catch.h"

using namespace collet;
using namespace collet::plugin;

namespace {

// The numbers that collet/plugin.h defines below a comment that begins so, up to the next blank line.
std::map<std::string, std::uint32_t> defined_below(const std::string& comment) {
  std::ifstream in(std::filesystem::path(COLLET_TEST_EXTENSIONS).parent_path() / "plugin.h");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  text.erase(0, text.find("/* " + comment));
  text.resize(text.find("\n\n"));
  static const std::regex define("#define (COLLET_[A-Z_]+) (\\(1u << )?(\\d+)u?\\)?");
  std::map<std::string, std::uint32_t> out;
  for (std::sregex_iterator at(text.begin(), text.end(), define), end; at != end; ++at) {
    const auto number = static_cast<std::uint32_t>(std::stoul((*at)[3]));
    out[(*at)[1]] = (*at)[2].matched ? 1u << number : number;
  }
  return out;
}

}  // namespace

TEST_CASE("each flag of an item in plugin.h is a trait, and goes both ways") {
  auto flags = defined_below("collet_item_def.flags");
  CHECK(flags.erase("COLLET_ITEM_NONBLOCKING") == 1);  // where it runs is its generation's affair, and no trait
  CHECK(flags.size() == std::size(kAbiTraits));
  for (const auto& [name, flag] : flags) {
    INFO(name);
    CHECK(to_traits(flag) != registry::Traits());
    CHECK(to_flags(to_traits(flag)) == flag);
  }
}

TEST_CASE("each kind in plugin.h is one of the house, and goes both ways") {
  auto kinds = defined_below("Kinds of items");
  CHECK_FALSE(to_kind(kinds.at("COLLET_COMPLETE")));
  CHECK(to_abi(*to_call_kind(kinds.at("COLLET_COMPLETE"))) == kinds.at("COLLET_COMPLETE"));
  kinds.erase("COLLET_COMPLETE");
  for (const auto& [name, number] : kinds) {
    INFO(name);
    REQUIRE(to_kind(number));
    CHECK(to_abi(*to_kind(number)) == number);
    CHECK(to_abi_kinds(to_kinds(1u << number)) == 1u << number);
  }
  for (const mcp::KindNames& names : mcp::kKindTable) CHECK(to_kind(to_abi(names.kind)) == names.kind);
  for (const mcp::CallNames& names : mcp::kCallTable) CHECK(to_call_kind(to_abi(names.kind)) == names.kind);
}
