/* A plugin that fetches.
 *   "fetch" {"url":…,"method":…,"name":…,"value":…,"content":…,"redirects":9,"timeout":9,"most":9,"as":"plugin"}    all but `url` is
 *              optional; `name` and `value` are a field. It takes what comes, and answers how it ended: a line for the head, one for
 *              the fields X-Test, the body, and "how, sent: message"
 *   "hold"     the same, but it takes nothing
 *   "drop"     the same, without a callback for the body
 *   "leave"    begins likewise, takes nothing, and ends without waiting
 *   "take" {"bytes":9}    of what was begun last: says which status that had
 *   "cancel"   likewise
 *   "crash"
 *   "count"    {"heads":…,"bytes":…,"ended":…}: of all */
#include <collet/ext/draft/fetch.h>
#include <collet/json.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const collet_host *host;
static const collet_fetch *fetch;
static _Atomic uint64_t last; /* exchange */
static atomic_uint heads, ended;
static _Atomic uint64_t bytes;

enum { FETCH, HOLD, DROP, LEAVE, TAKE, CANCEL, CRASH, COUNT };

struct reader {
  collet_call call;
  collet_exchange exchange; /* once its head has come */
  int takes;
  int answers;
  char text[1 << 16]; /* as much as there is room for */
  size_t size;
};

static void put(struct reader *reader, const char *data, size_t size) {
  if (size > sizeof reader->text - reader->size) size = sizeof reader->text - reader->size;
  if (size > 0) memcpy(reader->text + reader->size, data, size);
  reader->size += size;
}

static void on_head(void *context, const collet_fetch_head *head) {
  struct reader *reader = context;
  char line[64];
  size_t i;
  put(reader, line, (size_t)snprintf(line, sizeof line, "%u ", (unsigned)head->status));
  put(reader, head->url.data, head->url.size);
  put(reader, "\n", 1);
  for (i = 0; i < head->field_count; ++i) {
    if (head->fields[i].name.size != 6 || memcmp(head->fields[i].name.data, "X-Test", 6) != 0) continue;
    put(reader, head->fields[i].value.data, head->fields[i].value.size);
    put(reader, "\n", 1);
  }
  reader->exchange = head->exchange;
  atomic_fetch_add(&heads, 1);
}

static void on_body(void *context, const void *data, size_t size) {
  struct reader *reader = context;
  put(reader, data, size);
  atomic_fetch_add(&bytes, size);
  if (reader->takes && fetch->taken(host, reader->exchange, size) == COLLET_E_INVALID) abort();
}

static void on_end(void *context, const collet_fetch_end *end) {
  struct reader *reader = context;
  char line[64];
  put(reader, line, (size_t)snprintf(line, sizeof line, "\n%u, %u: ", (unsigned)end->how, (unsigned)end->sent));
  put(reader, end->message.data, end->message.size);
  atomic_fetch_add(&ended, 1);
  if (reader->answers) {
    host->add_text(host, reader->call, reader->text, reader->size);
    host->complete(host, reader->call, 0);
  }
  free(reader);
}

static collet_str text_of(collet_str arguments, const char *key) {
  collet_json_value value;
  collet_str text = {NULL, 0};
  if (arguments.data && collet_json_find(arguments, key, &value) == 1) {
    text.data = value.data;
    text.size = value.size;
  }
  return text;
}

static uint64_t number_of(collet_str arguments, const char *key) {
  collet_json_value value;
  int64_t number = 0;
  if (arguments.data && collet_json_find(arguments, key, &value) == 1) collet_json_int64(&value, &number);
  return (uint64_t)number;
}

static int32_t say(collet_call call, const char *text) {
  host->add_text(host, call, text, strlen(text));
  return host->complete(host, call, 0);
}

static int32_t say_status(collet_call call, int32_t status) {
  char text[32];
  snprintf(text, sizeof text, "%d", (int)status);
  return say(call, text);
}

