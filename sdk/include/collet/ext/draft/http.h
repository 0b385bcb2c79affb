/*
 * collet.http.draft/1: a plugin serves HTTP below /plugins/<id>/ of the host's address, <id> as the configuration names the plugin.
 *
 * A draft: it may change, and then has another id. What has changed stands in sdk/CHANGES.md.
 *
 * ROUTES  are items (item_add) of the kind COLLET_ROUTE. A route's name is a path: "/" is the root (/plugins/<id>/), "/status"
 * itself alone, "/files/" followed by a star whatever is below /files/; the longest name that fits is called. Its definition may
 * name the methods that it takes, {"methods":["GET","POST"]}; without them it is GET, and HEAD comes with GET. "streamed" and
 * "bodyBytesMax" say how it takes bodies, see below. Other members are the plugin's. Paths with empty segments, "." or ".." are refused by the host, in whatever way they are written.
 *
 * WHO MAY COME  As to the host's MCP endpoint: Host and Origin are checked, and a token is asked for where one is needed. A page of
 * another site may lead here, and may not have a browser get something in passing; a GET should change nothing all the same. Views
 * hide routes as they hide tools (rules "route:…", by the whole path): a hidden route answers 404. call_info() knows "transport",
 * "principal", "tenant", "scopes" and what headers are kept. What the plugin calls inside of such a call (collet.tools.draft/1) is
 * for its caller.
 *
 * A REQUEST  is a call of its route: call() with kind COLLET_ROUTE and, as `name`, the path below /plugins/<id>, with percent-encoding
 * where it is needed and nowhere else. request() has all else. It comes whole, its body within server.limits.message_bytes_max, but to
 * a route that is streamed. The call's deadline is for the beginning of the answer: once that has been said, the answer may take as long as its client stays and
 * reads, however slowly. Meanwhile it has its executor, and in a plugin that is not CONCURRENT all of them: end call() early, and
 * answer from a thread of the plugin's own, where many clients may stay.
 *
 * A BODY AS IT COMES  A route whose definition says {"streamed":true} is called as soon as the head of a request is there, and takes the
 * body from read_body(). It may be larger than what comes whole: up to server.limits.route_body_bytes_max, 4 GiB, or to "bodyBytesMax" of
 * the definition, if that is less; what is larger is refused with 413, at once if its length is stated. In this host 256 KiB of it are
 * read ahead of the plugin, and as many are ahead in a worker; then the client waits. read_body() has the end once the body is whole, and never before: a
 * client that leaves, sends nothing for server.limits.body_timeout_ms while it is waited for, or makes a mistake has the call cancelled,
 * as has the deadline. That a client has left is not noticed while the plugin takes nothing. A client that asks first (Expect:
 * 100-continue) is told to send the body when the plugin first reads it and none is here. The answer may begin before that, and need not wait
 * for the end of the body: one that is complete before ends the connection, and nothing more of the body comes. A body may be empty,
 * of any method.
 *
 * THE ANSWER  respond(), then write() or event() as often as there is something, then complete(). What is complete at once is
 * sent with a Content-Length, what is not in pieces. fail() before anything has left is a 500 (400 with the code -32602) that says
 * the message; after that the connection is cut, so that the client knows. suspend(), need_input(), progress() and the functions
 * that add to a result do not go with such a call. A client that leaves is told by cancel(), as is the end of the server to an event
 * stream; of one that leaves while nothing is written to an HTTP/1.0 answer the host does not know. What is written for a client
 * that has left goes nowhere: is_cancelled() tells.
 *
 * PAGES  What a plugin in a worker serves has the header Content-Security-Policy: sandbox allow-scripts allow-forms allow-popups
 * allow-downloads, as a page has the rights of its origin, which is the host's: it is shown, and cannot read other answers of
 * the host, nor its own; what it posts or fetches comes with Origin: null, and is refused. Such a plugin is not told of cookies,
 * and may say no field that changes what a browser does with the rest of the host's name (Set-Cookie, Clear-Site-Data,
 * Strict-Transport-Security and such). The answers of plugins say X-Content-Type-Options: nosniff.
 *
 * A host that is older than these has no read_body(), and gives each body whole: COLLET_HAS(http, collet_http, read_body).
 *
 *   const collet_http *http = host->get_extension(host, COLLET_EXT_HTTP, sizeof COLLET_EXT_HTTP - 1);
 */
#ifndef COLLET_EXT_DRAFT_HTTP_H
#define COLLET_EXT_DRAFT_HTTP_H

