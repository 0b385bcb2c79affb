/* A plugin that keeps records and events with its host.
 *   "get" {"key":"a"}, "put" {"key":"a","value":"1","version":7,"ttl":9}, "remove" {"key":"a","version":7}
 *              answer "STATUS VERSION VALUE"; "version" and "ttl" are optional
 *   "list" {"prefix":"a","after":"b","max":2}    answers "STATUS KEY:VERSION …", with "more" at its end
 *   "append" {"stream":"s","bytes":"x"}    answers "STATUS SEQUENCE"
 *   "read" {"owner":"p","stream":"s","after":7,"max":2}    answers "STATUS AFTER FIRST LAST SEQUENCE:BYTES …"
 *   "follow" as "read"    answers the number of what is followed then; after -1 is the newest
 *   "unfollow" {"follow":7}    answers its status
 *   "heard"    what has been told of all that is followed, as "read" answers it, with ; behind each page
 *   "flood" {"count":9}    gets "flood" so often at once; answers how many were taken, and how many of these have been told
 *   "began"    what "state" was when the generation began, as "get" answers it
 *   "crash"    ends the process
 * What is asked of a tool that does not go is its status. A generation that is destroyed while something it has asked is not
 * answered, or that is answered twice, ends the process. */
#include <collet/ext/draft/events.h>
#include <collet/ext/draft/store.h>
#include <collet/json.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static const collet_host *host;
static const collet_store *store;
static const collet_events *events;

enum { ROOM = 4096 };

/* What has been heard; guarded by the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char heard[64 * ROOM];
static char began[ROOM] = "not yet";

static atomic_int asked;  /* of which there is no answer yet */
static atomic_int told;
static atomic_int followed;

/* One question: the call that it is asked for, 0 if none, and whether it was answered. */
struct question {
  collet_call call;
};

static struct question *question_of(collet_call call) {
  struct question *question = malloc(sizeof *question);
  question->call = call;
  atomic_fetch_add(&asked, 1);
  return question;
}

static void finish(collet_call call, const char *text) {
  host->add_text(host, call, text, strlen(text));
  host->complete(host, call, 0);
}

/* The answer to a question, which is no more. */
static void settle(void *context, const char *text) {
  struct question *question = context;
  const collet_call call = question->call;
  free(question);
  atomic_fetch_sub(&asked, 1);
  atomic_fetch_add(&told, 1);
  if (call) finish(call, text);
}

/* What could not be asked. */
static int32_t refuse(struct question *question, int32_t status) {
  char text[32];
  if (status >= 0) return COLLET_OK;
  snprintf(text, sizeof text, "refused %d", (int)status);
  settle(question, text);
  return COLLET_OK;
}

static void on_stored(void *context, const collet_stored *stored) {
  char text[ROOM];
  snprintf(text, sizeof text, "%d %llu %.*s", (int)stored->status, (unsigned long long)stored->version,
           stored->value.data ? (int)stored->value.size : 4, stored->value.data ? stored->value.data : "none");
  settle(context, text);
}

static void on_began(void *context, const collet_stored *stored) {
  pthread_mutex_lock(&lock);
  snprintf(began, sizeof began, "%d %.*s", (int)stored->status, stored->value.data ? (int)stored->value.size : 4,
           stored->value.data ? stored->value.data : "none");
  pthread_mutex_unlock(&lock);
  settle(context, "");
}

static void on_keys(void *context, const collet_keys *keys) {
  char text[ROOM];
  size_t size = (size_t)snprintf(text, sizeof text, "%d", (int)keys->status), i;
  for (i = 0; i < keys->key_count && size < sizeof text; ++i) {
    size += (size_t)snprintf(text + size, sizeof text - size, " %.*s:%llu", (int)keys->keys[i].key.size, keys->keys[i].key.data,
                             (unsigned long long)keys->keys[i].version);
  }
  if (keys->more && size < sizeof text) snprintf(text + size, sizeof text - size, " more");
  settle(context, text);
}

static void on_appended(void *context, int32_t status, uint64_t sequence) {
  char text[64];
  snprintf(text, sizeof text, "%d %llu", (int)status, (unsigned long long)sequence);
  settle(context, text);
}

