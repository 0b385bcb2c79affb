/*
 * Collet plugin ABI, major 1: the contract between a plugin (a shared library) and its host.
 *
 * Needs C99 and nothing else. Everything beyond the core is an extension, one header each in
 * collet/ext/, reached through get_extension(). The C++20 layer is collet/plugin.hpp.
 *
 * HOW THIS MAY GROW
 *  - A struct starts with `struct_size`, set by whoever fills it in, and only ever grows at its end. The host
 *    copies min(struct_size, sizeof) of a plugin's struct into a zeroed one; a plugin tests a field of a host's
 *    struct with COLLET_HAS() when it was added after minor 0.
 *  - A plugin says which minor it was built with and which it needs (abi_minor, abi_minor_min). It loads if and
 *    only if abi_minor_min <= the host's minor.
 *  - A released slot never changes its meaning and never becomes NULL. New major: new entry symbol.
 *  - Zero is the safe default of every flag and every reserved word.
 *
 * THREADS, one tag on every function
 *  [control]   the control thread of this generation (one loaded incarnation of the plugin)
 *  [executor]  a thread of this generation; one call at a time unless the plugin is CONCURRENT
 *  [inline]    the host's loop thread; only calls of items flagged NONBLOCKING
 *  [any]       any thread, also the plugin's own
 *
 * MEMORY, three rules
 *  M1  What a function receives is borrowed until that function returns. Copy what must live longer.
 *  M2  What collet_plugin_entry_v1() returns is immutable and stays valid until the library is unloaded.
 *  M3  Only blobs change owner: they are host memory, filled in place and given back by add_blob or blob_drop.
 *
 * UNWINDING  No C++ exception, Rust panic or longjmp may cross any function here, in either direction.
 *
 * TEXT  is UTF-8 with a length, never required to end in NUL. "JSON" is RFC 8259 text. What a plugin says and is not
 * UTF-8 has U+FFFD where it is not; names, keys and URIs must be UTF-8.
 *
 * TRUST  A plugin that is loaded in-process shares the host's memory and rights. Only a worker process confines.
 */
#ifndef COLLET_PLUGIN_H
#define COLLET_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_ABI_MAJOR 1
#define COLLET_ABI_MINOR 0

#if defined(_WIN32)
#define COLLET_EXPORT __declspec(dllexport)
#else
#define COLLET_EXPORT __attribute__((visibility("default")))
#endif

/* True if `table`, a `type` filled in by the other side, is long enough to hold `field`, and the field is set. */
#define COLLET_HAS(table, type, field) \
  ((table)->struct_size >= offsetof(type, field) + sizeof((table)->field) && (table)->field)
/* The same of a collet_str: it is there, and not absent. */
#define COLLET_HAS_STR(table, type, field) \
  ((table)->struct_size >= offsetof(type, field) + sizeof((table)->field) && (table)->field.data)

/* A string literal as a collet_str initializer: `.id = COLLET_STR("org.example.echo")`. */
#define COLLET_STR(literal) {(literal), sizeof(literal) - 1}

typedef struct collet_str {
  const char *data; /* NULL: absent, which is not the same as empty */
  size_t size;      /* bytes */
} collet_str;

typedef uint64_t collet_call; /* one invocation; slot and generation, never 0, never reused while anyone may hold it */
typedef uint64_t collet_item; /* one registered item of this generation, never 0 */
typedef uint64_t collet_blob; /* one buffer of host memory, never 0 */

/* Status of every function that can fail: 0 or one of these. Hosts and plugins treat an unknown negative
 * number as COLLET_E_INTERNAL. */
#define COLLET_OK 0
#define COLLET_E_INVALID (-1)     /* an argument is malformed: bad JSON, bad UTF-8, NULL, unknown kind */
#define COLLET_E_STALE (-2)       /* the id names nothing: the call has ended, the item or blob is gone */
#define COLLET_E_LIMIT (-3)       /* a limit of the host was hit: size, count, depth, memory */
#define COLLET_E_STATE (-4)       /* not now; from call(): `state` is not understood, start again at round 0 */
#define COLLET_E_INTERNAL (-5)    /* a bug or a caught exception */
#define COLLET_E_UNSUPPORTED (-6) /* this host, client or plugin cannot do that */
#define COLLET_E_DUPLICATE (-7)   /* this generation already registered that name */

