/* A plugin with one tool for each way of answering a call. The tools take what they say from their arguments' text. */
#define _GNU_SOURCE
#include <collet/plugin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ECHO, BACKGROUND, REFUSE, REPORT, ASK, PICTURE, GROW, HOLD, SLOW, READ, GREET, THREAD_ID, NEVER, DEADLINE };

struct self {
  const collet_host* host;
  pthread_t thread;
  int has_thread;
  collet_call held; /* by HOLD, until it is cancelled */
  pthread_mutex_t mutex;
  collet_item grown;
};

static int32_t add(struct self* self, uint32_t kind, const char* name, const char* definition, uint32_t flags,
                   long which) {
  collet_item item;
  collet_item_def def;
  memset(&def, 0, sizeof def);
  def.struct_size = sizeof def;
  def.kind = kind;
  def.flags = flags;
  def.user = (void*)which;
  def.name.data = name;
  def.name.size = strlen(name);
  def.definition.data = definition;
  def.definition.size = definition ? strlen(definition) : 0;
  return self->host->item_add(self->host, &def, &item);
}

static int32_t create(const collet_host* host, const collet_create_params* params, void** out) {
  struct self* self = calloc(1, sizeof *self);
  if (params->config.size > 2 && strstr(params->config.data, "\"refuse\"")) {
    free(self);
    return COLLET_E_INVALID;
  }
  self->host = host;
  pthread_mutex_init(&self->mutex, NULL);
  add(self, COLLET_TOOL, "echo", "{\"description\":\n\"Echo\"}", COLLET_ITEM_NONBLOCKING, ECHO);
  add(self, COLLET_TOOL, "queued_echo", NULL, COLLET_ITEM_UNCHECKED, ECHO);
  add(self, COLLET_TOOL, "background", NULL, 0, BACKGROUND);
  add(self, COLLET_TOOL, "refuse",
      "{\"description\":null,\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]}}}}",
      COLLET_ITEM_NONBLOCKING, REFUSE);
  add(self, COLLET_TOOL, "report", NULL, COLLET_ITEM_NONBLOCKING, REPORT);
  add(self, COLLET_TOOL, "ask", NULL, 0, ASK);
  add(self, COLLET_TOOL, "picture", NULL, COLLET_ITEM_NONBLOCKING, PICTURE);
  add(self, COLLET_TOOL, "grow", NULL, 0, GROW);
  add(self, COLLET_TOOL, "hold", NULL, 0, HOLD);
  add(self, COLLET_TOOL, "slow", NULL, COLLET_ITEM_NONBLOCKING, SLOW);
  add(self, COLLET_RESOURCE, "sample://data", "{\"name\":\"data\"}", 0, READ);
  add(self, COLLET_PROMPT, "greet", NULL, COLLET_ITEM_NONBLOCKING, GREET);
  add(self, COLLET_TOOL, "thread_id", NULL, 0, THREAD_ID);
  add(self, COLLET_TOOL, "never", NULL, COLLET_ITEM_NONBLOCKING, NEVER);
  add(self, COLLET_TOOL, "deadline", NULL, COLLET_ITEM_NONBLOCKING, DEADLINE);
  add(self, COLLET_TOOL, "queued_deadline", NULL, 0, DEADLINE);
  *out = self;
  return COLLET_OK;
}

struct job {
  struct self* self;
  collet_call call;
  size_t size;
  char text[256];
};

static void* answer(void* data) {
  struct job* job = data;
  const collet_host* host = job->self->host;
  host->add_text(host, job->call, job->text, job->size);
  host->complete(host, job->call, 0);
  free(job);
  return NULL;
}

static int32_t in_background(struct self* self, collet_call call, collet_str text) {
  struct job* job = calloc(1, sizeof *job);
  job->self = self;
  job->call = call;
  job->size = text.size < sizeof job->text ? text.size : sizeof job->text;
  memcpy(job->text, text.data, job->size);
  if (self->has_thread) pthread_join(self->thread, NULL);
  self->has_thread = 1;
  return pthread_create(&self->thread, NULL, answer, job) == 0 ? COLLET_OK : COLLET_E_INTERNAL;
}

