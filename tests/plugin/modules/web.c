/* A plugin that serves routes.
 *   "/"          a page
 *   "/fast"      the same, NONBLOCKING
 *   "/echo"      GET, POST: method, path, query, X-Test and body, in lines; X-Caller says who the host says it is
 *   "/files/" and all below it: the path
 *   "/events"    two events, and ends
 *   "/rest"      begins an answer and ends with an error
 *   "/silent"    ends without an answer
 *   "/fail"      fails with -32602
 *   "/bytes"     QUERY bytes, in pieces, as fast as they are taken; ends with an error once it is cancelled
 *   "/ahead"     writes until no more may follow, says in a line how much that was, and waits to be cancelled
 *   "/wrong"     does what is refused, and says how each was
 *   "/cookies"   whether it may say Set-Cookie, and what Cookie it is told of
 *   "/leave"     begins, and waits to be cancelled
 *   "/upload"    PUT, streamed, no more than 6000000 bytes: how many there are, and their sum; fails once it is cancelled
 *   "/watched"   the same, NONBLOCKING: reads when it is told that there is something
 *   "/early"     PUT, streamed: answers with the first piece of the body, and no more of it
 *   "/misread"   PUT, streamed: reads as it may not, and says how each was; "/unstreamed" likewise, and is not streamed
 *   "/loop"      PUT, streamed, NONBLOCKING: waits where it may not, and says how that was */
#include <collet/ext/draft/http.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const collet_host *host;
static const collet_http *http;
static _Atomic uint64_t waiting; /* the call that cancel() is to end */

enum { PAGE, ECHO_BACK, PATH, EVENTS, REST, SILENT, FAIL, BYTES, AHEAD, WRONG, COOKIES, LEAVE, UPLOAD, WATCHED, EARLY, MISREAD, LOOP };

/* What "/watched" has read, of the one call that there may be. */
static struct {
  _Atomic uint64_t call;
  size_t size;
  unsigned sum;
} watched;

static void say(collet_call call, const char *text) { http->write(host, call, text, strlen(text)); }

static int32_t begin(collet_call call, const char *type) {
  collet_http_field field = {COLLET_STR("Content-Type"), {type, strlen(type)}};
  return http->respond(host, call, 200, &field, 1);
}

static void line(collet_call call, const char *name, collet_str value) {
  say(call, name);
  http->write(host, call, value.data, value.size);
  say(call, "\n");
}

static void echo(collet_call call, const collet_call_params *params) {
  collet_http_request request;
  size_t i;
  collet_str who;
  memset(&request, 0, sizeof request);
  request.struct_size = sizeof request;
  http->request(host, call, &request);
  begin(call, "text/plain");
  line(call, "method ", request.method);
  line(call, "path ", params->name);
  line(call, request.query.data ? "query " : "no query", request.query);
  for (i = 0; i < request.field_count; ++i) {
    const collet_str name = request.fields[i].name;
    if (name.size == 6 && memcmp(name.data, "X-Test", 6) == 0) line(call, "test ", request.fields[i].value);
    if (name.size == 13 && (name.data[0] | 32) == 'a') line(call, "a secret ", request.fields[i].value);
  }
  if (host->call_info(host, call, "principal", 9, &who) == COLLET_OK && who.data) line(call, "for ", who);
  line(call, "body ", request.body);
}

static void bytes(collet_call call) {
  static char piece[100000];
  collet_http_request request;
  size_t left, size;
  int32_t status = COLLET_OK;
  memset(piece, 'x', sizeof piece);
  memset(&request, 0, sizeof request);
  request.struct_size = sizeof request;
  http->request(host, call, &request);
  begin(call, "application/octet-stream");
  for (left = (size_t)strtoul(request.query.data ? request.query.data : "0", NULL, 10); left > 0 && status == COLLET_OK; left -= size) {
    size = left < sizeof piece ? left : sizeof piece;
    status = http->wait_for_room(host, call, size);
    if (status == COLLET_OK) status = http->write(host, call, piece, size);
  }
  if (status == COLLET_OK) {
    host->complete(host, call, 0);
  } else {
    host->fail(host, call, -32603, "cancelled", 9, NULL, 0);
  }
}

