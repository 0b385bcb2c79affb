// The last words of this process: a plugin that runs in it ends it, or it has a mistake of its own.
#pragma once

namespace collet::service {

// The verb under which this executable says what another process of it has recorded: own_end_main(), with what stands behind it.
inline constexpr const char* kOwnEndVerb = "__ended";

// From now on a crash, and an exit() by a plugin, is said on stderr as the log would say it, as the last of it. Once, by the main
// thread, before there are others. Does nothing where a sanitizer says more.
void tell_own_end();

[[noreturn]] void own_end_main(const char* format);

}  // namespace collet::service
