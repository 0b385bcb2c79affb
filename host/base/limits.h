// Every bound of the host, in one place: its default, its unit in its name. What a user may want to set is a field
// of config::Server::limits and starts from here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace collet::limits {

// One JSON-RPC message, on any transport.
inline constexpr std::size_t kMessageBytesMax = 8u << 20;
inline constexpr unsigned kJsonDepthMax = 128;
inline constexpr std::size_t kIdBytesMax = 256;  // of a JSON-RPC id
inline constexpr unsigned kMembersMax = 1'024;   // of a message, its params and the objects in these but arguments

inline constexpr std::size_t kBatchMessagesMax = 256;

// HTTP/1.1.
inline constexpr std::size_t kHttpHeaderBytesMax = 16u << 10;
inline constexpr unsigned kHttpHeaderCountMax = 100;
inline constexpr std::size_t kHttpTargetBytesMax = 8u << 10;
inline constexpr std::size_t kHttpChunkLineBytesMax = 1u << 10;  // a chunk's size and extensions, or one trailer
inline constexpr std::size_t kHttpTrailerBytesMax = 8u << 10;    // all trailers of a chunked body
inline constexpr std::size_t kHttpPipelineBytesMax = 64u << 10;  // requests sent ahead of an answer, kept
inline constexpr std::size_t kHttpBodyAheadBytesMax = 256u << 10;  // of a body that is handed on as it comes, that have not been taken
inline constexpr std::size_t kHttpCopyBytesMax = 16u << 10;      // larger bodies are written from where they are
inline constexpr std::uint64_t kHttpLingerMs = 2'000;            // for the client to read a last answer
inline constexpr unsigned kConnectionsMax = 20'000;              // a loop
inline constexpr std::uint64_t kAuthenticationTimeoutMs = 10'000;  // from a request's header to who sends it
inline constexpr unsigned kAuthenticationsMax = 1'024;  // requests that wait for that, a loop, and as many for their sessions; of one client half
inline constexpr std::uint64_t kWaitingRequestMs = 10'000;  // that a request waits for the store
inline constexpr unsigned kWaitingRequestsMax = 1'024;      // that do so, a loop
inline constexpr std::size_t kRequestMemoryBytesMax = 512u << 20;   // of requests that are here, all loops
inline constexpr std::size_t kUncountedParseBytesMax = 64u << 10;   // a message that is read into less is not counted
inline constexpr std::uint64_t kFreedMemoryKeptMs = 1'000;           // after the last large message; see base/freed_memory.h
inline constexpr std::size_t kParseBufferKeptBytes = 64u << 10;     // room that a pooled request keeps for the next one
inline constexpr std::uint64_t kHttpHeaderTimeoutMs = 10'000;
inline constexpr std::uint64_t kHttpBodyTimeoutMs = 60'000;
inline constexpr std::uint64_t kHttpIdleTimeoutMs = 75'000;
inline constexpr std::uint64_t kHttpKeepAliveCommentMs = 15'000;  // between comments on a quiet event stream
inline constexpr std::size_t kWriteBufferBytesMax = 4u << 20;  // unread output of one stream, before its newest event
inline constexpr std::size_t kStreamAheadBytes = 256u << 10;   // unread; then kept events, progress and log messages wait

