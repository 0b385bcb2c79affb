#include "cli/current_listing.h"
#include "cli/listing.h"
#include "cli/tool_text.h"
#include "cli/verbs.h"

namespace collet::cli {
namespace {

int show_tool(const std::string& text, const DescribeOptions& options, Output& out) {
  json::Document listing;
  if (!read_listing(text, listing)) return complain("the listing cannot be read", kUnreachable);
  std::vector<std::string> known;
  const json::Value* found = nullptr;
  for_each_item(listing, mcp::Kind::tool, [&](const json::Value& item) {
    known.emplace_back(json::find_string(item, "name").value_or(""));
    if (known.back() == options.tool) found = &item;
  });
  if (found) {
    out.write(options.common.json ? tool_json(*found) + '\n' : tool_text(*found, out.width()));
    return kOk;
  }
  return complain_of_unknown("tool", options.tool, known, remote_problems(text));
}

}  // namespace

int describe(const DescribeOptions& options, Output& out) {
  return with_listing(options.common, options.fresh,
                      [&](const std::string& listing) { return show_tool(listing, options, out); });
}

}  // namespace collet::cli
