// Where somebody who is not trusted may fetch from: the hosts that an operator grants, "api.example.com:443".
//
// A host that is granted by its name may be fetched from by that name, whatever address the name has: that is what was
// granted. Any other name is good if the address that is connected to is granted as such, which is looked at when the
// connection is made, and again before each request that goes over it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fetch/target.h"

namespace collet::fetch {

// Any thread.
class Grants {
 public:
  // Each as text::split_host_and_port() takes it; what that does not take grants nothing.
  explicit Grants(const std::vector<std::string>& hosts);

  // By its name, or as the address that it is.
  bool name(const Target& target) const { return named_.contains(target.place()); }
  // Whether some address is granted, so that another name might lead there.
  bool has_addresses() const { return !addresses_.empty(); }
  // "127.0.0.1:80": as an address.
  bool contains(const std::string& address) const { return addresses_.contains(address); }

 private:
  std::set<std::string> named_;
  std::set<std::string> addresses_;  // those of them that are addresses
};
using GrantsPtr = std::shared_ptr<const Grants>;  // shared by the requests under way

}  // namespace collet::fetch