// Calls.
inline constexpr std::uint64_t kCallTimeoutMs = 300'000;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t kInlineBudgetUs = 20'000;  // as below, of code that a sanitizer makes that much slower
#else
inline constexpr std::uint64_t kInlineBudgetUs = 1'000;  // a NONBLOCKING tool's time on a loop
#endif
inline constexpr unsigned kInlineOverrunsMax = 3;        // then it moves to an executor
inline constexpr unsigned kInlineWatchedCalls = 64;      // after an overrun: if all keep the budget it is forgiven
inline constexpr unsigned kLoopWaitsMax = 16'384;        // watches and timers of a generation, a loop
inline constexpr unsigned kLoopTasksMax = 65'536;        // posted by a generation and not run yet, a loop
inline constexpr unsigned kCallsInFlightMax = 65'536;    // a loop
inline constexpr unsigned kLoopsMax = 256;
inline constexpr unsigned kCallDepthMax = 8;             // calls that plugins make inside of calls, one inside the other
inline constexpr unsigned kInvocationsMax = 1'024;       // calls and lists that a generation waits for
inline constexpr std::size_t kInvocationBytesMax = 64u << 20;  // of what these calls are given, all together
inline constexpr std::size_t kInvocationBesideBytesMax = 256u << 10;  // what has more runs on the last loop
inline constexpr std::size_t kListedNamesMax = 1'000;     // that a plugin asks for by name at a time
inline constexpr std::size_t kListPageBytesMax = 1u << 20;  // of what a plugin is told of items at a time
inline constexpr unsigned kExecutorQueueMax = 16'384;  // calls waiting, a generation
inline constexpr unsigned kExecutorsDefault = 4;       // of a CONCURRENT plugin
inline constexpr unsigned kExecutorsMax = 64;
inline constexpr unsigned kExecutorHeldMax = 16;  // calls waiting before a thread is woken for them in the midst of a loop's turn
inline constexpr std::size_t kResultBytesMax = 64u << 20;
inline constexpr std::size_t kCheckedOnLoopBytesMax = 256u << 10;  // of structured content; more is checked off it
inline constexpr std::size_t kBlobBytesMax = 64u << 20;
inline constexpr unsigned kBlobsMax = 4'096;               // a generation
inline constexpr std::size_t kBlobsBytesMax = 256u << 20;  // a generation
inline constexpr unsigned kProgressQueueMax = 1'024;  // notifications of one call that its loop has not yet sent
inline constexpr std::size_t kNoticeBytesMax = 1u << 20;        // of those notifications together
// Of a request to a route of a plugin's, and its answer.
inline constexpr std::size_t kRouteBodyBytesMax = std::size_t{4} << 30;  // of a body that the plugin takes as it comes
inline constexpr std::size_t kRouteAheadBytesMax = 1u << 20;   // of an answer, that its client has not taken
inline constexpr std::size_t kRouteHeaderBytesMax = 16u << 10;  // names and values of an answer's fields
inline constexpr unsigned kRouteHeadersMax = 64;
inline constexpr unsigned kRouteSegmentsMax = 64;  // of a path that is looked up

// Fetching over HTTP: of one exchange, where nothing else is said.
inline constexpr unsigned kFetchesMax = 64;                        // under way, a generation
inline constexpr std::size_t kFetchBytesMax = 16u << 20;           // of a request's body
inline constexpr std::size_t kFetchesBytesMax = 64u << 20;         // of those, under way, a generation
inline constexpr std::size_t kFetchUrlBytesMax = 8u << 10;
inline constexpr std::size_t kFetchMethodBytesMax = 32;
inline constexpr unsigned kFetchFieldsMax = 64;                    // of a request
inline constexpr std::size_t kFetchFieldBytesMax = 16u << 10;      // names and values of those
inline constexpr std::size_t kFetchAheadBytesMax = 256u << 10;     // of an answer, that have not been taken; then no more is read
inline constexpr std::size_t kFetchHeadBytesMax = 64u << 10;       // of an answer's head, interim ones and trailers included
inline constexpr unsigned kFetchAnswerFieldsMax = 256;
inline constexpr std::size_t kFetchPassedBytesMax = 64u << 10;     // of a redirect's body; then its connection is closed
inline constexpr unsigned kFetchRedirectsMax = 20;                 // that can be asked for
inline constexpr std::size_t kFetchReadBytes = 4u << 10;           // read at once: what they unpack to, a thousand times as much, is kept
inline constexpr unsigned kFetchConnectionsKept = 64;              // idle, a loop
inline constexpr std::uint64_t kFetchConnectMs = 30'000;
inline constexpr std::size_t kCallRetainedBytesMax = 4u << 10;  // room a call's buffers keep for the next call
inline constexpr unsigned kResultFieldsMax = 64;
inline constexpr unsigned kPluginJsonDepthMax = kJsonDepthMax - 8;  // a message around it keeps to kJsonDepthMax
inline constexpr unsigned kCompletionValuesMax = 100;  // in one answer (MCP, completion/complete)
inline constexpr unsigned kInputRequestsMax = 64;      // need_input() of one round
inline constexpr std::size_t kInputRequestBytesMax = 1u << 20;
inline constexpr std::size_t kInputRequestsBytesMax = 4u << 20;  // of one round; a client sends them back, sealed
inline constexpr std::size_t kSuspendStateBytesMax = 256u << 10;

// Registry.
inline constexpr unsigned kItemsMax = 200'000;  // a generation
inline constexpr std::size_t kDefinitionBytesMax = 1u << 20;
inline constexpr unsigned kMendedMembersMax = 64;  // that are left out of one definition or content block
inline constexpr std::size_t kInstructionsBytesMax = 64u << 10;  // of one plugin
inline constexpr std::size_t kToolNameBytesMax = 64;
inline constexpr std::size_t kUriBytesMax = 2'048;
inline constexpr unsigned kPageItems = 1'000;                 // of one page of a list; many clients read no other
inline constexpr std::uint64_t kListChangedIntervalMs = 250;  // between two notifications that a list has changed
inline constexpr std::uint64_t kListTtlMs = 0;                // how long a modern client may take a list for fresh