/* Kinds of items (collet_item_def.kind) and of calls (collet_call_params.kind). */
#define COLLET_TOOL 1u
#define COLLET_RESOURCE 2u          /* as a call: a resource or a template is read */
#define COLLET_RESOURCE_TEMPLATE 3u /* items only */
#define COLLET_PROMPT 4u
#define COLLET_COMPLETE 5u /* calls only: completion of an argument of a prompt or template */

/* collet_item_def.flags */
#define COLLET_ITEM_NONBLOCKING (1u << 0)   /* call() returns within microseconds: may run [inline] */
#define COLLET_ITEM_IDEMPOTENT (1u << 1)    /* running it twice does no more than running it once */
#define COLLET_ITEM_TASK_OPTIONAL (1u << 2) /* may run as a task where the client asks for it */
#define COLLET_ITEM_TASK_REQUIRED (1u << 3) /* runs as a task only */
#define COLLET_ITEM_NEEDS_ELICITATION (1u << 4) /* refused to clients without that capability */
#define COLLET_ITEM_NEEDS_SAMPLING (1u << 5)
#define COLLET_ITEM_NEEDS_ROOTS (1u << 6)
#define COLLET_ITEM_TASK_AFTER_INPUT (1u << 7) /* asks first: the task begins with the round that has the answers */
#define COLLET_ITEM_UNCHECKED (1u << 8)     /* a tool that passes its arguments on to who checks them: the host does not */

/* collet_plugin.flags */
#define COLLET_PLUGIN_CONCURRENT (1u << 0)   /* call() may run on several executors at once; else one at a time */
#define COLLET_PLUGIN_NEVER_UNLOAD (1u << 1) /* its library must stay mapped once loaded */
#define COLLET_PLUGIN_WORKER_ONLY (1u << 2)  /* never in-process */
#define COLLET_PLUGIN_EXCLUSIVE (1u << 3)    /* cannot exist twice at a time, not even as the next generation */

/* collet_create_params.flags */
#define COLLET_CREATE_PROBE (1u << 0)    /* a trial in a throw-away process: register items, touch nothing outside */
#define COLLET_CREATE_ISOLATED (1u << 1) /* this generation lives in a worker process */

/* Severities of log(), RFC 5424. */
#define COLLET_LOG_EMERGENCY 0u
#define COLLET_LOG_ALERT 1u
#define COLLET_LOG_CRITICAL 2u
#define COLLET_LOG_ERROR 3u
#define COLLET_LOG_WARNING 4u
#define COLLET_LOG_NOTICE 5u
#define COLLET_LOG_INFO 6u
#define COLLET_LOG_DEBUG 7u

/* Why a call is asked to stop: `reason` of collet_plugin.cancel. More may be added; treat an unknown one as CLIENT. */
#define COLLET_CANCEL_CLIENT 1u   /* the client cancelled or left */
#define COLLET_CANCEL_DEADLINE 2u /* its time is over; the client has been answered */
#define COLLET_CANCEL_SHUTDOWN 3u /* the host ends, or this generation is replaced */

/* An item, as a plugin registers it. */
typedef struct collet_item_def {
  uint32_t struct_size;
  uint32_t kind;         /* COLLET_TOOL, _RESOURCE, _RESOURCE_TEMPLATE or _PROMPT */
  uint32_t flags;        /* COLLET_ITEM_* */
  uint32_t timeout_ms;   /* a call's deadline; 0: the host's default */
  void *user;            /* handed back as collet_call_params.item_user; stays usable until destroy(), as a call may
                            still be on its way when its item is removed */
  collet_str name;       /* a tool's or prompt's name, a resource's URI, a template's RFC 6570 text */
  collet_str definition; /* the rest of its MCP object as JSON: description, inputSchema, annotations, _meta, …
                            Served byte for byte, but for members that MCP's schema does not allow: they are left
                            out. Absent: {}. A tool without inputSchema takes any object. */
} collet_item_def;

