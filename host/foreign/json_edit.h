// Changes of a JSON file that leave everything else in it as it stands: comments, order and blanks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "foreign/source.h"

namespace collet::foreign {

// Bytes of a file that go, and the text that comes in their place.
struct Edit {
  std::uint64_t at = 0;
  std::uint64_t removed = 0;
  std::string inserted;
};

// A member of the object that `path` leads to from the root, by the names of objects in objects.
struct MemberPlace {
  std::vector<std::string> path;
  std::string key;
};

// Adds it as the first one, and the objects that are missing on the way to it. `value` is indented as at the root.
// Fails if there is such a member already, if what is on the way is no object, and if the file is in UTF-16.
Result<Edit> add_member(Source& source, const MemberPlace& place, std::string_view value);

// Puts `value` in the place of the one that it has; fails likewise, and if it is not there.
Result<Edit> replace_member(Source& source, const MemberPlace& place, std::string_view value);

// Takes it out, and leaves the comments around it; of one that add_member() has put in nothing is left but an object
// that it has made. Nothing if it is not there.
Result<std::optional<Edit>> remove_member(Source& source, const MemberPlace& place);

}  // namespace collet::foreign
