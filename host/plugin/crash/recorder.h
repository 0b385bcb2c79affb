// The end of this process while it can still be written down: a signal that ends it, or exit() by a plugin's code.
#pragma once

#include "plugin/crash/record.h"

namespace collet::plugin::crash {

// From now on, and in this process alone, not in those that are forked from it, the first such end is written to `record`; then
// `written` is called, if it is one, which must be async-signal-safe; and then the process ends as it would have. What stands in
// `record` is cleared. Once, before plugins are loaded. A thread needs an AlternateStack to tell of an overflow of its own.
void record_end(Record& record, void (*written)(const Record& record) = nullptr);

// For the functions that end a process, named `ender`: async-signal-safe. Does nothing where no plugin's code runs.
void note_exit(const char* ender, int code);

}  // namespace collet::plugin::crash
