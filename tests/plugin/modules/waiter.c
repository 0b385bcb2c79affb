/* A tool that ends on the loop that called it, when something comes through a pipe: "wait" with {"descriptor":N}. */
#include <collet/ext/loop.h>
#include <collet/plugin.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const collet_host *host;
static const collet_loop *loop;

struct waiting {
  collet_call call;
  collet_loop_wait wait;
  int descriptor;
  int here;
};
static struct waiting all[8]; /* calls of a generation's life; those that wait for ever have no end to be freed at */
static atomic_uint begun;

static void ready(void *context, uint32_t events) {
  struct waiting *waiting = context;
  char text[64];
  const long got = read(waiting->descriptor, text, sizeof text);
  const char *where = loop->current(host) == waiting->here ? "here" : "elsewhere";
  loop->unwait(host, waiting->wait);
  if (events == COLLET_LOOP_READABLE && got > 0) host->add_text(host, waiting->call, text, (size_t)got);
  host->add_text(host, waiting->call, where, strlen(where));
  host->complete(host, waiting->call, 0);
}

static int32_t call(void *self, collet_call id, const collet_call_params *params) {
  const unsigned number = atomic_fetch_add(&begun, 1);
  struct waiting *waiting = &all[number % 8];
  (void)self;
  if (number >= 8) return COLLET_E_LIMIT;
  waiting->call = id;
  waiting->descriptor = atoi(strchr(params->arguments.data, ':') + 1);
  waiting->here = loop->current(host);
  return loop->watch(host, waiting->descriptor, COLLET_LOOP_READABLE, ready, waiting, &waiting->wait);
}

static void tick(void *context) {
  collet_loop_wait timer;
  loop->start_timer(host, 0, tick, context, &timer);
}

static int32_t create(const collet_host *given, const collet_create_params *params, void **self) {
  collet_item_def def;
  collet_item item;
  memset(&def, 0, sizeof def);
  host = given;
  loop = host->get_extension(host, COLLET_EXT_LOOP, sizeof COLLET_EXT_LOOP - 1);
  *self = NULL;
  if (params->flags & COLLET_CREATE_PROBE) return COLLET_OK;
  if (!loop) return COLLET_E_UNSUPPORTED;
  def.struct_size = sizeof def;
  def.kind = COLLET_TOOL;
  def.flags = COLLET_ITEM_NONBLOCKING;
  def.name.data = "wait";
  def.name.size = 4;
  loop->post(host, 1, tick, NULL);
  return host->item_add(host, &def, &item);
}

static void destroy(void *self) { (void)self; }

static const collet_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_minor = COLLET_ABI_MINOR,
    .flags = COLLET_PLUGIN_CONCURRENT,
    .id = COLLET_STR("org.example.waiter"),
    .version = COLLET_STR("1.0.0"),
    .create = create,
    .destroy = destroy,
    .call = call,
};

COLLET_EXPORT const collet_plugin *collet_plugin_entry_v1(void) { return &plugin; }
