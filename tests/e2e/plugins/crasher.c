/* A plugin each of whose tools ends its process, in a way of its own. */
#include <collet/plugin.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int *volatile nowhere = (int *)8;
static int (*volatile no_function)(void);
static volatile int sum;

__attribute__((noinline)) static void write_nowhere(void) {
  *nowhere = 1;
  ++sum; /* after it: not the last thing that it does */
}

__attribute__((noinline)) static int descend(int depth) {
  volatile char room[512];
  room[depth % 512] = (char)depth;
  return depth < sum ? 0 : descend(depth + 1) + room[0]; /* sum is 0 or 1 */
}

__attribute__((noinline)) static void jump_nowhere(void) {
  sum = no_function();
  ++sum;
}

static void *run_alone(void *nothing) {
  write_nowhere();
  return nothing;
}

static const char *const names[] = {"write", "descend", "jump", "abort", "exit", "leave", "alone"};
enum { WRITE, DESCEND, JUMP, ABORT, EXIT, LEAVE, ALONE, TOOLS };

static int32_t create(const collet_host *host, const collet_create_params *params, void **self) {
  (void)params, (void)self;
  for (long i = 0; i < TOOLS; ++i) {
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
  return COLLET_OK;
}

static void destroy(void *self) { (void)self; }

static int32_t on_call(void *self, collet_call call, const collet_call_params *params) {
  pthread_t thread;
  (void)self, (void)call;
  switch ((long)params->item_user) {
    case WRITE:
      write_nowhere();
      break;
    case DESCEND:
      sum = descend(2);
      break;
    case JUMP:
      jump_nowhere();
      break;
    case ABORT:
      abort();
    case EXIT:
      exit(7);
    case LEAVE:
      _exit(8);
    case ALONE:
      pthread_create(&thread, NULL, run_alone, NULL);
      pthread_join(thread, NULL);
  }
  return COLLET_OK;
}

static const collet_plugin plugin = {
    .struct_size = sizeof(collet_plugin),
    .id = COLLET_STR("org.example.crasher"),
    .version = COLLET_STR("1.0.0"),
    .create = create,
    .destroy = destroy,
    .call = on_call,
};

COLLET_EXPORT const collet_plugin *collet_plugin_entry_v1(void) { return &plugin; }
