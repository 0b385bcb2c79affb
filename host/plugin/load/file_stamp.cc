#include "plugin/load/file_stamp.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace collet::plugin {

bool same_bytes(const std::string& a, const std::string& b) {
  std::ifstream first(a, std::ios::binary);
  std::ifstream second(b, std::ios::binary);
  if (!first || !second) return false;
  using Bytes = std::istreambuf_iterator<char>;
  return std::equal(Bytes(first), Bytes(), Bytes(second), Bytes());
}

}  // namespace collet::plugin
