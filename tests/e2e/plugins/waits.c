/* Calls that wait until they are cancelled or released, and what a test wants to know of them. */
#include <collet/plugin.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WAITING_MAX = 256, WAIT, RELEASE, WAITING, CANCELS, FLOOD, CHATTER };

static const collet_host *host;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static collet_call waiting[WAITING_MAX];
static unsigned waiting_count;
static unsigned cancel_count;

static int32_t add(const char *name, uint32_t flags, uintptr_t which) {
  const collet_item_def def = {.struct_size = sizeof def, .kind = COLLET_TOOL, .flags = flags, .user = (void *)which,
                               .name = {name, strlen(name)}};
  collet_item item;
  return host->item_add(host, &def, &item);
}

static int32_t create(const collet_host *given, const collet_create_params *params, void **self) {
  (void)params;
  (void)self;
  host = given;
  int32_t status = add("wait", 0, WAIT);
  if (status == COLLET_OK) status = add("job", COLLET_ITEM_TASK_OPTIONAL, WAIT);
  if (status == COLLET_OK) status = add("release", 0, RELEASE);
  if (status == COLLET_OK) status = add("waiting", 0, WAITING);
  if (status == COLLET_OK) status = add("cancels", 0, CANCELS);
  if (status == COLLET_OK) status = add("flood", 0, FLOOD);
  if (status == COLLET_OK) status = add("chatter", 0, CHATTER);
  return status;
}

static void destroy(void *self) { (void)self; }

static int32_t answer_number(collet_call call, const unsigned *number) {
  char text[16];
  pthread_mutex_lock(&mutex);
  const int size = snprintf(text, sizeof text, "%u", *number);
  pthread_mutex_unlock(&mutex);
  host->add_text(host, call, text, (size_t)size);
  return host->complete(host, call, 0);
}

/* One that is cancelled before it waits here is not found by cancel(). */
static int32_t wait_for_release(collet_call call) {
  pthread_mutex_lock(&mutex);
  const int is_cancelled = host->is_cancelled(host, call) != 0;
  const int has_room = waiting_count < WAITING_MAX;
  if (has_room && !is_cancelled) waiting[waiting_count++] = call;
  pthread_mutex_unlock(&mutex);
  if (is_cancelled) return host->complete(host, call, 1);
  if (has_room) host->progress(host, call, 0, 0, "waiting", 7);
  return has_room ? COLLET_OK : COLLET_E_LIMIT;
}

static void release_all(void) {
  pthread_mutex_lock(&mutex);
  while (waiting_count > 0) {
    const collet_call call = waiting[--waiting_count];
    host->add_text(host, call, "released", 8);
    host->complete(host, call, 0);
  }
  pthread_mutex_unlock(&mutex);
}

/* As much as the host takes, until somebody says that it is enough. */
static int32_t flood(collet_call call) {
  char text[4096];
  memset(text, 'x', sizeof text);
  for (double done = 0; host->is_cancelled(host, call) == 0; ++done) {
    if (host->progress(host, call, done, 0, text, sizeof text) != COLLET_OK) usleep(1000);
  }
  return host->complete(host, call, 1);
}

/* 16 MiB of progress and as much of log messages, all of which the host takes, and then an answer. */
static int32_t chatter(collet_call call) {
  char text[4096];
  memset(text, 'x', sizeof text);
  text[0] = text[sizeof text - 1] = '"';
  for (int done = 0; done < 4096; ++done) {
    host->progress(host, call, done, 4096, text, sizeof text);
    while (host->log(host, call, COLLET_LOG_INFO, NULL, 0, text, sizeof text) == COLLET_E_LIMIT) usleep(1000);
  }
  host->add_text(host, call, "all said", 8);
  return host->complete(host, call, 0);
}

static int32_t on_call(void *self, collet_call call, const collet_call_params *params) {
  (void)self;
  switch ((uintptr_t)params->item_user) {
    case WAIT:
      return wait_for_release(call);
    case RELEASE:
      release_all();
      return host->complete(host, call, 0);
    case WAITING:
      return answer_number(call, &waiting_count);
    case CANCELS:
      return answer_number(call, &cancel_count);
    case CHATTER:
      return chatter(call);
    default:
      return flood(call);
  }
}

static void cancel(void *self, collet_call call, uint32_t reason) {
  (void)self;
  (void)reason;
  pthread_mutex_lock(&mutex);
  ++cancel_count;
  for (unsigned i = 0; i < waiting_count; ++i) {
    if (waiting[i] != call) continue;
    waiting[i] = waiting[--waiting_count];
    host->complete(host, call, 1);
    break;
  }
  pthread_mutex_unlock(&mutex);
}

static const collet_plugin plugin = {.struct_size = sizeof plugin,
                                     .flags = COLLET_PLUGIN_CONCURRENT,
                                     .id = COLLET_STR("org.example.waits"),
                                     .version = COLLET_STR("1.0.0"),
                                     .create = create,
                                     .destroy = destroy,
                                     .call = on_call,
                                     .cancel = cancel};

const collet_plugin *collet_plugin_entry_v1(void) { return &plugin; }