static void ahead(collet_call call) {
  static char piece[65536];
  size_t sum = 0;
  begin(call, "application/octet-stream");
  memset(piece, 'y', sizeof piece);
  while (http->write(host, call, piece, sizeof piece) == COLLET_OK) sum += sizeof piece;
  while (http->write(host, call, piece, 1) == COLLET_OK) ++sum;
  host->fail(host, call, (int32_t)(http->wait_for_room(host, call, 1) == COLLET_E_STATE ? sum : 0), "full", 4, NULL, 0);
}

static void report(char *to, const char *what, int32_t status) { sprintf(to + strlen(to), "%s %d\n", what, status); }

static void wrong(collet_call call) {
  static const char *const kOwn[] = {"Content-Length", "transfer-encoding", "Connection", "Date", "Access-Control-Allow-Origin", "Upgrade", "a b", ""};
  char text[2000] = "";
  collet_http_field field = {COLLET_STR("X-Value"), COLLET_STR("a\nb")};
  collet_http_field many[65];
  collet_http_event event;
  char large[16400];
  size_t i;
  report(text, "write before respond", http->write(host, call, "x", 1));
  report(text, "status 199", http->respond(host, call, 199, NULL, 0));
  report(text, "status 600", http->respond(host, call, 600, NULL, 0));
  report(text, "line break", http->respond(host, call, 200, &field, 1));
  for (i = 0; i < sizeof kOwn / sizeof *kOwn; ++i) {
    collet_http_field own = {{kOwn[i], strlen(kOwn[i])}, COLLET_STR("1")};
    report(text, kOwn[i], http->respond(host, call, 200, &own, 1));
  }
  field.value.data = NULL;
  field.value.size = 3;
  report(text, "null", http->respond(host, call, 200, &field, 1));
  report(text, "no fields", http->respond(host, call, 200, NULL, 1));
  memset(large, 'a', sizeof large);
  field.value.data = large;
  field.value.size = 16 * 1024 - 6;
  report(text, "too large", http->respond(host, call, 200, &field, 1));
  for (i = 0; i < 65; ++i) many[i] = field, many[i].value.size = 1;
  report(text, "too many", http->respond(host, call, 200, many, 65));
  report(text, "progress", host->progress(host, call, 1, 0, "x", 1));
  many[63].value.size = 16 * 1024 - 63 * 8 - 7; /* 64 fields of 16 KiB in all */
  report(text, "respond", http->respond(host, call, 200, many, 64));
  report(text, "again", http->respond(host, call, 200, NULL, 0));
  memset(&event, 0, sizeof event);
  event.struct_size = sizeof event;
  event.id.data = "a\nb";
  event.id.size = 3;
  report(text, "id", http->event(host, call, &event));
  report(text, "room", http->wait_for_room(host, call, (1u << 20) + 1));
  report(text, "none", http->write(host, 0, "x", 1));
  say(call, text);
}

static void cookies(collet_call call) {
  const collet_http_field cookie = {COLLET_STR("Set-Cookie"), COLLET_STR("a=b")};
  const int32_t status = http->respond(host, call, 200, &cookie, 1);
  char text[100] = "";
  collet_http_request request;
  collet_str told = COLLET_STR("absent");
  size_t i;
  if (status != COLLET_OK) http->respond(host, call, 200, NULL, 0);
  report(text, "Set-Cookie", status);
  say(call, text);
  memset(&request, 0, sizeof request);
  request.struct_size = sizeof request;
  http->request(host, call, &request);
  for (i = 0; i < request.field_count; ++i) {
    if (request.fields[i].name.size == 6 && memcmp(request.fields[i].name.data, "Cookie", 6) == 0) told = request.fields[i].value;
  }
  line(call, "Cookie ", told);
}

static void add_up(const unsigned char *piece, size_t size, size_t *all, unsigned *sum) {
  size_t i;
  *all += size;
  for (i = 0; i < size; ++i) *sum = *sum * 31 + piece[i];
}

static void say_sum(collet_call id, size_t size, unsigned sum) {
  char text[60];
  sprintf(text, "%zu bytes, %u", size, sum);
  begin(id, "text/plain");
  say(id, text);
  host->complete(host, id, 0);
}

