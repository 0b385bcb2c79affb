/* A plugin that takes of its machine what no limit of a single process counts. */
#define _GNU_SOURCE
#include <collet/plugin.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

typedef struct {
  char path[256];
  int count;
  int mib;
} order;

typedef const char* (*tool)(const order*); /* what it answers */

static char text[64];

static const char* status(int result) { return result < 0 ? strerrorname_np(errno) : "0"; }

static const char* ready(const order* given) {
  (void)given;
  return "ready";
}

/* The pages of a file; on tmpfs they are shared memory. */
static const char* fill_file(const order* given) {
  static const char zeros[MIB];
  const int file = open(given->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ssize_t written = file;
  for (int i = 0; i < given->mib && written >= 0; ++i) written = write(file, zeros, MIB);
  return status((int)written);
}

/* Without opening it, which Landlock knows of; and what its mount says, whoever has denied it. */
static const char* empty_file(const order* given) {
  struct statvfs mount;
  const char* emptied = status(truncate(given->path, 0));
  if (statvfs(given->path, &mount) != 0) return status(-1);
  snprintf(text, sizeof text, "%s, %s", emptied, mount.f_flag & ST_RDONLY ? "read-only" : "writable");
  return text;
}

/* Memory of children, each of which has little. */
static const char* fill(const order* given, int flags) {
  for (int i = 0; i < given->count; ++i) {
    const pid_t child = fork();
    if (child < 0) return status(child);
    if (child > 0) continue;
    void* at = mmap(NULL, (size_t)given->mib * MIB, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (at != MAP_FAILED) memset(at, 1, (size_t)given->mib * MIB);
    for (;;) pause();
  }
  for (;;) pause();
}
static const char* fill_private(const order* given) { return fill(given, MAP_PRIVATE); }
static const char* fill_shared(const order* given) { return fill(given, MAP_SHARED); }

/* As many processes as there can be. */
static const char* start_processes(const order* given) {
  int made = 0;
  pid_t child = 1;
  for (; made < given->count && child > 0; made += child > 0) {
    child = fork();
    if (child == 0) {
      for (;;) pause();
    }
  }
  snprintf(text, sizeof text, "%d, %s", made, status(child));
  return text;
}

static void* sleep_on(void* nothing) {
  for (;;) pause();
  return nothing;
}

static const char* start_threads(const order* given) {
  int made = 0;
  pthread_attr_t small; /* of stack, for which there is address space */
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 << 10);
  for (; made < given->count; ++made) {
    pthread_t thread;
    errno = pthread_create(&thread, &small, sleep_on, NULL);
    if (errno) break;
  }
  snprintf(text, sizeof text, "%d, %s", made, status(made < given->count ? -1 : 0));
  return text;
}

static int32_t create(const collet_host* host, const collet_create_params* params, void** self) {
  static const struct {
    const char* name;
    tool run;
  } tools[] = {{"ready", ready},
               {"empty_file", empty_file},
               {"fill_file", fill_file},
               {"fill_private", fill_private},
               {"fill_shared", fill_shared},
               {"start_processes", start_processes},
               {"start_threads", start_threads}};
  (void)params;
  *self = (void*)host;
  for (size_t i = 0; i < sizeof tools / sizeof *tools; ++i) {
    collet_item item;
    collet_item_def def = {.struct_size = sizeof def, .kind = COLLET_TOOL, .user = (void*)tools[i].run};
    def.name.data = tools[i].name;
    def.name.size = strlen(tools[i].name);
    const int32_t added = host->item_add(host, &def, &item);
    if (added != COLLET_OK) return added;
  }
  return COLLET_OK;
}

static void destroy(void* self) { (void)self; }

/* {"count":1,"mib":1,"path":"…"}, in this order, and all of them. */
static int32_t call(void* self, collet_call id, const collet_call_params* params) {
  const collet_host* host = self;
  order given = {.path = ""};
  if (params->arguments.data)
    sscanf(params->arguments.data, "{\"count\":%d,\"mib\":%d,\"path\":\"%255[^\"]", &given.count, &given.mib, given.path);
  const char* answer = ((tool)params->item_user)(&given);
  host->add_text(host, id, answer, strlen(answer));
  return host->complete(host, id, 0);
}

COLLET_EXPORT const collet_plugin* collet_plugin_entry_v1(void) {
  static const collet_plugin plugin = {.struct_size = sizeof plugin, .abi_minor = COLLET_ABI_MINOR,
                                       .id = COLLET_STR("org.example.eater"), .version = COLLET_STR("1.0.0"),
                                       .create = create, .destroy = destroy, .call = call};
  return &plugin;
}
