/* Plugins whose table is wrong, or whose create() misbehaves, one way each: -DCASE=… */
#define _GNU_SOURCE
#include <collet/plugin.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NULL_ENTRY 1
#define NULL_CREATE 2
#define NULL_DESTROY 3
#define NULL_CALL 4
#define SIZE_0 5
#define SIZE_7 6
#define SIZE_MAX_ 7
#define NEEDS_NEWER 8
#define BAD_ID 9
#define BAD_VERSION 10
#define BAD_INFO 11
#define NULL_ID 12
#define WORKER_ONLY 13
#define CREATE_FAILS 14
#define CREATE_EXITS 15
#define CREATE_CRASHES 16
#define CREATE_HANGS 17
#define CREATE_CLOSES_FDS 18
#define CONSTRUCTOR_CRASHES 19
#define CREATE_ABORTS 20
#define ITEM_TWICE 21
#define CREATE_CLOSES_ALL 22
#define COMPLETES_IN_CREATE 23
#define REGISTERS_IN_DESTROY 24
#define CREATE_HANGS_UNLESS_PROBED 25
#define DESTROY_HANGS_UNLESS_PROBED 26
#define CALL_HANGS 27
#define SMALL_TABLE 28
#define CREATE_CLOSES_ALL_AND_HANGS 29
#define CREATE_FORKS_AND_CRASHES 30
#define CREATE_LEAVES_A_PROCESS 31
#define CREATE_LEAVES_A_PROCESS_AND_HANGS 32

struct self {
  const collet_host* host;
  int probed;
};

static int32_t add(const collet_host* host, const char* name, size_t size) {
  collet_item item;
  collet_item_def def;
  memset(&def, 0, sizeof def);
  def.struct_size = sizeof def;
  def.kind = COLLET_TOOL;
  def.name.data = name;
  def.name.size = size;
  return host->item_add(host, &def, &item);
}

static int* volatile nowhere = (int*)8;

static void hang(void) {
  for (;;) pause();
}

/* One in a session of its own and without a parent, which sleeps as long as COLLET_TEST_LEFT says. */
__attribute__((unused)) static void leave_a_process(void) {
  const char* seconds = getenv("COLLET_TEST_LEFT");
  const pid_t between = fork();
  if (between != 0) {
    waitpid(between, NULL, 0);
    return;
  }
  setsid();
  if (fork() == 0) execlp("sleep", "sleep", seconds ? seconds : "300", NULL);
  _exit(0);
}

#if CASE == CONSTRUCTOR_CRASHES
__attribute__((constructor)) static void crash_early(void) { raise(SIGSEGV); }
#endif

static int32_t create(const collet_host* host, const collet_create_params* params, void** out) {
  struct self* self = malloc(sizeof *self);
  self->host = host;
  self->probed = (params->flags & COLLET_CREATE_PROBE) != 0;
  *out = self;
  add(host, "tool", 4);
  switch (CASE) {
    case CREATE_FAILS:
      free(self);
      return add(host, "", 0);
    case CREATE_EXITS:
      exit(0);
    case CREATE_CRASHES:
      *nowhere = 1;
      break;
    case CREATE_ABORTS:
      abort();
    case CREATE_HANGS:
      hang();
      break;
    case CREATE_HANGS_UNLESS_PROBED:
      if (!self->probed) hang();
      break;
    case CREATE_CLOSES_FDS:
      for (int fd = 0; fd < 3; ++fd) close(fd);
      break;
    case CREATE_FORKS_AND_CRASHES:
      if (fork() == 0) { /* keeps every descriptor open for longer than anyone wants to wait */
        sleep(30);
        _exit(0);
      }
      raise(SIGSEGV);
      break;
    case CREATE_LEAVES_A_PROCESS:
      leave_a_process();
      break;
    case CREATE_LEAVES_A_PROCESS_AND_HANGS:
      leave_a_process();
      hang();
      break;
    case CREATE_CLOSES_ALL_AND_HANGS:
      for (int fd = 0; fd < 16; ++fd) close(fd);
      hang();
      break;
    case CREATE_CLOSES_ALL:
      for (int fd = 0; fd < 16; ++fd) close(fd);
      break;
    case ITEM_TWICE:
      if (add(host, "tool", 4) != COLLET_E_DUPLICATE) abort();
      break;
    case COMPLETES_IN_CREATE:
      if (host->complete(host, 1, 0) != COLLET_E_STALE) abort();
      if (host->complete(host, (1ull << 32), 0) != COLLET_E_STALE) abort();
      break;
    default:
      break;
  }
  return COLLET_OK;
}

static void destroy(void* data) {
  struct self* self = data;
  if (CASE == REGISTERS_IN_DESTROY && add(self->host, "late", 4) != COLLET_E_STATE) abort();
  if (CASE == DESTROY_HANGS_UNLESS_PROBED && !self->probed) hang();
  free(self);
}

static int32_t on_call(void* data, collet_call call, const collet_call_params* params) {
  struct self* self = data;
  (void)params;
  if (CASE == CALL_HANGS) {
    self->host->log(self->host, 0, COLLET_LOG_WARNING, NULL, 0, "\"hanging\"", 9);
    hang();
  }
  return self->host->complete(self->host, call, 0);
}

#if CASE == BAD_ID
#define ID "Bad Id"
#else
#define ID "org.example.hostile"
#endif
#if CASE == BAD_VERSION
#define VERSION "1.x.1"
#else
#define VERSION "1.0.0"
#endif

static const collet_plugin plugin = {
    .struct_size = CASE == SIZE_0        ? 0
                   : CASE == SIZE_7      ? 7
                   : CASE == SIZE_MAX_   ? 0xffffffffu
                   : CASE == SMALL_TABLE ? offsetof(collet_plugin, cancel)
                                         : sizeof(collet_plugin),
    .abi_minor_min = CASE == NEEDS_NEWER ? 7 : 0,
    .flags = CASE == WORKER_ONLY ? COLLET_PLUGIN_WORKER_ONLY : 0,
    .id = COLLET_STR(ID),
    .version = COLLET_STR(VERSION),
    .info = {CASE == BAD_INFO ? "[1,2]" : NULL, CASE == BAD_INFO ? 5 : 0},
    .create = CASE == NULL_CREATE ? NULL : create,
    .destroy = CASE == NULL_DESTROY ? NULL : destroy,
    .call = CASE == NULL_CALL ? NULL : on_call,
    .cancel = CASE == SMALL_TABLE ? (void (*)(void*, collet_call, uint32_t))8 : NULL,
};

static const collet_plugin without_id = {
    .struct_size = sizeof(collet_plugin), .id = {NULL, 9}, .create = create, .destroy = destroy, .call = on_call};

const collet_plugin* collet_plugin_entry_v1(void) {
  return CASE == NULL_ENTRY ? NULL : CASE == NULL_ID ? &without_id : &plugin;
}
