// Where a plugin's config stands in the file that it was read from: whoever finds a mistake in the config can say where it is.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <string_view>

namespace collet {

class ConfigPlaces {
 public:
  // Counted from 1; columns in code points.
  struct Place {
    unsigned line = 0;  // 0: it is not known
    unsigned column = 0;
    auto operator<=>(const Place&) const = default;
  };
  enum class Of : unsigned char { key, value };

  ConfigPlaces() = default;
  // `table` is the full name of the config in there: "plugin.math.config".
  explicit ConfigPlaces(std::string table, std::string file = {}) : table_(std::move(table)), file_(std::move(file)) {}

  // Of what the JSON Pointer leads to; the empty one is the table itself. Past limits::kConfigPlacesMax there are no more.
  void add(const std::string& pointer, Place key, Place value);

  const std::string& table() const { return table_; }
  const std::string& file() const { return file_; }  // empty: none
  // Of what the pointer leads to, or of what is nearest around it.
  Place find(std::string_view pointer, Of part) const;

  // As a text that of_text() reads in another process.
  std::string to_text() const;
  static ConfigPlaces of_text(std::string_view text);

  // A config is the same wherever it stands.
  bool operator==(const ConfigPlaces&) const { return true; }

 private:
  struct Member {
    Place key;
    Place value;
  };

  std::string table_;
  std::string file_;
  std::map<std::string, Member, std::less<>> members_;  // by pointer
};

}  // namespace collet