/* One invocation, as a plugin receives it. */
typedef struct collet_call_params {
  uint32_t struct_size;
  uint32_t kind;          /* COLLET_TOOL, _RESOURCE, _PROMPT or _COMPLETE */
  collet_item item;       /* which of this plugin's items */
  uint64_t deadline_ms;   /* time left; 0: no deadline */
  uint32_t round;         /* 0 at first; +1 each time the call comes back with input_responses */
  uint32_t state_version; /* as given to suspend() */
  void *item_user;        /* collet_item_def.user */
  collet_str name;        /* as registered; for a resource: the URI that is read */
  collet_str arguments;   /* JSON exactly as the client sent it, valid for inputSchema (unless UNCHECKED); absent is possible.
                             COMPLETE: {"argument":{"name","value"},"context":{…}} */
  collet_str variables;   /* of a URI template: JSON object of strings */
  collet_str input_responses; /* round > 0: JSON object with a response for each need_input key: of the shape that MCP
                                 gives the answer to that request, a form's content valid for its requestedSchema */
  collet_str state;           /* round > 0: what suspend() was given, authentic and unaltered */
} collet_call_params;

typedef struct collet_create_params {
  uint32_t struct_size;
  uint32_t flags;               /* COLLET_CREATE_* */
  uint64_t generation;          /* 1 for the first incarnation in this host, then counting up */
  collet_str config;            /* [plugin.<id>.config] as a JSON object; {} if there is none */
  collet_str prior_state;       /* what the generation before handed over; absent if nothing */
  uint32_t prior_state_version;
  uint32_t reserved;
} collet_create_params;

/* What the host offers: one table a generation, valid from create() until destroy() returns. Every function is
 * [any], returns at once and never calls back into the plugin. `host` is the table's own address. */
typedef struct collet_host collet_host;
struct collet_host {
  uint32_t struct_size;
  uint32_t abi_minor; /* of the host */
  void *host_data;    /* the host's own */

  /* Items. What is added or removed is staged; items_commit() makes all of it visible in one step. What create()
   * stages is committed when create() returns OK. */
  int32_t (*item_add)(const collet_host *host, const collet_item_def *def, collet_item *out);
  int32_t (*item_remove)(const collet_host *host, collet_item item);
  int32_t (*items_commit)(const collet_host *host);
  int32_t (*resource_updated)(const collet_host *host, const char *uri, size_t uri_size);

  /* The result of a call, built piece by piece; bytes are copied. The first error sticks and fails the call.
   *            TOOL                RESOURCE                  PROMPT              COMPLETE
   * add_text   a text block        text of the URI read      a user message      one value
   * add_json   a content block     a contents object         a message object    –
   * add_blob   "image", "audio",   bytes of the URI read     –                   –
   *            "resource" block    (type is ignored)
   * A text read has the mimeType of the item's definition; so has a blob given without one.
   * The blob is taken in any case, also on error. */
  int32_t (*add_text)(const collet_host *host, collet_call call, const char *text, size_t text_size);
  int32_t (*add_json)(const collet_host *host, collet_call call, const char *json, size_t json_size);
  int32_t (*add_blob)(const collet_host *host, collet_call call, const char *type, size_t type_size,
                      const char *mime, size_t mime_size, collet_blob blob);
  int32_t (*set_structured)(const collet_host *host, collet_call call, const char *json, size_t json_size);
  int32_t (*set_meta)(const collet_host *host, collet_call call, const char *json, size_t json_size);
  /* One more member of the result object, such as a prompt's "description" or a resource's "ttlMs". */
  int32_t (*set_field)(const collet_host *host, collet_call call, const char *key, size_t key_size,
                       const char *json, size_t json_size);

  /* The end of a call: exactly one of these, exactly once. After it the id is stale. */
  int32_t (*complete)(const collet_host *host, collet_call call, uint32_t is_error);
  int32_t (*fail)(const collet_host *host, collet_call call, int32_t rpc_code, const char *message,
                  size_t message_size, const char *data_json, size_t data_json_size);
  /* Ends this round: the host asks the client for every need_input() of it, and then calls again with round + 1, the
   * responses and `state`. Nothing of the call stays in memory in between; `state` is sealed, not secret to clients
   * of the same principal. state_version lets a later build recognise what an earlier one wrote. */
  int32_t (*suspend)(const collet_host *host, collet_call call, const char *state, size_t state_size,
                     uint32_t state_version);
  /* Before suspend(): one MCP request {"method":…,"params":…} for elicitation/create, sampling/createMessage or
   * roots/list, under a key of the plugin's choice. */
  int32_t (*need_input)(const collet_host *host, collet_call call, const char *key, size_t key_size,
                        const char *request_json, size_t request_json_size);

