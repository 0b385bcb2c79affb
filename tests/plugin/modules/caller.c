/* A plugin that lists and calls what others offer.
 *   "call" {"name":"other","arguments":{…},"as":"plugin","kind":"resource","timeout":9}  answers as the other does, if that is a
 *              tool, else with the result as a text; all but `name` is optional
 *   "leave" {"name":"other"}    begins a call and ends without waiting for it
 *   "list" {"after":"name","max":9,"as":"plugin"}    a page of the tools
 *   "heard"    {"revision":…,"ended":…}: the last change that it has heard of, and how many calls of its own have ended */
#include <collet/ext/draft/registry.h>
#include <collet/ext/draft/tools.h>
#include <collet/ext/relay.h>
#include <collet/json.h>
#include <stdatomic.h>
#include <stdio.h>

static const collet_host *host;
static const collet_tools *tools;
static const collet_registry *registry;
static const collet_relay *relay;
static _Atomic uint64_t revision;
static atomic_uint ended;

enum { CALL, LEAVE, LIST, HEARD };

struct caller {
  collet_call call;
};

static void on_progress(void *context, double done, double total, const char *message, size_t size) {
  host->progress(host, ((struct caller *)context)->call, done, total, message, size);
}

static void on_end(void *context, const collet_outcome *outcome) {
  const collet_call call = ((struct caller *)context)->call;
  size_t i;
  atomic_fetch_add(&ended, 1);
  if (outcome->how == COLLET_OUTCOME_COMPLETED && outcome->kind != COLLET_TOOL) {
    host->add_text(host, call, outcome->result.data, outcome->result.size); /* of what is no tool */
    host->complete(host, call, 0);
  } else if (outcome->how == COLLET_OUTCOME_COMPLETED) {
    relay->complete_with(host, call, outcome->result.data, outcome->result.size);
  } else if (outcome->how == COLLET_OUTCOME_FAILED) {
    host->fail(host, call, outcome->rpc_code, outcome->message.data, outcome->message.size, outcome->data.data,
               outcome->data.size);
  } else {
    for (i = 0; i < outcome->question_count; ++i) {
      const collet_question *question = &outcome->questions[i];
      host->need_input(host, call, question->key.data, question->key.size, question->request.data, question->request.size);
    }
    host->suspend(host, call, outcome->state.data, outcome->state.size, 0);
  }
  free(context);
}

static void on_list(void *context, int32_t status, const char *json, size_t size) {
  const collet_call call = ((struct caller *)context)->call;
  free(context);
  if (status < 0) {
    host->fail(host, call, -32603, "no list", 7, NULL, 0);
  } else {
    host->add_text(host, call, json, size);
    host->complete(host, call, 0);
  }
}

static void on_change(void *context, const collet_change *change) {
  (void)context;
  atomic_store(&revision, change->revision);
}

static struct caller *caller_of(collet_call call) {
  struct caller *caller = malloc(sizeof *caller);
  caller->call = call;
  return caller;
}

static collet_str text_of(collet_str arguments, const char *key) {
  collet_json_value value;
  collet_str text = {NULL, 0};
  if (arguments.data && collet_json_find(arguments, key, &value) == 1) {
    text.data = value.data;
    text.size = value.size;
  }
  return text;
}

static int64_t number_of(collet_str arguments, const char *key) {
  collet_json_value value;
  int64_t number = 0;
  if (arguments.data && collet_json_find(arguments, key, &value) == 1) collet_json_int64(&value, &number);
  return number;
}

static int32_t invoke(collet_call call, const collet_call_params *params, int leaves) {
  collet_invoke_params wanted;
  collet_invocation out;
  const collet_str kind = text_of(params->arguments, "kind");
  int32_t status;
  memset(&wanted, 0, sizeof wanted);
  wanted.struct_size = sizeof wanted;
  wanted.kind = !kind.data ? COLLET_TOOL : *kind.data == 'r' ? COLLET_RESOURCE : COLLET_PROMPT;
  if (text_of(params->arguments, "as").data) wanted.flags = COLLET_INVOKE_AS_PLUGIN;
  else wanted.inside_of = call;
  wanted.timeout_ms = (uint64_t)number_of(params->arguments, "timeout");
  wanted.name = text_of(params->arguments, "name");
  wanted.arguments = text_of(params->arguments, "arguments");
  if (params->round > 0) {
    wanted.state = params->state;
    wanted.input_responses = params->input_responses;
  }
  wanted.context = caller_of(call);
  wanted.ended = on_end;
  wanted.progress = on_progress;
  status = tools->invoke(host, &wanted, &out);
  if (status < 0) {
    free(wanted.context);
    return status == COLLET_E_STATE ? COLLET_E_INTERNAL : status; /* which means something else there */
  }
  return leaves ? host->complete(host, call, 0) : COLLET_OK;
}

