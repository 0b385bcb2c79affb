// Names of members that more than one module reads or writes. What stands within a longer JSON text is written there.
#pragma once

#include <string_view>

namespace collet::mcp {

// Of any object (2026-07-28, basic, _meta).
inline constexpr std::string_view kMeta = "_meta";

// Of _meta: what says something of the connection between a client and a server (likewise; the last is from 2025-11-25,
// basic/utilities/tasks, Related Task Metadata).
inline constexpr std::string_view kServerInfo = "io.modelcontextprotocol/serverInfo";
inline constexpr std::string_view kSubscriptionId = "io.modelcontextprotocol/subscriptionId";
inline constexpr std::string_view kRelatedTask = "io.modelcontextprotocol/related-task";

// Of a tool (2026-07-28, server/tools, Tool).
inline constexpr std::string_view kInputSchema = "inputSchema";
inline constexpr std::string_view kOutputSchema = "outputSchema";

// Of results (2026-07-28, basic, ResultType; server/tools, Tool Result; basic/patterns/mrtr, InputRequiredResult).
inline constexpr std::string_view kResultType = "resultType";
inline constexpr std::string_view kStructuredContent = "structuredContent";
inline constexpr std::string_view kIsError = "isError";
inline constexpr std::string_view kInputRequests = "inputRequests";
inline constexpr std::string_view kRequestState = "requestState";
inline constexpr std::string_view kTask = "task";  // 2025-11-25, basic/utilities/tasks

}  // namespace collet::mcp