// What plugins keep with the host, each for itself.
inline constexpr std::size_t kRecordKeyBytesMax = 512;
inline constexpr std::size_t kRecordValueBytesMax = 1u << 20;
inline constexpr unsigned kRecordsMax = 10'000;
inline constexpr std::size_t kRecordsBytesMax = 64u << 20;  // keys and values together
inline constexpr std::uint64_t kRecordTtlMsMax = 366 * 86'400'000ull;
inline constexpr unsigned kRecordsFreedAtOnce = 64;  // that have expired: of one plugin in memory; of all in a file, and one more a question
inline constexpr unsigned kRecordPageKeys = 1'000;   // of one page of a list
inline constexpr unsigned kStreamsMax = 32;
inline constexpr std::size_t kStreamNameBytesMax = 128;
inline constexpr std::size_t kStreamEventBytesMax = 64u << 10;
inline constexpr unsigned kStreamEventsMax = 10'000;        // that a stream keeps
inline constexpr std::size_t kStreamBytesMax = 4u << 20;    // likewise
inline constexpr unsigned kStreamPageEvents = 1'000;        // that are read at a time
inline constexpr std::size_t kStreamPageBytesMax = 1u << 20;  // likewise, but for the first
inline constexpr unsigned kAskedMax = 256;   // questions to the store, or to streams, that a generation waits for
inline constexpr std::size_t kAskedBytesMax = 64u << 20;  // of those that are not answered; a worker's may have to wait in its host
inline constexpr unsigned kFollowsMax = 64;  // streams that a generation follows
// Where that is in a file.
inline constexpr unsigned kStoreGroupMax = 256;  // questions that one transaction answers
inline constexpr std::size_t kStoreGroupBytesMax = 4u << 20;  // that it writes, but for its last question
inline constexpr std::size_t kStoreLogBytesKept = 16u << 20;  // of the file beside it (WAL), when all is in the file itself
inline constexpr std::uint64_t kStoreFailureMs = 10'000;  // in which a failure is logged once
inline constexpr std::uint64_t kStoreBusyMs = 2'000;  // at the opening, for another process to let go of it

// JSON Schema.
inline constexpr unsigned kSchemaDepthMax = 128;              // nesting of a schema's JSON
inline constexpr unsigned kSchemaNodesMax = 20'000;           // subschemas of one schema with all that it refers to
inline constexpr unsigned kSchemaConstantsMax = 100'000;      // JSON values inside enum and const
inline constexpr std::size_t kSchemaPatternBytesMax = 4'096;  // one regular expression
inline constexpr std::size_t kSchemaPatternsBytesMax = 64u << 10;    // all different ones of a schema
inline constexpr std::int64_t kSchemaRegexMemoryBytesMax = 1 << 20;  // of RE2, each
inline constexpr unsigned kSchemaEvaluationDepthMax = 1'024;         // subschemas entered within one another
inline constexpr std::int64_t kSchemaFuel = 400'000;                 // steps of one validation; about 4 ms
inline constexpr std::int64_t kSchemaCheckFuel = 4'000'000;  // steps of checking a schema against its metaschema
inline constexpr unsigned kSchemaErrorsMax = 8;

// What clients are asked and told.
inline constexpr std::uint64_t kInputTimeoutMs = 600'000;  // for a client to answer what a plugin asks it
inline constexpr unsigned kSubscriptionsMax = 10'000;      // open subscriptions/listen streams, a loop
inline constexpr unsigned kSubscriptionUrisMax = 1'000;    // resources that one subscription or session watches

// Tasks.
inline constexpr unsigned kTasksMax = 10'000;
inline constexpr std::size_t kTasksBytesMax = 256u << 20;  // results that are kept, together
inline constexpr std::uint64_t kTaskTtlMs = 3'600'000;     // from creation
inline constexpr std::uint64_t kTaskPollIntervalMs = 500;  // what clients are told

// Legacy sessions.
inline constexpr unsigned kSessionsMax = 10'000;
inline constexpr std::uint64_t kSessionIdleTimeoutMs = 3'600'000;
inline constexpr std::size_t kClientBytesMax = 16u << 10;  // of what a client says of itself, a session
inline constexpr unsigned kEndedSessionsMax = 64;  // that are remembered, as somebody may be fetching one of them
inline constexpr unsigned kSessionCallsMax = 1'024;  // in flight, a session or stdio stream
inline constexpr unsigned kSessionStreamsMax = 64;   // whose events a session keeps for a client that comes back
inline constexpr std::size_t kEventLogBytesMax = 1u << 20;  // of those, a stream; but its newest in any case
inline constexpr std::size_t kEventLogUnreadBytesMax = 32u << 20;  // of those that a reader has still to take
inline constexpr std::size_t kEventBytesMax = 256u << 20;   // of those, all sessions

