// What lies in a directory, and below it, in a fixed order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "files/read.h"
#include "files/roots.h"

namespace files {

enum class Kind { file, directory, link, other };

struct Entry {
  std::string name;
  Kind kind;
};

// Everything in one directory, sorted by the bytes of its names. Names that are not UTF-8 cannot be told to a
// caller: they are left out and counted.
struct Directory {
  std::vector<Entry> entries;
  std::uint64_t unnameable = 0;
};
Directory read_directory(const Location& location);  // throws Failure

// What is known of an entry without opening it; nothing if it has gone meanwhile.
struct Details {
  std::uint64_t size = 0;
  std::int64_t modified_s = 0;  // since 1970
};
std::optional<Details> details_of(const Location& location);

struct WalkReport {
  std::uint64_t entries = 0;     // seen
  std::uint64_t unnameable = 0;  // left out, see above
  std::uint64_t unreadable = 0;  // directories that could not be opened
  bool complete = true;          // false: `visit` or `cancelled` ended it, or there were more than `entries_max`
};

// Visits everything below `start`, parents before children, siblings sorted, until `visit` returns false. A
// symbolic link is visited but not followed, so that there are no loops. `start` may be a file: then that alone.
WalkReport walk(const Location& start, std::uint64_t entries_max, const Cancelled& cancelled,
                const std::function<bool(const Location&, Kind)>& visit);

}  // namespace files
