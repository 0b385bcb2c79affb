// One server of another program's configuration, key by key.
#pragma once

#include <fmt/core.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "foreign/client.h"
#include "foreign/reference.h"
#include "foreign/remote.h"

namespace collet::foreign {

class RemoteReader {
 public:
  // All are borrowed; what could not be kept is added to `notes`, or to `lost` if the remote may not work without.
  RemoteReader(const Surroundings& surroundings, const Dialect& dialect, std::vector<config::Problem>& notes,
               std::vector<config::Problem>& lost)
      : surroundings_(surroundings), dialect_(dialect), notes_(notes), lost_(lost) {}

  // Once. `name` is its name here. A problem says why there can be no such remote.
  std::variant<Remote, config::Problem> read(std::string name, const config::Value& server);

 private:
  using Value = config::Value;
  struct Key;
  struct Unmapped;
  static const Key kKeys[];
  static const Unmapped kUnmapped[];

  void read_member(const Value::Member& member);
  void read_type(const Value& value);
  void read_command(const Value& value);
  void read_args(const Value& value);
  void read_env(const Value& value) { add_pairs(value, remote_.env); }
  void read_env_vars(const Value& value);
  void read_transport(const Value& value);
  void read_cwd(const Value& value);
  void read_url(const Value& value);
  void read_http_url(const Value& value);
  void read_headers(const Value& value) { add_pairs(value, remote_.headers); }
  void read_env_headers(const Value& value);
  void read_bearer(const Value& value);
  void read_api_key(const Value& value);
  void read_request_options(const Value& value);
  void read_request_option(const Value::Member& member);
  void read_enabled(const Value& value);
  void read_disabled(const Value& value);
  void read_hidden(const Value& value);
  void read_tools(const Value& value);
  void read_allowed(const Value& value);
  void read_available(const Value& value);
  void read_timeout(const Value& value);
  void read_timeout_s(const Value& value) { set_timeout(value, 1'000, remote_.timeout_ms, "timeout_ms"); }
  void read_start_timeout_ms(const Value& value) {
    set_timeout(value, 1, remote_.start_timeout_ms, "start_timeout_ms");
  }
  void read_start_timeout_s(const Value& value) {
    set_timeout(value, 1'000, remote_.start_timeout_ms, "start_timeout_ms");
  }
  void read_scopes(const Value& value);
  void read_resource(const Value& value) { remote_.auth.resource = text(value); }
  void read_auth(const Value& value);
  void read_auth_member(const Value::Member& member);
  void skip(const Value&) {}

  // Each fails if the value is of another type, or what it refers to is not known.
  std::string text(const Value& value);
  std::vector<std::string> texts(const Value& value);
  void add_pairs(const Value& value, Pairs& pairs);
  std::string variable(const Value& value);  // ${env:…} of the name that the value is
  void set_timeout(const Value& value, double factor, std::optional<std::uint64_t>& to, std::string_view name);
  bool is_table(const Value& value);

  void drop_own_headers();
  void note_references();
  void check();

  template <class... Args>
  void fail(const Value& value, fmt::format_string<Args...> format, Args&&... args) {
    if (!problem_) problem_ = config::Problem{value.at, fmt::format(format, std::forward<Args>(args)...)};
  }
  template <class... Args>
  void note(config::Position at, fmt::format_string<Args...> format, Args&&... args) {
    notes_.push_back({at, remote_.name + ": " + fmt::format(format, std::forward<Args>(args)...)});
  }

  template <class... Args>
  void lose(config::Position at, fmt::format_string<Args...> format, Args&&... args) {
    lost_.push_back({at, remote_.name + ": " + fmt::format(format, std::forward<Args>(args)...)});
  }

  const Surroundings& surroundings_;
  const Dialect& dialect_;
  std::vector<config::Problem>& notes_;
  std::vector<config::Problem>& lost_;
  Remote remote_;
  Met met_;
  std::string key_;  // that is being read
  bool url_is_final_ = false;
  std::optional<config::Problem> problem_;
};

}  // namespace collet::foreign
