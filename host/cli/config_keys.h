// The keys of a plugin's config, as its configSchema states them, for people and programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace collet::cli {

struct ConfigKey {
  std::string name;
  std::string value;          // what its value has to be, in words, or empty
  std::string description;    // or empty
  std::string standard;       // its default, as JSON; empty: none
  std::string standard_toml;  // likewise as TOML
  std::string example;        // a value that it may have, as TOML
  bool required = false;
  std::vector<ConfigKey> inner;  // of its table, or of each of its tables
};

// In all, those of inner tables among them: a schema that refers to itself could state any number.
inline constexpr unsigned kConfigKeysMax = 1'000;

// Of what a plugin says of itself, a JSON object; in the order of the schema. The first kConfigKeysMax.
std::vector<ConfigKey> config_keys(std::string_view info);

// For one who pastes it into a configuration: the table [plugin.<id>.config].
std::string to_toml(std::string_view id, const std::vector<ConfigKey>& keys);
// A JSON array of objects.
std::string to_json(const std::vector<ConfigKey>& keys);
// On a line: "limit: an integer from 1 to 10, default 3: How many"
std::string to_line(const ConfigKey& key);

}  // namespace collet::cli
