/*
 * collet.fetch.draft/1: a plugin is a client of HTTP, by the host's one engine: its connections, proxies and authorities.
 *
 * A draft: it may change, and then has another id. What has changed stands in sdk/CHANGES.md.
 *
 * WHERE TO  A plugin in a worker reaches what plugin.<id>.permissions.network grants, "api.example.com:443", and nothing without
 * that: by the name that is granted, or by another name that leads to an address which is granted as such. It is held against the
 * address that is really connected to, and each redirect is held against it anew. A plugin in the host's process is trusted.
 * Proxies are those of the host's environment (http_proxy, https_proxy, no_proxy), but for the host's own machine; through one it is
 * the target's name that must be granted. TLS is always verified, against the system's authorities, or those that fetch.ca of the
 * configuration names.
 *
 * HOW  HTTP/1.1, http and https. What is packed as gzip or deflate is unpacked, and the fields say nothing of it then, unless the
 * request says Accept-Encoding itself: then all is as it came. No cookies are kept, nothing is cached. A connection that breaks
 * before there was an answer is tried once more only where the method is idempotent (GET, HEAD, OPTIONS, PUT, DELETE), or the server
 * cannot have read the request.
 *
 * FOR WHOM  Made inside of a call that the plugin runs (`inside_of`), it is cancelled with that call, and when that has ended, also
 * by suspend(). With COLLET_FETCH_AS_PLUGIN it is the plugin's own. What the caller may do is for the plugin to look at: a URL
 * that a caller names reaches what the plugin reaches.
 *
 * THREADS  The callbacks are [answer], as those of collet.tools.draft/1: one after another, beside create(), call() and all others. A
 * callback may use the host's functions, end calls and begin further exchanges. It must not unwind, and must not wait for another
 * one. Who waits for `ended` must not be [inline], [answer] or [control].
 *
 * LIFE  Exchanges can be made from when create() has returned until the generation ends. Each one for which fetch() has said
 * COLLET_OK ends exactly once, by `ended`, before destroy(); those still under way when the generation ends do so with FAILED.
 *
 * HOW FAST  What has been told by `body` and was not taken() is ahead of the plugin: 256 KiB of an exchange in this host, then no
 * more is read. Who never says taken() hears no more than that, until the exchange has not ended in time.
 *
 * A create() must succeed without it: in a trial (COLLET_CREATE_PROBE) it is NULL.
 *
 *   const collet_fetch *fetch = host->get_extension(host, COLLET_EXT_FETCH, sizeof COLLET_EXT_FETCH - 1);
 */
#ifndef COLLET_EXT_DRAFT_FETCH_H
#define COLLET_EXT_DRAFT_FETCH_H

#include <collet/ext/draft/http.h>
#include <collet/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_FETCH "collet.fetch.draft/1"

typedef uint64_t collet_exchange; /* never 0, never reused in a generation */

/* How an exchange has ended: collet_fetch_end.how. More may be added; treat an unknown one as FAILED. */
#define COLLET_FETCH_COMPLETED 0u /* the answer is whole, whatever its status says */
#define COLLET_FETCH_FAILED 1u
#define COLLET_FETCH_DENIED 2u    /* it was to go where this plugin may not; `message` names what would allow it */

/* collet_fetch_params.flags */
#define COLLET_FETCH_AS_PLUGIN (1u << 0) /* inside_of is 0: of the plugin's own accord */

/* How an answer begins. Borrowed until the callback returns (M1). */
typedef struct collet_fetch_head {
  uint32_t struct_size;
  uint32_t status; /* 200 to 999 */
  collet_exchange exchange;
  collet_str url;  /* that has answered: the one that was asked, or where it led to */
  const collet_http_field *fields; /* in the order in which they came */
  size_t field_count;
} collet_fetch_head;

/* Likewise. */
typedef struct collet_fetch_end {
  uint32_t struct_size;
  uint32_t how;  /* COLLET_FETCH_* */
  uint32_t sent; /* 0: no server has got anything of it, so that it may be made again. Else one may have acted on it. */
  uint32_t reserved;
  collet_exchange exchange;
  collet_call inside_of; /* as it was made; it may have ended */
  collet_str message;    /* not COMPLETED: for people */
} collet_fetch_end;

/* What is to be asked. */
typedef struct collet_fetch_params {
  uint32_t struct_size;
  uint32_t flags;              /* COLLET_FETCH_* */
  collet_call inside_of;       /* a call that this plugin runs */
  uint64_t timeout_ms;         /* of the whole exchange, what is not taken() included; 7 days at most; 0: none */
  uint64_t connect_timeout_ms; /* of each connection, its name's lookup included; 0: the host's, 30 s */
  uint64_t bytes_max;          /* of the answer's body, as it is told; then it ends FAILED. 0: none */
  /* How often a redirect is followed, 20 at most: 301, 302 and 303 by a GET, but for what is a HEAD, 307 and 308 by the same method and
   * content; never from https to http. Of another origin it gets no Authorization and no Cookie: what else is secret among the fields
   * is for the plugin to keep from being sent on. 0: a redirect is an answer like any other. */
  uint32_t redirects_max;
  uint32_t reserved; /* 0 */
  collet_str method; /* absent: GET. As it is, case included. */
  collet_str url;    /* http or https, in ASCII, without user and password */
  /* 64 at most, 16 KiB. What says how a message is sent (Content-Length, Transfer-Encoding, Connection and such) and Host are the
   * host's. */
  const collet_http_field *fields;
  size_t field_count;
  collet_str content; /* any bytes; absent: none */
  void *context;      /* the plugin's; handed to the callbacks, and good until `ended` returns */
  /* [answer] Optional. Once at most, before any `body`. */
  void (*head)(void *context, const collet_fetch_head *head);
  /* [answer] What has come since. Say taken() of it, then or later. NULL: it is dropped. */
  void (*body)(void *context, const void *data, size_t size);
  /* [answer] Exactly once, if fetch() has returned COLLET_OK; perhaps before it has. */
  void (*ended)(void *context, const collet_fetch_end *end);
  void *reserved_pointer; /* NULL */
} collet_fetch_params;

typedef struct collet_fetch {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Begins an exchange; `out` may be NULL.
   * COLLET_E_INVALID: no such method, URL or field, no `ended`; neither a call nor COLLET_FETCH_AS_PLUGIN, or both; something
   * reserved.
   * COLLET_E_STALE: `inside_of` is no call that this plugin runs.
   * COLLET_E_STATE: that call is cancelled, create() has not returned, or the generation ends.
   * COLLET_E_LIMIT: 64 exchanges are under way, or URL, fields or contents (16 MiB, 64 MiB together) are too large.
   * In a worker what only the host knows of these is an end, FAILED. All else is the end. Do not return these from call() as they
   * are: COLLET_E_STATE has another meaning there. */
  int32_t (*fetch)(const collet_host *host, const collet_fetch_params *params, collet_exchange *out);
  /* [any] So many of the bytes that `body` has told have found their place. COLLET_E_INVALID: so many were not told.
   * COLLET_E_STALE: it has ended, and there is nothing to wait for. */
  int32_t (*taken)(const collet_host *host, collet_exchange exchange, size_t size);
  /* [any] Asks that it end soon. `ended` follows. COLLET_E_STALE: it has ended. */
  int32_t (*cancel)(const collet_host *host, collet_exchange exchange);
} collet_fetch;

#ifdef __cplusplus
}
#endif

#endif
