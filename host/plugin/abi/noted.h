// Functions of tables as a debug host offers them: what they refuse is noted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "plugin/abi/entered.h"
#include "plugin/abi/refusals.h"

namespace collet::plugin {

// A function's name, for a template.
template <std::size_t Size>
struct FunctionName {
  constexpr FunctionName(const char (&from)[Size]) { std::copy_n(from, Size, text); }  // NOLINT: so that a literal can be given
  char text[Size];
};

// What a function may answer to a plugin that does all as it should.
inline bool nothing_is_usual(std::int32_t) { return false; }

// The function, with what it refuses noted, but for what is usual.
template <FunctionName kName, auto kFunction, bool (*kIsUsual)(std::int32_t status)>
struct Noted;
template <FunctionName kName, class... Arguments, std::int32_t (*kFunction)(const collet_host*, Arguments...),
          bool (*kIsUsual)(std::int32_t status)>
struct Noted<kName, kFunction, kIsUsual> {
  static std::int32_t call(const collet_host* host, Arguments... arguments) {
    const std::int32_t status = kFunction(host, arguments...);
    if (status < 0 && !kIsUsual(status)) {
      entered(host, [&](HostSide& side) -> std::int32_t {
        side.refusals->note(kName.text, status);
        return COLLET_OK;
      });
    }
    return status;
  }
};

template <FunctionName kName, auto kFunction, bool (*kIsUsual)(std::int32_t status) = nothing_is_usual>
constexpr auto slot(bool noted) {
  return noted ? Noted<kName, kFunction, kIsUsual>::call : kFunction;
}

}  // namespace collet::plugin