static void upload(collet_call id) {
  unsigned char piece[10000];
  size_t got, size = 0;
  unsigned sum = 0;
  int32_t status;
  for (;;) {
    status = http->read_body(host, id, piece, sizeof piece, &got);
    if (status == COLLET_OK && got == 0) break;
    if (status == COLLET_OK) add_up(piece, got, &size, &sum);
    if (status == COLLET_E_STATE) status = http->wait_for_body(host, id);
    if (status != COLLET_OK) {
      host->fail(host, id, -32603, "cut", 3, NULL, 0);
      return;
    }
  }
  say_sum(id, size, sum);
}

/* One thread at a time: call(), or the loop on which the body comes, or cancel(). */
static void read_watched(collet_call id) {
  unsigned char piece[10000];
  size_t got;
  while (http->read_body(host, id, piece, sizeof piece, &got) == COLLET_OK) {
    if (got == 0) {
      atomic_store(&watched.call, 0);
      say_sum(id, watched.size, watched.sum);
      return;
    }
    add_up(piece, got, &watched.size, &watched.sum);
  }
}

static void body(void *self, collet_call id) {
  (void)self;
  if (atomic_load(&watched.call) == id) read_watched(id);
}

static void misread(collet_call id) {
  char text[400] = "", data[1];
  size_t got = 7;
  int32_t status;
  collet_http_request request;
  memset(&request, 0, sizeof request);
  request.struct_size = sizeof request;
  http->request(host, id, &request);
  report(text, "body", request.body.data ? 1 : 0);
  report(text, "no place", http->read_body(host, id, NULL, 1, &got));
  report(text, "no room", http->read_body(host, id, data, 0, &got));
  report(text, "no size", http->read_body(host, id, data, 1, NULL));
  report(text, "none", http->read_body(host, 0, data, 1, &got));
  report(text, "wait for none", http->wait_for_body(host, 0));
  status = http->read_body(host, id, data, 1, &got);
  if (status == COLLET_E_STATE && http->wait_for_body(host, id) == COLLET_OK) status = http->read_body(host, id, data, 1, &got);
  report(text, "read", status);
  begin(id, "text/plain");
  say(id, text);
}

static int32_t call(void *self, collet_call id, const collet_call_params *params) {
  static const char kPage[] = "<!doctype html><title>Hi</title><p>Hello";
  collet_http_event event;
  (void)self;
  memset(&event, 0, sizeof event);
  event.struct_size = sizeof event;
  switch ((int)(intptr_t)params->item_user) {
    case PAGE:
      begin(id, "text/html");
      say(id, kPage);
      break;
    case ECHO_BACK:
      echo(id, params);
      break;
    case PATH:
      begin(id, "text/plain");
      http->write(host, id, params->name.data, params->name.size);
      break;
    case EVENTS:
      begin(id, "text/event-stream");
      event.data.data = "one\ntwo";
      event.data.size = 7;
      http->event(host, id, &event);
      event.id.data = "7";
      event.id.size = 1;
      event.data.size = 0;
      event.type.data = "end";
      event.type.size = 3;
      http->event(host, id, &event);
      break;
    case REST:
      begin(id, "text/plain");
      say(id, "half");
      host->fail(host, id, -32603, "broken", 6, NULL, 0);
      return COLLET_OK;
    case SILENT:
      break;
    case FAIL:
      host->fail(host, id, -32602, "no such page", 12, NULL, 0);
      return COLLET_OK;
    case BYTES:
      bytes(id);
      return COLLET_OK;
    case AHEAD:
      ahead(id);
      return COLLET_OK;
    case WRONG:
      wrong(id);
      break;
    case COOKIES:
      cookies(id);
      break;
    case UPLOAD:
      upload(id);
      return COLLET_OK;
    case WATCHED:
      watched.size = 0;
      watched.sum = 0;
      atomic_store(&watched.call, id);
      read_watched(id);
      return COLLET_OK;
    case EARLY: {
      char piece[100];
      size_t got = 0;
      if (http->wait_for_body(host, id) == COLLET_OK) http->read_body(host, id, piece, sizeof piece, &got);
      begin(id, "text/plain");
      http->write(host, id, piece, got);
      break;
    }
    case MISREAD:
      misread(id);
      break;
    case LOOP: {
      char text[40] = "";
      report(text, "wait", http->wait_for_body(host, id));
      begin(id, "text/plain");
      say(id, text);
      break;
    }
    default:
      atomic_store(&waiting, id);
      begin(id, "text/plain");
      say(id, "begun");
      return COLLET_OK; /* cancel() ends it */
  }
  host->complete(host, id, 0);
  return COLLET_OK;
}