static int32_t list(collet_call call, const collet_call_params *params) {
  collet_list_params wanted;
  memset(&wanted, 0, sizeof wanted);
  wanted.struct_size = sizeof wanted;
  wanted.kind = COLLET_TOOL;
  if (text_of(params->arguments, "as").data) wanted.flags = COLLET_INVOKE_AS_PLUGIN;
  else wanted.inside_of = call;
  wanted.after = text_of(params->arguments, "after");
  wanted.max = (uint32_t)number_of(params->arguments, "max");
  wanted.context = caller_of(call);
  wanted.listed = on_list;
  return registry->list(host, &wanted) < 0 ? COLLET_E_INTERNAL : COLLET_OK;
}

static int32_t heard(collet_call call) {
  char text[96];
  const int size = snprintf(text, sizeof text, "{\"revision\":%llu,\"ended\":%u}",
                            (unsigned long long)atomic_load(&revision), atomic_load(&ended));
  host->add_text(host, call, text, (size_t)size);
  return host->complete(host, call, 0);
}

static int32_t call(void *self, collet_call id, const collet_call_params *params) {
  (void)self;
  switch ((intptr_t)params->item_user) {
    case LIST:
      return list(id, params);
    case HEARD:
      return heard(id);
    default:
      return invoke(id, params, (intptr_t)params->item_user == LEAVE);
  }
}

static int32_t create(const collet_host *given, const collet_create_params *params, void **self) {
  static const char *const names[] = {"call", "leave", "list", "heard"};
  intptr_t i;
  host = given;
  tools = host->get_extension(host, COLLET_EXT_TOOLS, sizeof COLLET_EXT_TOOLS - 1);
  registry = host->get_extension(host, COLLET_EXT_REGISTRY, sizeof COLLET_EXT_REGISTRY - 1);
  relay = host->get_extension(host, COLLET_EXT_RELAY, sizeof COLLET_EXT_RELAY - 1);
  *self = NULL;
  for (i = 0; i < 4; ++i) {
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
  if (params->flags & COLLET_CREATE_PROBE) return COLLET_OK;
  if (!tools || !registry) return COLLET_E_UNSUPPORTED;
  { /* not yet: nobody could answer */
    collet_invoke_params early;
    collet_invocation out;
    memset(&early, 0, sizeof early);
    early.struct_size = sizeof early;
    early.kind = COLLET_TOOL;
    early.name.data = "echo";
    early.name.size = 4;
    early.ended = on_end;
    if (tools->invoke(host, &early, &out) != COLLET_E_INVALID) return COLLET_E_INTERNAL; /* for nobody */
    early.flags = COLLET_INVOKE_AS_PLUGIN;
    if (tools->invoke(host, &early, &out) != COLLET_E_STATE) return COLLET_E_INTERNAL;
    early.inside_of = 1;
    if (tools->invoke(host, &early, &out) != COLLET_E_INVALID) return COLLET_E_INTERNAL; /* for two */
    early.flags = 0;
    if (tools->invoke(host, &early, &out) != COLLET_E_STALE) return COLLET_E_INTERNAL;
  }
  {
    collet_watch_params watch;
    memset(&watch, 0, sizeof watch);
    watch.struct_size = sizeof watch;
    watch.changed = on_change;
    return registry->watch(host, &watch);
  }
}

static void destroy(void *self) { (void)self; }

static const collet_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_minor = COLLET_ABI_MINOR,
    .id = COLLET_STR("org.example.caller"),
    .version = COLLET_STR("1.0.0"),
    .create = create,
    .destroy = destroy,
    .call = call,
};

COLLET_EXPORT const collet_plugin *collet_plugin_entry_v1(void) { return &plugin; }
