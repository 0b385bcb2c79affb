// The layout that released plugins were built with (LP64): a change here breaks them all.
#include <collet/plugin.h>

#include "support/catch.h"

namespace {

#define AT(type, field, offset) static_assert(offsetof(type, field) == offset)

#if INTPTR_MAX == INT64_MAX
AT(collet_str, data, 0);
AT(collet_str, size, 8);
static_assert(sizeof(collet_str) == 16);

AT(collet_item_def, struct_size, 0);
AT(collet_item_def, kind, 4);
AT(collet_item_def, flags, 8);
AT(collet_item_def, timeout_ms, 12);
AT(collet_item_def, user, 16);
AT(collet_item_def, name, 24);
AT(collet_item_def, definition, 40);
static_assert(sizeof(collet_item_def) == 56);

AT(collet_call_params, struct_size, 0);
AT(collet_call_params, kind, 4);
AT(collet_call_params, item, 8);
AT(collet_call_params, deadline_ms, 16);
AT(collet_call_params, round, 24);
AT(collet_call_params, state_version, 28);
AT(collet_call_params, item_user, 32);
AT(collet_call_params, name, 40);
AT(collet_call_params, arguments, 56);
AT(collet_call_params, variables, 72);
AT(collet_call_params, input_responses, 88);
AT(collet_call_params, state, 104);
static_assert(sizeof(collet_call_params) == 120);

AT(collet_create_params, struct_size, 0);
AT(collet_create_params, flags, 4);
AT(collet_create_params, generation, 8);
AT(collet_create_params, config, 16);
AT(collet_create_params, prior_state, 32);
AT(collet_create_params, prior_state_version, 48);
AT(collet_create_params, reserved, 52);
static_assert(sizeof(collet_create_params) == 56);

AT(collet_host, struct_size, 0);
AT(collet_host, abi_minor, 4);
AT(collet_host, host_data, 8);
AT(collet_host, item_add, 16);
AT(collet_host, item_remove, 24);
AT(collet_host, items_commit, 32);
AT(collet_host, resource_updated, 40);
AT(collet_host, add_text, 48);
AT(collet_host, add_json, 56);
AT(collet_host, add_blob, 64);
AT(collet_host, set_structured, 72);
AT(collet_host, set_meta, 80);
AT(collet_host, set_field, 88);
AT(collet_host, complete, 96);
AT(collet_host, fail, 104);
AT(collet_host, suspend, 112);
AT(collet_host, need_input, 120);
AT(collet_host, progress, 128);
AT(collet_host, log, 136);
AT(collet_host, is_cancelled, 144);
AT(collet_host, call_info, 152);
AT(collet_host, blob_new, 160);
AT(collet_host, blob_drop, 168);
AT(collet_host, get_extension, 176);
static_assert(sizeof(collet_host) == 184);

AT(collet_plugin, struct_size, 0);
AT(collet_plugin, abi_minor, 4);
AT(collet_plugin, abi_minor_min, 8);
AT(collet_plugin, flags, 12);
AT(collet_plugin, max_concurrency, 16);
AT(collet_plugin, reserved, 20);
AT(collet_plugin, id, 24);
AT(collet_plugin, version, 40);
AT(collet_plugin, info, 56);
AT(collet_plugin, create, 72);
AT(collet_plugin, destroy, 80);
AT(collet_plugin, call, 88);
AT(collet_plugin, cancel, 96);
AT(collet_plugin, quiesce, 104);
AT(collet_plugin, get_extension, 112);
static_assert(sizeof(collet_plugin) == 120);
#endif

}  // namespace

TEST_CASE("COLLET_HAS sees what the other side filled in") {
  collet_host host = {};
  host.struct_size = offsetof(collet_host, item_remove);
  host.item_add = [](const collet_host*, const collet_item_def*, collet_item*) { return COLLET_OK; };
  host.item_remove = [](const collet_host*, collet_item) { return COLLET_OK; };
  CHECK(COLLET_HAS(&host, collet_host, item_add));
  CHECK_FALSE(COLLET_HAS(&host, collet_host, item_remove));
  host.struct_size += sizeof host.item_remove;
  CHECK(COLLET_HAS(&host, collet_host, item_remove));
  CHECK_FALSE(COLLET_HAS(&host, collet_host, items_commit));
  host.item_add = nullptr;
  CHECK_FALSE(COLLET_HAS(&host, collet_host, item_add));
}
