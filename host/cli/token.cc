#include "config/token.h"

#include <cstdio>

#include "cli/verbs.h"

namespace collet::cli {

int token(const std::string& name) {
  const auto made = config::make_token();
  if (!made) return complain(made.message());
  std::printf(
      "%s\n\n"
      "This token is shown once: give it to the client, which sends \"Authorization: Bearer …\".\n"
      "In the configuration, so that it is accepted:\n\n"
      "[[server.token]]\n"
      "name = \"%s\"\n"
      "hash = \"%s\"\n",
      made->c_str(), name.c_str(), config::hash_token(*made).c_str());
  return kOk;
}

}  // namespace collet::cli