#include <collet/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_HTTP "collet.http.draft/1"

/* collet_item_def.kind and collet_call_params.kind */
#define COLLET_ROUTE 16u

/* A field of a head (RFC 9110 section 5). Stays as it is for ever. */
typedef struct collet_http_field {
  collet_str name;
  collet_str value;
} collet_http_field;

/* Its texts and fields are borrowed until the call ends. */
typedef struct collet_http_request {
  uint32_t struct_size; /* set by the plugin */
  uint32_t reserved;
  collet_str method;    /* "GET" */
  collet_str query;     /* behind the '?', as it was sent; absent: there is none, or it is empty */
  const collet_http_field *fields; /* as they were sent, but for Authorization and those that are about the connection */
  size_t field_count;
  collet_str body; /* any bytes; absent: the route is streamed, and it comes by read_body() */
} collet_http_request;

/* A server-sent event (HTML, section 9.2). */
typedef struct collet_http_event {
  uint32_t struct_size;
  uint32_t reserved;
  collet_str id;   /* absent: it has none */
  collet_str type; /* likewise: "message" */
  collet_str data; /* line breaks reach the client */
} collet_http_event;

typedef struct collet_http {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] What is asked. COLLET_E_STALE: no such call runs; COLLET_E_UNSUPPORTED: it is not of a route. */
  int32_t (*request)(const collet_host *host, collet_call call, collet_http_request *out);
  /* [any] How the answer begins, once. `status` is 200 to 599; 204 and 304 have no body. Fields about the connection or the length,
   * Date, and those of CORS are the host's: COLLET_E_INVALID, as for what is no field. At most 64 fields, 16 KiB.
   * With Content-Type: text/event-stream the host keeps a quiet stream alive with comments.
   * COLLET_E_STATE: it was said before. */
  int32_t (*respond)(const collet_host *host, collet_call call, uint32_t status, const collet_http_field *fields,
                     size_t field_count);
  /* [any] The next bytes of the body, copied: of an event stream whole events, as comments may come between. COLLET_E_STATE:
   * respond() comes first. COLLET_E_LIMIT: more than a mebibyte would wait for the client to take it; nothing of it was sent. */
  int32_t (*write)(const collet_host *host, collet_call call, const void *data, size_t size);
  /* [any] Likewise one event. COLLET_E_INVALID: a line break in the id or the type. */
  int32_t (*event)(const collet_host *host, collet_call call, const collet_http_event *event);
  /* [executor, or a thread of the plugin's own] Waits, as no other function but wait_for_body(): until `size` bytes may be written.
   * COLLET_E_LIMIT: they never may. COLLET_E_STATE: the call was cancelled, or this is a loop of the host's. COLLET_E_STALE: the
   * call has ended. */
  int32_t (*wait_for_room)(const collet_host *host, collet_call call, size_t size);
  /* [any] Of a route that is streamed: copies the next bytes of the body to `data`, `size` at most and not 0; *out is how many. None: the
   * body is over, and whole. One thread at a time, as they are in order.
   * COLLET_E_STATE: none are here now, and perhaps never, if the call was cancelled: wait_for_body() waits, collet_http_watch tells.
   * COLLET_E_UNSUPPORTED: the call is of no such route. COLLET_E_STALE: it has ended. COLLET_E_LIMIT: there is no memory; nothing was taken. */
  int32_t (*read_body)(const collet_host *host, collet_call call, void *data, size_t size, size_t *out);
  /* [executor, or a thread of the plugin's own] Waits until read_body() has bytes or the end. COLLET_E_STATE, COLLET_E_STALE: as
   * wait_for_room(); COLLET_E_UNSUPPORTED: as read_body(). */
  int32_t (*wait_for_body)(const collet_host *host, collet_call call);
} collet_http;

/* What a plugin may offer under the same id, through its own get_extension(): to write and read on without waiting. Either may be NULL. */
typedef struct collet_http_watch {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Must not block. The client has taken `size` more bytes. As cancel(), it may come just after the call has ended. */
  void (*taken)(void *self, collet_call call, size_t size);
  /* [any] Must not block. More of the body is here, or its end; that cancel() tells what keeps it from coming. Told after each piece that
   * comes when call() has begun, so that who has found nothing hears of what follows. Likewise. */
  void (*body)(void *self, collet_call call);
} collet_http_watch;

#ifdef __cplusplus
}
#endif

#endif
