/*
 * collet.remotes.draft/1: a plugin that imports what other MCP servers offer, each of which is a remote.
 *
 * A draft: it may change, and then has another name. What has changed stands in sdk/CHANGES.md.
 *
 * The host finds such a plugin by a symbol that its library exports, without loading it, among the libraries of [plugins] paths and
 * beside its own plugins. It is loaded where the configuration has remotes, or a table for it, and with nothing else for its config
 * than what follows. There is one: of several the first that has a table, else the first by name.
 *
 *   COLLET_IMPORTS_REMOTES;
 *
 * CONFIG  What create() and, with collet.reconfigure/1, reconfigure() are given:
 *   "remotes"         an array of objects, one for each [remote.<name>], in the configuration's order: "name", and the keys that are
 *                     set, as config/collet.toml describes them. The host has checked that they are of the right kind.
 *   "name_bytes_max"  how long names of tools may be
 *   "version"         the host's, for remotes to be told
 *   "used_by"         "server"; "terminal": by a verb that ends soon; "login": a person is to log in to the one remote, by the tools
 *                     "login" and "logout", which the plugin offers then
 *   "keeper"          how to run a remote's command so that all that it starts ends with it and with this process: the words that go
 *                     before the command's own
 *   "remembers"       whether records that the plugin keeps (collet.store.draft/1) outlive this process: it may remember there what
 *                     remotes offer, and offer it before they are up
 *
 * STATUS  What the status() of collet.status/1 hands over: {"remotes":[{…}],"pending":false}, in the same order. "pending": whether
 * one of them may still offer something soon for the first time. "recalling", if it is there: whether the plugin has still to find
 * out what it remembers; a server waits for that, two seconds at most, before it serves. Each remote has "name", "state" ("up",
 * "down", "connecting" or "disabled") and "address" (what is secret in it left out), and where there is one "problem", for people;
 * of what is up "server", "version", "era" and how many "tools", "resources", "templates" and "prompts" it has; "unread": a text for
 * each list that could not be read. Members that the host does not know are shown as they are. Each change is announced by
 * collet_status_watch.
 */
#ifndef COLLET_EXT_DRAFT_REMOTES_H
#define COLLET_EXT_DRAFT_REMOTES_H

#include <collet/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COLLET_EXT_REMOTES "collet.remotes.draft/1"
#define COLLET_REMOTES_SYMBOL "collet_imports_remotes_draft_1"

/* Once, at file scope, in one source of the plugin. The value means nothing. */
#define COLLET_IMPORTS_REMOTES                             \
  COLLET_EXPORT extern const char collet_imports_remotes_draft_1; \
  const char collet_imports_remotes_draft_1 = 1

#ifdef __cplusplus
}
#endif

#endif
