#include "cli/distributions.h"

#include "support/catch.h"

using namespace collet;

namespace {

std::string loads_on(std::string_view glibc, std::string_view glibcxx) {
  return cli::loading_words(cli::fits_of(glibc, glibcxx));
}

}  // namespace

TEST_CASE("a library loads where the versions are that it needs") {
  const std::string all =
      "Debian 11, Debian 12, Debian 13, Ubuntu 20.04, Ubuntu 22.04, Ubuntu 24.04, RHEL/Alma 8, RHEL/Alma 9, RHEL/Alma 10";
  CHECK(loads_on("", "") == all);
  CHECK(loads_on("2.4", "3.4.9") == all);
  CHECK(loads_on("2.28", "3.4.25") == all);
  CHECK(loads_on("2.31", "3.4.28") ==
        "Debian 11, Debian 12, Debian 13, Ubuntu 20.04, Ubuntu 22.04, Ubuntu 24.04, RHEL/Alma 9, RHEL/Alma 10");
  CHECK(loads_on("2.34", "3.4.29") == "Debian 12, Debian 13, Ubuntu 22.04, Ubuntu 24.04, RHEL/Alma 9, RHEL/Alma 10");
  CHECK(loads_on("2.36", "3.4.30") == "Debian 12, Debian 13, Ubuntu 24.04, RHEL/Alma 10");
  CHECK(loads_on("2.28", "3.4.31") == "Debian 13, Ubuntu 24.04, RHEL/Alma 10");
  CHECK(loads_on("2.41", "") == "Debian 13");
  CHECK(loads_on("2.42", "").empty());
}

TEST_CASE("what a distribution lacks is told") {
  const auto fits = cli::fits_of("2.36", "3.4.29");
  CHECK(cli::lacking_words(fits) ==
        "Debian 11: glibc 2.36 (it has 2.31) and GLIBCXX 3.4.29 (it has 3.4.28)\n"
        "Ubuntu 20.04: glibc 2.36 (it has 2.31) and GLIBCXX 3.4.29 (it has 3.4.28)\n"
        "Ubuntu 22.04: glibc 2.36 (it has 2.35)\n"
        "RHEL/Alma 8: glibc 2.36 (it has 2.28) and GLIBCXX 3.4.29 (it has 3.4.25)\n"
        "RHEL/Alma 9: glibc 2.36 (it has 2.34)");
  CHECK_THAT(cli::to_json(fits),
             Catch::StartsWith(R"([{"name":"Debian 11","loads":false,"lacks":"glibc 2.36 (it has 2.31) and)"));
  CHECK_THAT(cli::to_json(fits), Catch::EndsWith(R"({"name":"RHEL/Alma 10","loads":true}])"));
}