static int32_t ask(struct self* self, collet_call call, const collet_call_params* params) {
  const collet_host* host = self->host;
  if (params->round == 0) {
    static const char request[] = "{\"method\":\"elicitation/create\",\n\"params\":{}}";
    host->need_input(host, call, "name", 4, request, sizeof request - 1);
    return host->suspend(host, call, "asked", 5, 7);
  }
  if (params->state_version != 7 || params->state.size != 5) return COLLET_E_STATE;
  host->add_text(host, call, params->input_responses.data, params->input_responses.size);
  return host->complete(host, call, 0);
}

static int32_t picture(const collet_host* host, collet_call call) {
  collet_blob blob;
  void* data;
  if (host->blob_new(host, 3, &blob, &data) != COLLET_OK) return COLLET_E_LIMIT;
  memcpy(data, "abc", 3);
  host->add_blob(host, call, "image", 5, "image/png", 9, blob);
  return host->complete(host, call, 0);
}

static int32_t on_call(void* data, collet_call call, const collet_call_params* params) {
  struct self* self = data;
  const collet_host* host = self->host;
  const collet_str text = params->arguments;
  switch ((long)params->item_user) {
    case ECHO:
    case READ:
    case GREET:
      host->add_text(host, call, text.data, text.size);
      return host->complete(host, call, 0);
    case BACKGROUND:
      return in_background(self, call, text);
    case REFUSE:
      return COLLET_E_UNSUPPORTED;
    case REPORT:
      host->progress(host, call, 1, 2, "half", 4);
      host->log(host, call, COLLET_LOG_NOTICE, "sample", 6, "{\"a\":\n1}", 8);
      host->progress(host, call, 2, 2, NULL, 0);
      return host->complete(host, call, 0);
    case ASK:
      return ask(self, call, params);
    case PICTURE:
      return picture(host, call);
    case GROW:
      add(self, COLLET_TOOL, "grown", NULL, COLLET_ITEM_NONBLOCKING, ECHO);
      host->items_commit(host);
      return host->complete(host, call, 0);
    case HOLD:
      pthread_mutex_lock(&self->mutex);
      self->held = call;
      pthread_mutex_unlock(&self->mutex);
      host->progress(host, call, 0, 0, NULL, 0);
      return COLLET_OK;
    case SLOW:
      usleep(30000);  // more than an item may keep a loop, under a sanitizer too
      return host->complete(host, call, 0);
    case THREAD_ID: {
      const pid_t id = gettid();
      host->set_structured(host, call, "1", 1);
      host->set_field(host, call, "inMain", 6, id == getpid() ? "true" : "false", id == getpid() ? 4 : 5);
      return host->complete(host, call, 0);
    }
    case DEADLINE: {
      char number[24];
      const int size = snprintf(number, sizeof number, "%llu", (unsigned long long)params->deadline_ms);
      host->set_structured(host, call, number, (size_t)size);
      return host->complete(host, call, 0);
    }
    default:
      return COLLET_OK;
  }
}

static void on_cancel(void* data, collet_call call, uint32_t reason) {
  struct self* self = data;
  char text = (char)('0' + reason);
  pthread_mutex_lock(&self->mutex);
  const int held = self->held == call;
  if (held) self->held = 0;
  pthread_mutex_unlock(&self->mutex);
  if (!held) return;
  self->host->add_text(self->host, call, &text, 1);
  self->host->complete(self->host, call, 1);
}

static void destroy(void* data) {
  struct self* self = data;
  if (self->has_thread) pthread_join(self->thread, NULL);
  pthread_mutex_destroy(&self->mutex);
  free(self);
}

static const collet_plugin plugin = {
    .struct_size = sizeof(collet_plugin),
#ifdef CONCURRENT
    .flags = COLLET_PLUGIN_CONCURRENT,
    .max_concurrency = 4,
#endif
    .id = COLLET_STR("org.example.sample"),
    .version = COLLET_STR("1.2.3-rc.1"),
    .create = create,
    .destroy = destroy,
    .call = on_call,
    .cancel = on_cancel,
};

const collet_plugin* collet_plugin_entry_v1(void) { return &plugin; }
