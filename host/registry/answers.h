// What is answered to a plugin that asks while it is suspended: by a client, or by another plugin.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "registry/item.h"

namespace collet::registry {

// A client's answer as the plugin gets it: members that are wrong and not needed are left out. The error says why
// it is no answer to that request; content of a form must fit its requestedSchema. Both are JSON texts.
Result<std::string> read_answer(std::string_view request, std::string_view answer);

// What has been answered of the questions of a round.
struct Answers {
  std::string given;               // JSON object's text: key → answer
  std::vector<InputRequest> open;  // no answer yet
};
// `questions` are as to_object() writes them, `before` is what was given before; `responses` are a client's
// inputResponses, or null. What it was not asked is ignored (2026-07-28, basic/patterns/mrtr).
Result<Answers> match_answers(std::string_view questions, std::string_view before, const json::Value* responses);

// {"key":{…},…} as the plugin wrote them.
std::string to_object(const std::vector<InputRequest>& requests);

}  // namespace collet::registry
