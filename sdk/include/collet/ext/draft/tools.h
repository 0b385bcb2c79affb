/*
 * collet.tools.draft/1: a plugin calls what the host offers: tools, resources and prompts, of other plugins, of remotes, and its
 * own.
 *
 * A draft: it may change, and then has another id. What has changed stands in sdk/CHANGES.md.
 *
 * AS WHOM  An invocation is a call that this plugin makes. Made inside of a call that the plugin runs (`inside_of`), it has that
 * call's caller: the same principal, the same view, the same call_info(). With COLLET_INVOKE_AS_PLUGIN the plugin calls of its
 * own accord, as the principal "plugin:<id>", which sees everything: check what you do so for others. There is no client then:
 * what the item asks is for the plugin to answer, and what it logs is dropped. A plugin in a worker reaches, in both cases, only
 * what plugin.<id>.permissions.items names; without that, nothing.
 *
 * HOW  Arguments and results are held against their schemas, as a client's are. An item runs as a plain call also where it says
 * that it is to be a task. What it needs of a client is not looked at before: what it asks is its outcome. Calls inside of calls
 * are bounded (8 deep in this host); what a plugin calls of its own accord begins anew.
 *
 * THREADS  [answer] is a further tag: a thread of this generation that runs the callbacks of this extension, of collet.registry.draft/1
 * and of others that name it, one after another. It runs beside create(), call() and all others, also in a plugin that is not
 * CONCURRENT: what they share needs a lock. A callback may use the host's functions, end calls and begin invocations. It must not
 * unwind, and must not wait for another one. What takes long is to be handed on.
 *
 * LIFE  Invocations can be made from when create() has returned until the generation ends. Each one for which invoke() has said
 * COLLET_OK ends exactly once, by `ended`, before destroy(); those still under way when the generation ends do so with FAILED.
 * When the call that they are inside of ends, also by suspend(), or is cancelled, what it has left under way is asked to end, as by
 * cancel(): `ended` still comes, perhaps after that call, whose id is stale then.
 *
 * WAITING  Who waits for `ended` must not be [inline] (the host's loop would wait for itself), [answer] or [control]. A plugin to
 * which its own calls may come back, directly or through others, waits in vain once all its executors wait: let it end its
 * call() and answer from `ended`.
 *
 * A create() must succeed without it: in a trial (COLLET_CREATE_PROBE) it is NULL.
 *
 *   const collet_tools *tools = host->get_extension(host, COLLET_EXT_TOOLS, sizeof COLLET_EXT_TOOLS - 1);
 */
#ifndef COLLET_EXT_DRAFT_TOOLS_H
#define COLLET_EXT_DRAFT_TOOLS_H

#include <collet/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_TOOLS "collet.tools.draft/1"

typedef uint64_t collet_invocation; /* never 0, never reused in a generation */

/* How an invocation has ended: collet_outcome.how. More may be added; treat an unknown one as FAILED. */
#define COLLET_OUTCOME_COMPLETED 0u
#define COLLET_OUTCOME_FAILED 1u
#define COLLET_OUTCOME_SUSPENDED 2u

/* collet_invoke_params.flags and collet_list_params.flags */
#define COLLET_INVOKE_AS_PLUGIN (1u << 0) /* inside_of is 0: of the plugin's own accord */

/* A question for the client: need_input() of collet_host takes both as they are. Stays as it is for ever. */
typedef struct collet_question {
  collet_str key;
  collet_str request; /* JSON: {"method":…,"params":…} */
} collet_question;

/* Borrowed until the callback returns (M1). */
typedef struct collet_outcome {
  uint32_t struct_size;
  uint32_t how;       /* COLLET_OUTCOME_* */
  uint32_t is_error;  /* COMPLETED, of a tool: its result says so. Also where arguments or the result do not fit the tool's schema,
                         its deadline has passed, it does not end though it was cancelled, or calls are nested too deeply. */
  int32_t rpc_code;   /* FAILED: an error code of JSON-RPC. -32602: there is no such item, `arguments` are no object, a prompt's do not
                         fit, or `state` is not good. -32603: all else that is the host's, or an item's, to say. */
  collet_invocation invocation;
  collet_call inside_of; /* as it was invoked; it may have ended */
  uint32_t kind;         /* likewise */
  uint32_t reserved;
  collet_str result;  /* COMPLETED: the whole result object as JSON text, of tools/call, resources/read or prompts/get.
                         complete_with() of collet.relay/1 takes it as it is, of a call of the same kind. */
  collet_str message; /* FAILED: for people */
  collet_str data;    /* FAILED: JSON text; absent is possible */
  /* SUSPENDED: the item goes on when it is invoked again, with the same kind, name and arguments (absent is not {}), as the same
   * principal, within 10 minutes, by this host or another with the same server.state_key_file, with an answer for each of these
   * questions and with this state. There may be no questions: then the state alone. The host has sealed it. It may be larger than
   * what suspend() takes: then it cannot be handed on. */
  collet_str state;
  const collet_question *questions;
  size_t question_count;
} collet_outcome;

/* What is to be invoked. */
typedef struct collet_invoke_params {
  uint32_t struct_size;
  uint32_t kind;         /* COLLET_TOOL, _RESOURCE or _PROMPT */
  uint32_t flags;        /* COLLET_INVOKE_* */
  uint32_t reserved;     /* 0 */
  collet_call inside_of; /* a call that this plugin runs */
  uint64_t timeout_ms;   /* 7 days at most; 0: the item's own deadline, or the host's */
  collet_str name;       /* the final name, as clients know it; of a resource its URI, also one of a template */
  collet_str arguments;  /* a JSON object; absent is possible */
  collet_str state;      /* of the outcome that was SUSPENDED; absent: the first round */
  collet_str input_responses; /* with a state: a JSON object, an answer for each question's key. What it leaves out is asked again. */
  void *context;              /* the plugin's; handed to both callbacks, and good until `ended` returns */
  /* [answer] Exactly once, if invoke() has returned COLLET_OK; perhaps before it has. */
  void (*ended)(void *context, const collet_outcome *outcome);
  /* [answer] Optional: how far the item says that it is; total <= 0: unknown. Never after `ended`. What comes faster than it is taken
   * is told as the latest. */
  void (*progress)(void *context, double done, double total, const char *message, size_t message_size);
  void *reserved_pointer; /* NULL */
} collet_invoke_params;

typedef struct collet_tools {
  uint32_t struct_size;
  uint32_t reserved;
  /* [any] Begins an invocation; `out` may be NULL.
   * COLLET_E_INVALID: no such kind, no name, no `ended`; neither a call nor COLLET_INVOKE_AS_PLUGIN, or both; something reserved.
   * COLLET_E_STALE: `inside_of` is no call that this plugin runs.
   * COLLET_E_STATE: that call is cancelled, create() has not returned, or the generation ends.
   * COLLET_E_LIMIT: too many invocations and lists are under way, or the texts are too large.
   * In a worker what only the host knows of these is an outcome, FAILED. All else is the outcome. Do not return these from call()
   * as they are: COLLET_E_STATE has another meaning there. */
  int32_t (*invoke)(const collet_host *host, const collet_invoke_params *params, collet_invocation *out);
  /* [any] Asks that it end soon. `ended` follows. COLLET_E_STALE: it has ended. */
  int32_t (*cancel)(const collet_host *host, collet_invocation invocation);
} collet_tools;

#ifdef __cplusplus
}
#endif

#endif
