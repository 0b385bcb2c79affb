/* A plugin each of whose tools ends its process, in a way of its own. */
#include <collet/plugin.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int *volatile nowhere = (int *)8;
static int (*volatile no_function)(void);
static volatile int sum;
static const collet_host *host;

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

static const char *const names[] = {"write", "descend", "jump", "abort", "exit", "leave", "alone", "inline", "fork"};
enum { WRITE, DESCEND, JUMP, ABORT, EXIT, LEAVE, ALONE, INLINE, FORK, TOOLS };

static int32_t create(const collet_host *given, const collet_create_params *params, void **self) {
  (void)params, (void)self;
  host = given;
  for (long i = 0; i < TOOLS; ++i) {
    collet_item item;
    collet_item_def def;
    memset(&def, 0, sizeof def);
    def.struct_size = sizeof def;
    def.kind = COLLET_TOOL;
    def.flags = i == INLINE ? COLLET_ITEM_NONBLOCKING : 0;
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
  int status = 0;
  char code;
  (void)self;
  switch ((long)params->item_user) {
    case WRITE:
      write_nowhere();
      break;
    case DESCEND:
    case INLINE:
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
      break;
    case FORK: /* answers with the exit code of the other one */
      if (fork() == 0) _exit(9);
      wait(&status);
      code = (char)('0' + WEXITSTATUS(status));
      host->add_text(host, call, &code, 1);
      return host->complete(host, call, 0);
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
