// What a plugin asks of the client while it is suspended: elicitation, sampling, roots.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "registry/item.h"

namespace collet::protocol {

// The client capability that one of the requests needs and the client has not declared, or that its protocol
// version does not know: "elicitation", "sampling", "roots"; empty if all can be asked. Nothing if one of them is
// none of the three requests there are.
std::optional<std::string_view> lacking_capability(const std::vector<registry::InputRequest>& requests,
                                                   const json::Value* capabilities, std::string_view version);

// A client's answer as the plugin gets it: members that are wrong and not needed are left out. The error says why
// it is no answer to that request; content of a form must fit its requestedSchema. Both are JSON texts.
Result<std::string> read_answer(std::string_view request, std::string_view answer);

// What has been answered of the questions of a round.
struct Answers {
  std::string given;                         // JSON object's text: key → answer
  std::vector<registry::InputRequest> open;  // no answer yet
};
// `questions` are as to_object() writes them, `before` is what was given before; `responses` are a client's
// inputResponses, or null. What it was not asked is ignored (2026-07-28, basic/patterns/mrtr).
Result<Answers> match_answers(std::string_view questions, std::string_view before, const json::Value* responses);

// {"key":{…},…} as the plugin wrote them.
std::string to_object(const std::vector<registry::InputRequest>& requests);

}  // namespace collet::protocol
