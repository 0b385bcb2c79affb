// What a call says while it runs, on its way to its loop: functions of the host table and of collet.stream/1.
#pragma once

#include <cstdint>

#include "collet/plugin.h"
#include "plugin/run/call_table.h"

namespace collet::plugin::notices {

std::int32_t progress(const collet_host* host, collet_call call, double done, double total, const char* message,
                      std::size_t message_size);
std::int32_t log(const collet_host* host, collet_call call, std::uint32_t level, const char* logger,
                 std::size_t logger_size, const char* data_json, std::size_t data_json_size);
std::int32_t close_stream(const collet_host* host, collet_call call, std::uint32_t retry_ms);

// What was said in an invocation inside of that call, if that still runs.
void pass_on(CallTable& calls, const CallOwner& owner, CallId inside_of, const registry::LogMessage& message);

}  // namespace collet::plugin::notices
