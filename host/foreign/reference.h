// References to the environment in the configurations of other programs, and what Collet has instead.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "foreign/client.h"

namespace collet::foreign {

// One of VS Code's `inputs`, which it asks a person for. We have the environment instead.
struct Input {
  std::string variable;   // of the environment
  std::string otherwise;  // its default, may be empty
  std::string says;       // what the person would have been asked
};

// What references may refer to.
struct Surroundings {
  std::string workspace;  // ${workspaceFolder}, absolute
  std::map<std::string, Input, std::less<>> inputs;
};

// What has been met in translating.
struct Met {
  std::set<std::string> variables;  // of the environment, those without a default
  std::set<std::string> inputs;
  bool literal =
      false;  // "${" that is no reference: it became "${dollar}{", and wants the variable `dollar` to be "$"
};

// What a program takes `text` for, in Collet's terms. With References::braces ${NAME}, ${NAME:-other}, ${env:NAME},
// ${userHome}, ${workspaceFolder}, ${workspaceFolderBasename}, ${pathSeparator}, ${/}, ${input:ID} and Continue's
// ${{ secrets.NAME }}; with dollars $NAME besides; with single_brace {env:NAME} alone. Anything else in such braces
// is a failure: nobody would mean it to reach a server as it stands.
Result<std::string> translate(std::string_view text, References references, const Surroundings& surroundings,
                              Met& met);

// For programs that expand nothing: a text of Collet's that comes out as `text`.
std::string literal(std::string_view text, Met& met);

// Whether the environment can have a variable of that name.
bool is_variable_name(std::string_view name);

// Whether it holds $NAME, which some programs expand and Collet does not.
bool has_bare_variable(std::string_view text);

}  // namespace collet::foreign
