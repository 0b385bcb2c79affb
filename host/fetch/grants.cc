#include "fetch/grants.h"

#include <algorithm>

#include "base/address.h"
#include "base/text.h"

namespace collet::fetch {

Grants::Grants(const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) {
    auto parts = text::split_host_and_port(host);
    if (!parts) continue;
    std::transform(parts->host.begin(), parts->host.end(), parts->host.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    if (const auto address = in_words(parts->host, parts->port)) {
      named_.insert(*address);
      addresses_.insert(*address);
    } else {
      named_.insert(fmt::format("{}:{}", parts->host, parts->port));
    }
  }
}

}  // namespace collet::fetch
