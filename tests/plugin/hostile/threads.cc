// A plugin that starts a thread and does not wait for it, one way or another: {"how":"…"}.
#include <collet/plugin.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <string_view>
#include <thread>

namespace {

const collet_host* host;
std::atomic<bool> destroyed{false};
[[maybe_unused]] pthread_key_t key;

// Code of this library, all the time.
void* stay(void*) {
  pthread_setname_np(pthread_self(), "stays");
  for (;;) usleep(1'000);
}

void* start_another(void*) {
  pthread_t id;
  pthread_create(&id, nullptr, stay, nullptr);
  return nullptr;
}

[[maybe_unused]] void linger(void*) { usleep(50'000); }

// Ends some time after destroy(), and runs code of this library until the last moment.
void* end_late(void*) {
#ifndef INLINE  // where keys are made nothing runs on loops
  pthread_key_create(&key, linger);
  pthread_setspecific(key, &key);
#endif
  while (!destroyed) usleep(1'000);
  usleep(100'000);
  pthread_exit(nullptr);
}

bool start(void* (*body)(void*)) {
  pthread_t id;
  return pthread_create(&id, nullptr, body, nullptr) == 0 && pthread_detach(id) == 0;
}

std::int32_t create(const collet_host* given, const collet_create_params* params, void** self) {
  host = given;
  *self = nullptr;
  const std::string_view how(params->config.data, params->config.size);
  const auto is = [&](const char* word) { return how.find(word) != how.npos; };
  if (is("std")) std::thread([] { stay(nullptr); }).detach();
  if (is("nested") && !start(start_another)) return COLLET_E_INTERNAL;
  if (is("late") && !start(end_late)) return COLLET_E_INTERNAL;
  if (is("pthread") && !start(stay)) return COLLET_E_INTERNAL;
#ifdef STAYS
  if (!start(stay)) return COLLET_E_INTERNAL;
#endif
  if (is("fails") && !(params->flags & COLLET_CREATE_PROBE) && start(stay)) return COLLET_E_INVALID;
  collet_item_def def{};
  def.struct_size = sizeof def;
  def.kind = COLLET_TOOL;
  def.flags = COLLET_ITEM_NONBLOCKING;
  def.name = COLLET_STR("start_thread");
  collet_item item;
  return host->item_add(host, &def, &item);
}

void destroy(void*) { destroyed = true; }

std::int32_t call(void*, collet_call id, const collet_call_params*) {
  if (!start(stay)) return COLLET_E_INTERNAL;
  return host->complete(host, id, 0);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const collet_plugin* collet_plugin_entry_v1() {
  static const collet_plugin plugin = [] {
    collet_plugin table{};
    table.struct_size = sizeof table;
    table.id = COLLET_STR("org.example.threads");
    table.version = COLLET_STR("1.0.0");
    table.create = create;
    table.destroy = destroy;
    table.call = call;
    return table;
  }();
  return &plugin;
}
