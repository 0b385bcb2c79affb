// Bounds of OAuth alone, each with its unit in its name. What it shares with the rest of the client is in client/limits.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace collet::client::auth::limits {

// What a peer sends.
inline constexpr std::size_t kDocumentBytesMax = 256u << 10;  // a metadata document, or an answer to a POST
inline constexpr std::size_t kListItemsMax = 1'000;  // of one array in a document
inline constexpr std::size_t kScopesMax = 200;
inline constexpr std::size_t kTokenBytesMax = 64u << 10;  // an access, refresh or identity token
inline constexpr std::int64_t kTokenLifeMaxS = 10LL * 365 * 24 * 3'600;
inline constexpr std::size_t kTokenIdBytes = 16;             // random, of a jti that we make
inline constexpr std::size_t kNonceOriginsMax = 8;

// How often and how long.
inline constexpr unsigned kRedirectsMax = 3;          // of a metadata document, within its origin
inline constexpr unsigned kFollowedRedirectsMax = 5;  // from the authorization endpoint to our redirect URI
inline constexpr unsigned kAuthorizationsMax = 3;     // within kAuthorizationWindowS, for one remote
inline constexpr std::int64_t kAuthorizationWindowS = 60;
inline constexpr unsigned kFreeRetriesMax = 1'024;  // within that window: new nonces, tokens that others obtained
inline constexpr std::int64_t kExpirySkewS = 30;    // a token is renewed that long before it expires
inline constexpr std::int64_t kRenewalPauseS = 5;   // before a token endpoint that is in trouble is asked again
inline constexpr std::int64_t kAssertionLifeS = 120;
inline constexpr std::uint64_t kLoginTimeoutMs = 300'000;    // for a person to agree in the browser
inline constexpr std::size_t kCallbackBytesMax = 16u << 10;  // the browser's request to the loopback listener
inline constexpr unsigned kCallbackConnectionsMax = 16;

// Files.
inline constexpr std::size_t kStoreBytesMax = 8u << 20;
inline constexpr std::size_t kStoreTokensMax = 1'024;
inline constexpr std::size_t kStoreClientsMax = 1'024;
inline constexpr std::uint64_t kStoreLockMs = 30'000;    // for other processes to finish their writes, on a slow disk
inline constexpr std::uint64_t kRenewalLockMs = 90'000;  // for another process to finish its renewal of a token
inline constexpr std::uint64_t kLockPollMs = 10;
inline constexpr std::size_t kSecretFileBytesMax = 64u << 10;  // a private key or a token

}  // namespace collet::client::auth::limits
