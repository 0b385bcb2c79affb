/* Writes to stdout wherever it can, in the ways a library does. Its config may ask it to close stdin and stdout, which
 * it does not do in a trial. */
#include <collet/plugin.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const collet_host *host;
static const char kForged[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"forged\":true}}\n";

static void make_noise(void) {
  printf("noise %s", kForged);
  fflush(stdout);
  if (write(1, kForged, sizeof kForged - 1) < 0) return;
  dprintf(STDOUT_FILENO, "more noise\n");
}

__attribute__((constructor)) static void early(void) { make_noise(); }
__attribute__((destructor)) static void late(void) { make_noise(); }

static void *in_thread(void *data) {
  make_noise();
  return data;
}

static int32_t create(const collet_host *given, const collet_create_params *params, void **self) {
  const collet_item_def def = {
      .struct_size = sizeof def, .kind = COLLET_TOOL, .flags = COLLET_ITEM_NONBLOCKING, .name = COLLET_STR("shout")};
  collet_item item;
  (void)self;
  make_noise();
  if (!(params->flags & COLLET_CREATE_PROBE) && params->config.size > 2) {
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
  }
  host = given;
  return host->item_add(host, &def, &item);
}

static void destroy(void *self) {
  (void)self;
  make_noise();
}

static int32_t on_call(void *self, collet_call call, const collet_call_params *params) {
  pthread_t thread;
  (void)self;
  (void)params;
  make_noise();
  if (pthread_create(&thread, NULL, in_thread, NULL) != 0) return COLLET_E_INTERNAL;
  pthread_join(thread, NULL);
  host->add_text(host, call, "done", 4);
  return host->complete(host, call, 0);
}

static const collet_plugin plugin = {.struct_size = sizeof plugin,
                                     .id = COLLET_STR("org.example.noisy"),
                                     .version = COLLET_STR("1.0.0"),
                                     .create = create,
                                     .destroy = destroy,
                                     .call = on_call};

const collet_plugin *collet_plugin_entry_v1(void) { return &plugin; }