// Config: the file, and what it may ask for.
inline constexpr std::size_t kConfigBytesMax = 1u << 20;
inline constexpr unsigned kConfigDepthMax = 32;                  // brackets in brackets, parts of a dotted key
inline constexpr unsigned kConfigPlacesMax = 10'000;             // of a plugin's config, that are known when it has a mistake
inline constexpr unsigned kConfigMistakesMax = 32;               // in a plugin's config, that are said at once
inline constexpr std::size_t kForeignConfigBytesMax = 4u << 20;  // of another program: what is kept of it
inline constexpr unsigned kForeignRemotesMax = 1'000;            // in such a file; as many inputs
inline constexpr unsigned kThreadsMax = 256;                     // loops
inline constexpr std::uint64_t kTimeoutMsMax = 7 * 86'400'000u;  // any time that can be set

// Loading and ending.
inline constexpr std::size_t kPluginFileBytesMax = 1u << 30;
inline constexpr std::size_t kPluginIdBytesMax = 128;
inline constexpr std::size_t kPluginTableBytesMax = 64u << 10;  // collet_plugin.struct_size that can be believed
inline constexpr unsigned kElfNamesMax = 4'096;                 // listed of each kind
inline constexpr std::size_t kElfNameBytesMax = 64u << 10;
inline constexpr std::size_t kPluginInfoBytesMax = 1u << 20;
inline constexpr std::uint64_t kPreflightTimeoutMs = 10'000;  // one library
inline constexpr std::uint64_t kCreateTimeoutMs = 30'000;
inline constexpr std::uint64_t kRecallMs = 2'000;  // a server waits for what remotes have offered before
inline constexpr std::uint64_t kRemotesReadyMs = 60'000;  // a verb of the terminal waits for what remotes offer
inline constexpr std::uint64_t kServerStartMs = 300'000;  // likewise, of the one that it names: npx may fetch it first
inline constexpr std::uint64_t kDrainTimeoutMs = 10'000;  // calls of all plugins, when the host ends
inline constexpr std::uint64_t kPluginDrainTimeoutMs = 300'000;  // calls of a generation that has been replaced
inline constexpr std::uint64_t kCancelGraceMs = 2'000;           // for calls to end that have been asked to
inline constexpr std::uint64_t kDestroyTimeoutMs = 10'000;
inline constexpr std::uint64_t kOwnThreadsMs = 1'000;  // for a plugin's own threads to end after its destroy()
inline constexpr std::uint64_t kHurriedUnloadMs = 1'000;  // to unload plugins when calls had to be cut short

// Replacing plugins.
inline constexpr unsigned kDrainingMax = 16;  // generations of a plugin that drain; then it is not replaced for now
inline constexpr unsigned kLeftBehindMax = 64;         // generations of a plugin that will stay mapped; likewise
inline constexpr std::uint64_t kProbationMs = 10'000;  // of a new generation
inline constexpr unsigned kProbationErrorsMax = 10;    // of its own in that time; then the old one comes back
inline constexpr std::size_t kSavedStateBytesMax = 64u << 20;
inline constexpr std::uint64_t kSaveTimeoutMs = 10'000;
inline constexpr unsigned kParkedCallsMax = 4'096;     // of an EXCLUSIVE plugin while it is replaced, a loop
inline constexpr std::uint64_t kSettleMs = 50;         // without a change, until a file is looked at
inline constexpr std::uint64_t kSettleMsMax = 1'000;   // from the first change, if they do not stop
inline constexpr std::uint64_t kIncompleteMs = 2'000;  // for the rest of a file that is cut off

inline constexpr std::size_t kLoggedReasonBytesMax = 256;  // of what a call failed for, at the level debug
inline constexpr std::size_t kLoggedNameBytesMax = 512;  // of what was called
inline constexpr std::size_t kCreateErrorBytesMax = 2u << 10;  // of what a plugin says why its create() fails
inline constexpr unsigned kRefusalsSaidMax = 3;  // of one function and status, by the debug host

// Keys that suspended calls are sealed with.
inline constexpr unsigned kStateKeysMax = 16;
inline constexpr std::size_t kStateKeyFileBytesMax = 4u << 10;

