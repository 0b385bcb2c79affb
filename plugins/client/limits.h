// Every bound of the client plugin, but those of OAuth alone (client/auth/limits.h): what a remote may cost us, and how
// long we wait for it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace collet::client::limits {

// What a remote sends.
inline constexpr std::size_t kMessageBytesMax = 16u << 20;       // one message, by whichever transport
inline constexpr std::size_t kHeaderBytesMax = 64u << 10;        // all headers of one response
inline constexpr std::size_t kFetchBytesMax = 1u << 20;          // the answer to fetch()
inline constexpr std::size_t kEventStreamIdBytesMax = 4u << 10;  // one event id, which we have to send back
inline constexpr std::size_t kErrorLineBytesMax = 8u << 10;     // of a child's stderr, told at once; a longer line is told in pieces
inline constexpr std::size_t kLastLinesMax = 5;                 // of a child's stderr that are kept
inline constexpr std::size_t kLastLineBytesMax = 300;           // of each
inline constexpr std::size_t kWriteBufferBytesMax = 64u << 20;  // what a child has not read of its stdin

inline constexpr std::size_t kUrlBytesMax = 8u << 10;
inline constexpr std::size_t kChallengeBytesMax = 16u << 10;  // read of one WWW-Authenticate header
inline constexpr std::size_t kChallengeSchemesMax = 16;       // of one such header
inline constexpr std::size_t kChallengeParametersMax = 32;    // of one scheme
inline constexpr std::size_t kNonceBytesMax = 1u << 10;       // of a DPoP-Nonce header

inline constexpr std::size_t kAuthoritiesBytesMax = 4u << 20;  // a file of certificate authorities

// What a remote offers.
inline constexpr unsigned kItemsMax = 20'000;  // of one list
inline constexpr unsigned kPagesMax = 1'000;   // of one list
inline constexpr unsigned kListLostMax = 3;    // readings of one list that are lost one after the other
inline constexpr std::size_t kDefinitionBytesMax = 1u << 20;
inline constexpr std::size_t kListBytesMax = 64u << 20;             // all definitions of one remote
inline constexpr std::size_t kInstructionsBytesMax = 8u << 10;      // of one remote; the rest is cut off
inline constexpr std::size_t kAllInstructionsBytesMax = 64u << 10;  // of all of them, as many as the host takes

// Calls.
inline constexpr unsigned kCallsInFlightMax = 4'096;     // at one remote
inline constexpr unsigned kSuspendedMax = 1'024;         // calls of one remote that wait for somebody's answer
inline constexpr std::uint64_t kSuspendedMs = 600'000;   // and how long
inline constexpr unsigned kInputRoundsMax = 16;          // answers of a remote that ask for nothing but another try
inline constexpr unsigned kServerRequestsMax = 64;       // open questions of one call
inline constexpr unsigned kChallengesMax = 3;            // 401 or 403 that are answered with another try
inline constexpr unsigned kRepeatsMax = 3;               // of one call that the remote has not acted on
inline constexpr unsigned kRedirectsMax = 3;             // within one origin
inline constexpr unsigned kResumptionsMax = 100;         // of one response stream, by Last-Event-ID
inline constexpr std::uint64_t kRetryMsDefault = 1'000;  // before a stream is resumed, if the remote does not say
inline constexpr std::uint64_t kRetryMsMax = 60'000;
inline constexpr std::uint64_t kSideRetryMsMin = 100;   // of a stream that no call waits for
inline constexpr std::uint64_t kTaskTtlMs = 3'600'000;  // for which a legacy remote is asked to keep a task
inline constexpr std::uint64_t kTaskPollMsDefault =
    1'000;  // between two looks at a task, if the remote does not say
inline constexpr std::uint64_t kTaskPollMsMin = 50;
inline constexpr std::uint64_t kTaskPollMsMax = 30'000;
inline constexpr unsigned kTaskLostMax = 3;     // requests about a task that are lost one after the other
inline constexpr unsigned kWatchedMax = 1'000;  // resources of one remote that somebody watches

inline constexpr unsigned kHopsMax = 8;  // gateways that a call or an item comes through

inline constexpr std::uint64_t kRetryAfterMsMax = 3'600'000;  // for which a remote may ask not to be asked
inline constexpr std::uint64_t kBusyMsMax = 30'000;           // that a call waits because of that, in all

// Lanes: what the host's loops do for remotes themselves.
inline constexpr unsigned kLaneConnectionsMax = 256;  // of one loop; more calls go by the client's thread
inline constexpr unsigned kLaneCallsMax = 1'024;       // likewise, whatever they need
inline constexpr std::size_t kLaneRequestBytesMax = 256u << 10;  // likewise larger ones
inline constexpr std::size_t kLaneAnswerBytesMax = 256u << 10;   // a larger answer is read on the client's thread
inline constexpr unsigned kLaneReopeningsMax = 5;  // within kLaneReopeningsS, after calls that had one shut
inline constexpr std::int64_t kLaneReopeningsS = 60;
inline constexpr std::uint64_t kLaneIdleMs = 2'000;  // or twice as long: servers close theirs after 5 s, and more

// Waiting.
inline constexpr std::uint32_t kSetTimeMsMax = 7 * 86'400'000u;  // any time that can be set
inline constexpr std::uint64_t kConnectMs = 10'000;  // to establish a connection
inline constexpr std::uint64_t kProbeMs = 5'000;  // for an answer to server/discover before initialize is tried too
inline constexpr std::uint64_t kStartSaidMs = 10'000;  // between two words about a remote that starts
inline constexpr std::uint64_t kAskMs = 30'000;        // for an answer to what no call waits for
inline constexpr std::uint64_t kFetchMs = 30'000;
inline constexpr std::uint64_t kOpeningMs =
    2'000;  // for a legacy server to hear that it is initialized, and to answer a GET
inline constexpr std::uint64_t kLingerMs = 2'000;    // for a response stream to end after its response
inline constexpr std::uint64_t kBackoffMinMs = 250;  // between attempts to connect, doubled each time
inline constexpr std::uint64_t kBackoffMaxMs = 30'000;
inline constexpr std::uint64_t kStableMs = 10'000;  // a remote that was up for so long is tried at once again
inline constexpr std::uint32_t kRestartMs = 5'000;  // that calls wait for a remote which was up a moment ago
inline constexpr std::uint64_t kRelistMs = 100;     // between two readings of a remote's lists
inline constexpr std::uint64_t kRememberedMs = 90 * 86'400'000ull;  // what a remote has offered, since its lists were read
inline constexpr std::uint64_t kRememberAgainMs = 86'400'000;  // though it is the same: else it would be forgotten
inline constexpr unsigned kStoreErrandsMax = 64;  // questions to the host's store that are under way; others wait
inline constexpr std::uint64_t kCommitMs = 10;      // between an item's arrival and its publication
inline constexpr std::uint64_t kKeeperStartMs = 10'000;      // for a keeper to run its command
inline constexpr std::uint64_t kExitMs = 2'000;     // for a child to end by itself, then again after SIGTERM

}  // namespace collet::client::limits
