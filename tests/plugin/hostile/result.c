/* A plugin whose tool breaks every rule of ending a call, and checks that the host says so. */
#include <collet/plugin.h>
#include <stdlib.h>
#include <string.h>

static const collet_host* host;
static collet_call earlier;

static void expect(int32_t status, int32_t wanted) {
  if (status != wanted) abort();
}

static int32_t create(const collet_host* given, const collet_create_params* params, void** self) {
  collet_item item;
  collet_item_def def;
  (void)params;
  (void)self;
  host = given;
  memset(&def, 0, sizeof def);
  def.struct_size = sizeof def;
  def.kind = COLLET_TOOL;
  def.flags = COLLET_ITEM_NONBLOCKING;
  def.name.data = "misbehave";
  def.name.size = 9;
  return host->item_add(host, &def, &item);
}

static void destroy(void* self) { (void)self; }

static int32_t on_call(void* self, collet_call call, const collet_call_params* params) {
  static const char huge[] = "x";
  (void)self;
  (void)params;
  if (earlier) expect(host->complete(host, earlier, 0), COLLET_E_STALE);
  earlier = call;
  expect(host->complete(host, call ^ 1, 0), COLLET_E_STALE);
  expect(host->add_text(host, call, huge, (size_t)1 << 30), COLLET_E_LIMIT);
  expect(host->complete(host, call, 0), COLLET_OK);
  expect(host->complete(host, call, 0), COLLET_E_STALE);
  expect(host->add_text(host, call, "x", 1), COLLET_E_STALE);
  return COLLET_E_INTERNAL; /* after it has ended the call: too late to count */
}

static const collet_plugin plugin = {
    .struct_size = sizeof(collet_plugin),
    .id = COLLET_STR("org.example.result"),
    .version = COLLET_STR("1.0.0"),
    .create = create,
    .destroy = destroy,
    .call = on_call,
};

const collet_plugin* collet_plugin_entry_v1(void) { return &plugin; }