static int32_t begin(collet_call call, collet_str arguments, int way) {
  collet_fetch_params wanted;
  collet_http_field field = {text_of(arguments, "name"), text_of(arguments, "value")};
  struct reader *reader = calloc(1, sizeof *reader);
  collet_exchange exchange = 0;
  int32_t status;
  reader->call = call;
  reader->takes = way == FETCH;
  reader->answers = way != LEAVE;
  memset(&wanted, 0, sizeof wanted);
  wanted.struct_size = sizeof wanted;
  if (text_of(arguments, "as").data) wanted.flags = COLLET_FETCH_AS_PLUGIN;
  else wanted.inside_of = call;
  wanted.method = text_of(arguments, "method");
  wanted.url = text_of(arguments, "url");
  wanted.content = text_of(arguments, "content");
  wanted.redirects_max = (uint32_t)number_of(arguments, "redirects");
  wanted.timeout_ms = number_of(arguments, "timeout");
  wanted.bytes_max = number_of(arguments, "most");
  if (field.name.data) {
    wanted.fields = &field;
    wanted.field_count = 1;
  }
  wanted.context = reader;
  wanted.head = on_head;
  if (way != DROP) wanted.body = on_body;
  wanted.ended = on_end;
  status = fetch->fetch(host, &wanted, &exchange);
  if (status < 0) {
    free(reader);
    return say_status(call, status);
  }
  atomic_store(&last, exchange);
  return way == LEAVE ? host->complete(host, call, 0) : COLLET_OK;
}

static int32_t call(void *self, collet_call id, const collet_call_params *params) {
  char text[128];
  (void)self;
  switch ((intptr_t)params->item_user) {
    case TAKE:
      return say_status(id, fetch->taken(host, atomic_load(&last), (size_t)number_of(params->arguments, "bytes")));
    case CANCEL:
      return say_status(id, fetch->cancel(host, atomic_load(&last)));
    case CRASH:
      abort();
    case COUNT:
      snprintf(text, sizeof text, "{\"heads\":%u,\"bytes\":%llu,\"ended\":%u}", atomic_load(&heads),
               (unsigned long long)atomic_load(&bytes), atomic_load(&ended));
      return say(id, text);
    default:
      return begin(id, params->arguments, (int)(intptr_t)params->item_user);
  }
}

static int32_t create(const collet_host *given, const collet_create_params *params, void **self) {
  static const char *const names[] = {"fetch", "hold", "drop", "leave", "take", "cancel", "crash", "count"};
  intptr_t i;
  host = given;
  fetch = host->get_extension(host, COLLET_EXT_FETCH, sizeof COLLET_EXT_FETCH - 1);
  *self = NULL;
  for (i = 0; i <= COUNT; ++i) {
    collet_item item;
    collet_item_def def;
    memset(&def, 0, sizeof def);
    def.struct_size = sizeof def;
    def.kind = COLLET_TOOL;
    def.user = (void *)i;
    def.name.data = names[i];
    def.name.size = strlen(names[i]);
    host->item_add(host, &def, &item);
  }
  if (params->flags & COLLET_CREATE_PROBE) return fetch ? COLLET_E_INTERNAL : COLLET_OK;
  if (!fetch) return COLLET_E_UNSUPPORTED;
  { /* not yet: nobody could answer */
    collet_fetch_params early;
    memset(&early, 0, sizeof early);
    early.struct_size = sizeof early;
    early.url.data = "http://127.0.0.1/";
    early.url.size = 17;
    early.ended = on_end;
    if (fetch->fetch(host, &early, NULL) != COLLET_E_INVALID) return COLLET_E_INTERNAL; /* for nobody */
    early.flags = COLLET_FETCH_AS_PLUGIN;
    if (fetch->fetch(host, &early, NULL) != COLLET_E_STATE) return COLLET_E_INTERNAL;
    early.inside_of = 1;
    if (fetch->fetch(host, &early, NULL) != COLLET_E_INVALID) return COLLET_E_INTERNAL; /* for two */
    early.flags = 0;
    if (fetch->fetch(host, &early, NULL) != COLLET_E_STALE) return COLLET_E_INTERNAL;
    if (fetch->taken(host, 1, 1) != COLLET_E_STALE || fetch->cancel(host, 1) != COLLET_E_STALE) return COLLET_E_INTERNAL;
  }
  return COLLET_OK;
}

static void destroy(void *self) { (void)self; }

static const collet_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_minor = COLLET_ABI_MINOR,
    .id = COLLET_STR("org.example.fetcher"),
    .version = COLLET_STR("1.0.0"),
    .create = create,
    .destroy = destroy,
    .call = call,
};

COLLET_EXPORT const collet_plugin *collet_plugin_entry_v1(void) { return &plugin; }
