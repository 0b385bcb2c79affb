/* Results and definitions that are awkward to print, each as far as the host takes it. */
#include <collet/plugin.h>
#include <stdint.h>
#include <string.h>

enum { DEPTH_MAX = 120, BUFFER_MAX = 4096, DEEP, DEEP_STRUCTURED, STEERS, PICTURE, DEFINED_DEEPLY, STAYS, TAKES };

static const collet_host *host;

/* `before`, objects in one another down to the depth limit, and `after`; what stands around them is one level. */
static size_t nested(char *to, const char *before, const char *after) {
  char *end = to + strlen(strcpy(to, before));
  for (int i = 0; i < DEPTH_MAX - 2; ++i) end += strlen(strcpy(end, "{\"a\":"));
  end += strlen(strcpy(end, "{}"));
  for (int i = 0; i < DEPTH_MAX - 2; ++i) *end++ = '}';
  return (size_t)(end - to) + strlen(strcpy(end, after));
}

static int32_t add_item(uint32_t kind, const char *name, uintptr_t which, const char *definition, size_t size) {
  const collet_item_def def = {.struct_size = sizeof def, .kind = kind, .user = (void *)which,
                               .name = {name, strlen(name)}, .definition = {definition, size}};
  collet_item item;
  return host->item_add(host, &def, &item);
}

static int32_t add(const char *name, uintptr_t which, const char *definition, size_t size) {
  return add_item(COLLET_TOOL, name, which, definition, size);
}

static int32_t create(const collet_host *given, const collet_create_params *params, void **self) {
  static const char kTakes[] = "{\"inputSchema\":{\"type\":\"object\",\"properties\":{\"v\":{\"items\":{\"minimum\":0}}}}}";
  static const char kAsks[] = "{\"arguments\":[{\"name\":\"a\"}]}";
  char definition[BUFFER_MAX];
  (void)params;
  (void)self;
  host = given;
  int32_t status = add("deep", DEEP, NULL, 0);
  if (status == COLLET_OK) status = add("deep_structured", DEEP_STRUCTURED, NULL, 0);
  if (status == COLLET_OK) status = add("steers", STEERS, NULL, 0);
  if (status == COLLET_OK) status = add("picture", PICTURE, NULL, 0);
  if (status == COLLET_OK) status = add("stays", STAYS, NULL, 0);
  if (status == COLLET_OK) status = add_item(COLLET_RESOURCE, "awkward:stays", STAYS, NULL, 0);
  if (status == COLLET_OK) status = add_item(COLLET_PROMPT, "stays", STAYS, kAsks, sizeof kAsks - 1);
  if (status == COLLET_OK) status = add("takes", TAKES, kTakes, sizeof kTakes - 1);
  if (status != COLLET_OK) return status;
  const size_t size = nested(definition, "{\"description\":\"Nested as deeply as is allowed\",\"_meta\":", "}");
  return add("defined_deeply", DEFINED_DEEPLY, definition, size);
}

static void destroy(void *self) { (void)self; }

static int32_t on_call(void *self, collet_call call, const collet_call_params *params) {
  static const char kSteers[] = "\x1b]0;title\a a\0b \xc2\x9b\tc\r\nd\r";
  static const char kPicture[] = "{\"type\":\"image\",\"data\":\"QUJD\",\"mimeType\":\"image/png\"}";
  char json[BUFFER_MAX];
  (void)self;
  switch ((uintptr_t)params->item_user) {
    case DEEP:
      host->add_json(host, call, json, nested(json, "{\"type\":\"text\",\"text\":\"deep\",\"_meta\":", "}"));
      break;
    case DEEP_STRUCTURED:
      host->set_structured(host, call, json, nested(json, "{\"a\":", "}"));
      break;
    case STEERS:
      host->add_text(host, call, kSteers, sizeof kSteers - 1);
      break;
    case PICTURE:
      host->add_json(host, call, kPicture, sizeof kPicture - 1);
      break;
    case STAYS: /* until the end of the process, whoever asks it to stop */
      return COLLET_OK;
    default:
      break;
  }
  return host->complete(host, call, 0);
}

static const collet_plugin plugin = {.struct_size = sizeof plugin,
                                     .id = COLLET_STR("org.example.awkward"),
                                     .version = COLLET_STR("1.0.0"),
                                     .create = create,
                                     .destroy = destroy,
                                     .call = on_call};

const collet_plugin *collet_plugin_entry_v1(void) { return &plugin; }
