// On which distributions a library finds the versions of the C and C++ libraries that it needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace collet::cli {

struct Distribution {
  std::string_view name;     // "Debian 12"
  std::string_view glibc;    // that it comes with: "2.36"
  std::string_view glibcxx;  // likewise, of libstdc++: "3.4.30"
};

struct Fit {
  std::string_view distribution;
  std::string lacks;  // "glibc 2.38 (it has 2.36)", or empty: the library loads there
};

// By what a file needs, as ElfReport has it; empty: it needs none.
std::vector<Fit> fits_of(std::string_view glibc, std::string_view glibcxx);

// "Debian 12, Debian 13", of those where it loads; and "Debian 11: glibc 2.34 (it has 2.31)" and the like of the others.
std::string loading_words(const std::vector<Fit>& fits);
std::string lacking_words(const std::vector<Fit>& fits);
// A JSON array of objects.
std::string to_json(const std::vector<Fit>& fits);

}  // namespace collet::cli