// Worker processes.
inline constexpr std::size_t kWorkerFrameBytesMax = 80u << 20;      // one message between host and worker
inline constexpr std::size_t kWorkerArenaBytesMax = 128u << 20;     // shared memory for blobs, a worker
inline constexpr std::size_t kWorkerArenaBlobBytesMin = 64u << 10;  // smaller blobs travel inside their message
// Of messages that a worker has not yet taken; the largest one fits.
inline constexpr std::size_t kWorkerQueueBytesMax = kWorkerFrameBytesMax;
inline constexpr std::size_t kWorkerHeldBytesMax = 64u << 10;        // of calls that are sent together at the end of a loop's turn
inline constexpr std::size_t kWorkerReadBytes = 256u << 10;         // at a time
inline constexpr std::uint64_t kWorkerHangMs = 10'000;  // for a call to end after its deadline; then it is a hang
inline constexpr std::uint64_t kWorkerExitMs = 2'000;   // from the last message to the end of the process
inline constexpr std::uint64_t kWorkerLookUpMs = 5'000;  // before the names of its hosts are looked up again
inline constexpr std::size_t kWorkerAddressesMax = 1'024;  // of its hosts
inline constexpr std::size_t kWorkerConnectingMax = 64;    // connections that are being made for it
inline constexpr std::uint64_t kWorkerConnectAgainMs = 20;  // until a socket where too many wait is tried again
inline constexpr std::size_t kWorkerDenialsMax = 64;       // that are told, of one process
inline constexpr unsigned kWorkerListsMax = 16;            // of items, that one waits for
inline constexpr std::uint64_t kWorkerStatusMs = 500;   // for an answer to how it is; then it says nothing
inline constexpr std::uint64_t kWorkerBackoffMs = 50;   // before the second restart; doubled each time
inline constexpr std::uint64_t kWorkerBackoffMsMax = 10'000;
inline constexpr unsigned kWorkerFailuresMax = 5;  // then it is not restarted any more: quarantine
inline constexpr std::uint64_t kWorkerFailureWindowMs = 60'000;  // without a failure, for earlier ones to be forgotten
inline constexpr std::size_t kWorkerReasonBytesMax = 4u << 10;  // of a worker's words that reach a log
inline constexpr std::size_t kWorkerItemBytesMax = 256u << 20;  // names and definitions of all its items
inline constexpr std::size_t kWorkerLogLineBytesMax = 4u << 10;  // told at once; a longer line is told in pieces
inline constexpr std::uint64_t kWorkerLogMs = 10'000;            // in which so much of what it writes is logged
inline constexpr std::uint64_t kWorkerLogLinesMax = 1'000;
inline constexpr std::uint64_t kWorkerLogBytesMax = 256u << 10;
inline constexpr std::uint64_t kWorkerMemoryBytesMax = 4ull << 30;
inline constexpr std::uint64_t kWorkerMemoryBytesMaxMax = 1ull << 46;  // that can be set
inline constexpr std::uint64_t kWorkerThreadsMax = 256;
inline constexpr std::uint64_t kWorkerFilesMax = 256;
inline constexpr std::uint64_t kWorkerFileBytesMax = 4ull << 30;   // of one file that it writes
inline constexpr std::uint64_t kWorkerDiskBytesMax = 16ull << 30;  // of all that it adds to what it may write
inline constexpr std::uint64_t kWorkerDiskGlanceMs = 250;          // after which the room of a file system is looked at
inline constexpr std::uint64_t kWorkerDiskLookMs = 5'000;          // after which files are counted in any case

// The command line.
inline constexpr std::size_t kInputBytesMax = 1u << 30;   // of a file or stdin that a verb reads
inline constexpr std::uint64_t kQuietMs = 1'000;          // of waiting; then the person is told what for
inline constexpr std::uint64_t kAdminSilenceMs = 10'000;  // of a server that is asked; then it does not answer

// The admin socket.
inline constexpr unsigned kAdminConnectionsMax = 32;
inline constexpr std::size_t kAdminLineBytesMax = 64u << 10;  // a request

// Stdio mode.
inline constexpr std::uint64_t kStdioDrainTimeoutMs = 5'000;  // from EOF to the answers; for a client to read on
inline constexpr std::uint64_t kStdioExitMs = 80;   // from the last answer, or a signal, to the end of the process
inline constexpr std::uint64_t kStdioFlushMs = 50;  // of that, for the client to take what was answered
inline constexpr std::uint64_t kStdioLogMs = 10'000;  // in which so many lines that are no message are logged
inline constexpr unsigned kStdioLogLines = 10;

}  // namespace collet::limits