static void cancel(void *self, collet_call call_id, uint32_t reason) {
  uint64_t expected = call_id;
  char text[40];
  (void)self;
  if (atomic_compare_exchange_strong(&watched.call, &expected, 0)) {
    host->fail(host, call_id, -32603, "cut", 3, NULL, 0);
    return;
  }
  expected = call_id;
  if (!atomic_compare_exchange_strong(&waiting, &expected, 0)) return; /* that call ends itself */
  sprintf(text, "cancelled %u", (unsigned)reason);
  host->fail(host, call_id, -32603, text, strlen(text), NULL, 0);
}

static int32_t add(const char *path, int what, uint32_t flags, const char *definition) {
  collet_item_def def;
  collet_item item;
  memset(&def, 0, sizeof def);
  def.struct_size = sizeof def;
  def.kind = COLLET_ROUTE;
  def.flags = flags;
  def.user = (void *)(intptr_t)what;
  def.name.data = path;
  def.name.size = strlen(path);
  def.definition.data = definition;
  def.definition.size = strlen(definition);
  return host->item_add(host, &def, &item);
}

static int32_t create(const collet_host *given, const collet_create_params *params, void **self) {
  static const char kStreamed[] = "{\"methods\":[\"PUT\"],\"streamed\":true}";
  (void)params;
  host = given;
  http = host->get_extension(host, COLLET_EXT_HTTP, sizeof COLLET_EXT_HTTP - 1);
  if (!http) return COLLET_E_UNSUPPORTED;
  *self = NULL;
  if (add("/", PAGE, 0, "{}") < 0 || add("/fast", PAGE, COLLET_ITEM_NONBLOCKING, "{}") < 0 ||
      add("/echo", ECHO_BACK, 0, "{\"methods\":[\"GET\",\"POST\"]}") < 0 || add("/files/*", PATH, 0, "{}") < 0 ||
      add("/events", EVENTS, 0, "{}") < 0 || add("/rest", REST, 0, "{}") < 0 || add("/silent", SILENT, 0, "{}") < 0 ||
      add("/fail", FAIL, 0, "{}") < 0 || add("/bytes", BYTES, 0, "{}") < 0 || add("/ahead", AHEAD, 0, "{}") < 0 ||
      add("/wrong", WRONG, 0, "{}") < 0 || add("/cookies", COOKIES, 0, "{}") < 0 || add("/leave", LEAVE, 0, "{}") < 0 ||
      add("/upload", UPLOAD, 0, "{\"methods\":[\"PUT\"],\"streamed\":true,\"bodyBytesMax\":6000000}") < 0 ||
      add("/watched", WATCHED, COLLET_ITEM_NONBLOCKING, kStreamed) < 0 || add("/early", EARLY, 0, kStreamed) < 0 ||
      add("/misread", MISREAD, 0, kStreamed) < 0 || add("/unstreamed", MISREAD, 0, "{\"methods\":[\"PUT\"]}") < 0 ||
      add("/loop", LOOP, COLLET_ITEM_NONBLOCKING, kStreamed) < 0) {
    return COLLET_E_INVALID;
  }
  return COLLET_OK;
}

static void destroy(void *self) { (void)self; }

static const void *get_extension(const char *id, size_t size) {
  static const collet_http_watch watch = {.struct_size = sizeof watch, .body = body};
  return size == sizeof COLLET_EXT_HTTP - 1 && memcmp(id, COLLET_EXT_HTTP, size) == 0 ? &watch : NULL;
}

const collet_plugin *collet_plugin_entry_v1(void) {
  static const collet_plugin plugin = {.struct_size = sizeof plugin,
                                       .abi_minor = COLLET_ABI_MINOR,
                                       .flags = COLLET_PLUGIN_CONCURRENT,
                                       .id = COLLET_STR("org.example.web"),
                                       .version = COLLET_STR("1.0.0"),
                                       .create = create,
                                       .destroy = destroy,
                                       .call = call,
                                       .cancel = cancel,
                                       .get_extension = get_extension};
  return &plugin;
}