static void write_page(char *text, size_t room, const collet_events_page *page) {
  size_t i, size = (size_t)snprintf(text, room, "%d %llu %llu %llu", (int)page->status, (unsigned long long)page->after,
                                    (unsigned long long)page->first, (unsigned long long)page->last);
  for (i = 0; i < page->event_count && size < room; ++i) {
    const collet_event *event = &page->events[i];
    size += (size_t)snprintf(text + size, room - size, " %llu:%.*s", (unsigned long long)event->sequence,
                             event->bytes.size > 8 ? 8 : (int)event->bytes.size, event->bytes.data);
  }
}

static void on_read(void *context, const collet_events_page *page) {
  char text[ROOM];
  write_page(text, sizeof text, page);
  settle(context, text);
}

static void on_followed(void *context, const collet_events_page *page) {
  size_t size;
  (void)context;
  pthread_mutex_lock(&lock);
  size = strlen(heard);
  if (size + ROOM < sizeof heard) {
    write_page(heard + size, ROOM, page);
    strcat(heard, ";");
  }
  pthread_mutex_unlock(&lock);
  if (page->status < 0) atomic_fetch_sub(&followed, 1);
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

static int has(collet_str arguments, const char *key) {
  collet_json_value value;
  return arguments.data && collet_json_find(arguments, key, &value) == 1;
}

static int64_t number_of(collet_str arguments, const char *key) {
  collet_json_value value;
  int64_t number = 0;
  if (arguments.data && collet_json_find(arguments, key, &value) == 1) collet_json_int64(&value, &number);
  return number;
}

static int32_t with_record(collet_call call, collet_str arguments,
                           int32_t (*function)(const collet_host *, const collet_store_params *)) {
  struct question *question = question_of(call);
  const collet_store_params params = {.struct_size = sizeof params,
                                      .flags = has(arguments, "version") ? COLLET_STORE_IF_VERSION : 0,
                                      .key = text_of(arguments, "key"),
                                      .value = text_of(arguments, "value"),
                                      .version = (uint64_t)number_of(arguments, "version"),
                                      .ttl_ms = (uint64_t)number_of(arguments, "ttl"),
                                      .context = question,
                                      .answered = on_stored};
  return refuse(question, function(host, &params));
}

static int32_t list(collet_call call, collet_str arguments) {
  struct question *question = question_of(call);
  const collet_keys_params params = {.struct_size = sizeof params,
                                     .max = (uint32_t)number_of(arguments, "max"),
                                     .prefix = text_of(arguments, "prefix"),
                                     .after = text_of(arguments, "after"),
                                     .context = question,
                                     .listed = on_keys};
  return refuse(question, store->list(host, &params));
}

static int32_t append(collet_call call, collet_str arguments) {
  struct question *question = question_of(call);
  const collet_append_params params = {.struct_size = sizeof params,
                                       .stream = text_of(arguments, "stream"),
                                       .bytes = text_of(arguments, "bytes"),
                                       .context = question,
                                       .appended = on_appended};
  return refuse(question, events->append(host, &params));
}

static collet_events_params reading(collet_str arguments) {
  collet_events_params params;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.max = (uint32_t)number_of(arguments, "max");
  params.owner = text_of(arguments, "owner");
  params.stream = text_of(arguments, "stream");
  params.after = (uint64_t)number_of(arguments, "after");
  return params;
}

static int32_t read_events(collet_call call, collet_str arguments) {
  struct question *question = question_of(call);
  collet_events_params params = reading(arguments);
  params.context = question;
  params.told = on_read;
  return refuse(question, events->read(host, &params));
}

static int32_t follow(collet_call call, collet_str arguments) {
  char text[32];
  collet_follow number = 0;
  collet_events_params params = reading(arguments);
  int32_t status;
  params.told = on_followed;
  atomic_fetch_add(&followed, 1);
  status = events->follow(host, &params, &number);
  if (status < 0) atomic_fetch_sub(&followed, 1);
  snprintf(text, sizeof text, status < 0 ? "refused %lld" : "%lld", status < 0 ? (long long)status : (long long)number);
  finish(call, text);
  return COLLET_OK;
}

static int32_t unfollow(collet_call call, collet_str arguments) {
  char text[32];
  const int32_t status = events->unfollow(host, (collet_follow)number_of(arguments, "follow"));
  if (status == COLLET_OK) atomic_fetch_sub(&followed, 1);
  snprintf(text, sizeof text, "%d", (int)status);
  finish(call, text);
  return COLLET_OK;
}

static int32_t tell_heard(collet_call call) {
  pthread_mutex_lock(&lock);
  finish(call, heard);
  pthread_mutex_unlock(&lock);
  return COLLET_OK;
}

static int32_t tell_began(collet_call call) {
  pthread_mutex_lock(&lock);
  finish(call, began);
  pthread_mutex_unlock(&lock);
  return COLLET_OK;
}

static int32_t flood(collet_call call, collet_str arguments) {
  char text[64];
  int64_t left = number_of(arguments, "count");
  int taken = 0, before = atomic_load(&told);
  pthread_mutex_lock(&lock); /* on_began() waits, so that what is asked behind it is not told */
  for (; left >= 0; --left) {
    struct question *question = question_of(0);
    const collet_store_params params = {.struct_size = sizeof params, .key = COLLET_STR("flood"), .context = question,
                                        .answered = left == number_of(arguments, "count") ? on_began : on_stored};
    const int32_t status = store->get(host, &params);
    if (status < 0) {
      atomic_fetch_sub(&asked, 1);
      free(question);
    }
    taken += status >= 0;
  }
  snprintf(text, sizeof text, "%d %d", taken, atomic_load(&told) - before);
  pthread_mutex_unlock(&lock);
  finish(call, text);
  return COLLET_OK;
}

enum { GET, PUT, REMOVE, LIST, APPEND, READ, FOLLOW, UNFOLLOW, HEARD, FLOOD, BEGAN, CRASH };
static const char *const names[] = {"get",    "put",      "remove", "list",  "append", "read",
                                    "follow", "unfollow", "heard",  "flood", "began",  "crash"};

static int32_t call(void *self, collet_call id, const collet_call_params *params) {
  const collet_str arguments = params->arguments;
  (void)self;
  switch ((intptr_t)params->item_user) {
    case GET:
      return with_record(id, arguments, store->get);
    case PUT:
      return with_record(id, arguments, store->put);
    case REMOVE:
      return with_record(id, arguments, store->remove);
    case LIST:
      return list(id, arguments);
    case APPEND:
      return append(id, arguments);
    case READ:
      return read_events(id, arguments);
    case FOLLOW:
      return follow(id, arguments);
    case UNFOLLOW:
      return unfollow(id, arguments);
    case HEARD:
      return tell_heard(id);
    case FLOOD:
      return flood(id, arguments);
    case BEGAN:
      return tell_began(id);
    default:
      abort();
  }
}

/* With "fails" in its configuration the generation does not come to be. */
static int32_t create(const collet_host *given, const collet_create_params *params, void **self) {
  intptr_t i;
  host = given;
  store = host->get_extension(host, COLLET_EXT_STORE, sizeof COLLET_EXT_STORE - 1);
  events = host->get_extension(host, COLLET_EXT_EVENTS, sizeof COLLET_EXT_EVENTS - 1);
  *self = NULL;
  for (i = 0; i < (intptr_t)(sizeof names / sizeof *names); ++i) {
    collet_item item;
    const collet_item_def def = {
        .struct_size = sizeof def, .kind = COLLET_TOOL, .user = (void *)i, .name = {names[i], strlen(names[i])}};
    host->item_add(host, &def, &item);
  }
  if (params->flags & COLLET_CREATE_PROBE) return COLLET_OK;
  if (!store || !events) return COLLET_E_UNSUPPORTED;
  {
    const collet_store_params state = {
        .struct_size = sizeof state, .key = COLLET_STR("state"), .context = question_of(0), .answered = on_began};
    const collet_events_params early = {.struct_size = sizeof early, .stream = COLLET_STR("early"), .told = on_followed};
    atomic_fetch_add(&followed, 1);
    if (store->get(host, &state) < 0 || events->follow(host, &early, NULL) < 0) return COLLET_E_INTERNAL;
  }
  return has(params->config, "fails") ? COLLET_E_INTERNAL : COLLET_OK;
}

static void destroy(void *self) {
  (void)self;
  if (atomic_load(&asked) != 0 || atomic_load(&followed) != 0) abort();
}

static const collet_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_minor = COLLET_ABI_MINOR,
    .id = COLLET_STR("org.example.keeper"),
    .version = COLLET_STR("1.0.0"),
    .create = create,
    .destroy = destroy,
    .call = call,
};

COLLET_EXPORT const collet_plugin *collet_plugin_entry_v1(void) { return &plugin; }