  /* While a call runs. `done` must increase, or it is not sent; total <= 0: unknown. log: call may be 0 for the plugin itself. */
  int32_t (*progress)(const collet_host *host, collet_call call, double done, double total, const char *message,
                      size_t message_size);
  int32_t (*log)(const collet_host *host, collet_call call, uint32_t level, const char *logger, size_t logger_size,
                 const char *data_json, size_t data_json_size);
  int32_t (*is_cancelled)(const collet_host *host, collet_call call); /* 1, 0 or an error */

  /* What is known of the caller; *out is borrowed until the call ends, absent if unknown. Keys: "protocolVersion",
   * "era" ("modern", "legacy"), "transport" ("http", "stdio", "cli"; "plugin": one of its own accord), "principal" (who calls, as the configuration names
   * them; absent: nobody in particular), "tenant" (whose principal it is), "scopes" (a JSON array of what the principal
   * was given; absent: nobody was asked), "session", "clientInfo" (JSON),
   * "clientCapabilities" (JSON), "logLevel", "_meta" (JSON), "header:<name>" (of an HTTP request, where the
   * configuration has it kept for a plugin to hand on), "headers" (all of those but Authorization, a JSON
   * object by name). In a worker only these are known. */
  int32_t (*call_info)(const collet_host *host, collet_call call, const char *key, size_t key_size, collet_str *out);

  int32_t (*blob_new)(const collet_host *host, size_t size, collet_blob *out, void **data);
  int32_t (*blob_drop)(const collet_host *host, collet_blob blob);

  /* An extension's table by its id, such as "collet.kv/1", or NULL. Valid as long as this table. */
  const void *(*get_extension)(const collet_host *host, const char *id, size_t id_size);
};

/* What a plugin offers. */
typedef struct collet_plugin {
  uint32_t struct_size;
  uint32_t abi_minor;       /* COLLET_ABI_MINOR of the header it was built with */
  uint32_t abi_minor_min;   /* the oldest host it works with */
  uint32_t flags;           /* COLLET_PLUGIN_* */
  uint32_t max_concurrency; /* executors it wants if CONCURRENT; 0: the host's default */
  uint32_t reserved;
  collet_str id;      /* reverse-DNS, [a-z0-9.-]: the plugin's identity, "org.example.math" */
  collet_str version; /* semantic version */
  collet_str info;    /* JSON object or absent: title, description, vendor, license, configSchema (JSON Schema of what
                       * create is given as config, which is checked before; its defaults are not filled in) */

  /* [control] Registers items, starts what must run. On error nothing may be left behind; destroy is not called, and what
   * was logged last as an error, of no call, is told as the reason. */
  int32_t (*create)(const collet_host *host, const collet_create_params *params, void **self);
  /* [control] After the last call has ended. Leaves no thread, timer, signal handler or TLS key. */
  void (*destroy)(void *self);
  /* [executor|inline] OK: the plugin ends `call`, now or later, on any thread. Negative: the host ends it, and the
   * plugin no longer uses the id. UNSUPPORTED of a COMPLETE: there are no values. */
  int32_t (*call)(void *self, collet_call call, const collet_call_params *params);
  /* [any] Optional; must not block. Asks that `call` end soon. The plugin still has to end it; it may already have. */
  void (*cancel)(void *self, collet_call call, uint32_t reason);
  /* [control] Optional: no new calls will come; finish within deadline_ms what runs in the background. */
  int32_t (*quiesce)(void *self, uint32_t deadline_ms);
  /* [any] Optional: what the plugin offers beyond this table, by id; NULL if it does not. */
  const void *(*get_extension)(const char *id, size_t id_size);
} collet_plugin;

/* The one symbol that a plugin exports. [any] Pure: no side effects, the same address each time, never NULL. */
COLLET_EXPORT const collet_plugin *collet_plugin_entry_v1(void);

#define COLLET_ENTRY_SYMBOL "collet_plugin_entry_v1"

#ifdef __cplusplus
}
#endif

#endif
