// The keys of a table, as a plugin states them by a JSON Schema.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "config/section.h"

namespace collet::config {

// Of a schema of an object it knows: `properties`, `required`, and a `oneOf` whose schemas require one key each; of a key the `type`;
// of a string `enum`, `format` and `minLength` (1), of an integer `minimum` and `maximum`, of an array the `items`, of an object
// `propertyNames` with a `format`, and `additionalProperties`, which are strings or objects with stated keys. The formats are "path",
// "file" (a path that starts from the folder of the configuration), "http-url", "header-name", "item-name" and "item-name-part".
// What a schema says beyond these is for the plugin to check.
class StatedKeys {
 public:
  // `without` is a key that is not for the table to set.
  StatedKeys(std::string_view schema, std::string_view without);
  explicit StatedKeys(const json::Value& schema, std::string_view without = {});
  ~StatedKeys();

  // Notes what is wrong with the table's keys, of which there are no others.
  void check(Section& section) const;
  // Whether the key's text is a path that starts from the folder of the configuration.
  bool is_file(std::string_view key) const;

 private:
  struct Key;

  void read(const json::Value& schema, std::string_view without);
  static Key key_of(std::string_view name, const json::Value& schema);
  static void check(Section& section, const Key& key);
  static void check_members(Section section, const Key& key);

  std::vector<Key> keys_;
  std::vector<std::string> required_;
  std::vector<std::string> alternatives_;  // of which there has to be one
};

}  // namespace collet::config
