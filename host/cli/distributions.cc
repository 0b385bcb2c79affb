#include "cli/distributions.h"

#include <fmt/core.h>

#include "base/json_members.h"
#include "plugin/load/version_order.h"

namespace collet::cli {
namespace {

// As their packages libc6 and libstdc++6, or glibc and libstdc++, are documented; of libstdc++ the version that the manual of GCC
// (ABI Policy and Guidelines, Versioning) gives for the GCC that it is from.
constexpr Distribution kDistributions[] = {
    {"Debian 11", "2.31", "3.4.28"},     // GCC 10.2
    {"Debian 12", "2.36", "3.4.30"},     // GCC 12.2
    {"Debian 13", "2.41", "3.4.33"},     // GCC 14.2
    {"Ubuntu 20.04", "2.31", "3.4.28"},  // GCC 10
    {"Ubuntu 22.04", "2.35", "3.4.30"},  // GCC 12
    {"Ubuntu 24.04", "2.39", "3.4.33"},  // GCC 14
    {"RHEL/Alma 8", "2.28", "3.4.25"},   // GCC 8
    {"RHEL/Alma 9", "2.34", "3.4.29"},   // GCC 11
    {"RHEL/Alma 10", "2.39", "3.4.33"},  // GCC 14
};

std::string lack(std::string_view library, std::string_view needed, std::string_view has) {
  return plugin::is_later(needed, has) ? fmt::format("{} {} (it has {})", library, needed, has) : std::string();
}

}  // namespace

std::vector<Fit> fits_of(std::string_view glibc, std::string_view glibcxx) {
  std::vector<Fit> fits;
  for (const Distribution& each : kDistributions) {
    std::string lacks = lack("glibc", glibc, each.glibc);
    const std::string other = lack("GLIBCXX", glibcxx, each.glibcxx);
    if (!lacks.empty() && !other.empty()) lacks += " and ";
    fits.push_back({each.name, lacks + other});
  }
  return fits;
}

std::string loading_words(const std::vector<Fit>& fits) {
  std::string words;
  for (const Fit& fit : fits) {
    if (fit.lacks.empty()) words += fmt::format("{}{}", words.empty() ? "" : ", ", fit.distribution);
  }
  return words;
}

std::string lacking_words(const std::vector<Fit>& fits) {
  std::string words;
  for (const Fit& fit : fits) {
    if (!fit.lacks.empty()) words += fmt::format("{}{}: {}", words.empty() ? "" : "\n", fit.distribution, fit.lacks);
  }
  return words;
}

std::string to_json(const std::vector<Fit>& fits) {
  json::ArrayText out;
  for (const Fit& fit : fits) {
    json::ObjectText object;
    object.add_text("name", fit.distribution).add_bool("loads", fit.lacks.empty());
    if (!fit.lacks.empty()) object.add_text("lacks", fit.lacks);
    out.add(object.take());
  }
  return out.take();
}

}  // namespace collet::cli
