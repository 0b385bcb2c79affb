#include "config/token.h"

#include "cli/verbs.h"
#include "config/document.h"
#include "config/section.h"

namespace collet::cli {

int token(const std::string& name, Output& out) {
  if (!config::is_principal(name)) {
    return complain(fmt::format("a token cannot stand for {}: that must be {}", config::in_quotes(name),
                                config::kPrincipalMustBe));
  }
  const std::string made = config::make_token();
  out.print(
      "{}\n\n"
      "This token is shown once: give it to the client, which sends \"Authorization: Bearer …\".\n"
      "In the configuration, so that it is accepted:\n\n"
      "[[server.token]]\n"
      "name = {}\n"
      "hash = {}\n",
      made, config::toml_string(name), config::toml_string(config::hash_token(made)));
  return kOk;
}

}  // namespace collet::cli
