// The instance of a plugin: its image, its table, what create() has made, and the table's functions, called with that.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "collet/ext/draft/http.h"
#include "plugin/abi/structs.h"
#include "plugin/load/image.h"
#include "plugin/run/call_table.h"
#include "plugin/run/own_threads.h"
#include "registry/item.h"

namespace collet::plugin {

// The control thread sets what others read, before the first call, and after the last one.
class Instance {
 public:
  // `own_threads` is borrowed: the threads that the plugin's code starts.
  Instance(std::unique_ptr<Image> image, OwnThreads& own_threads)
      : own_threads_(own_threads), image_(std::move(image)) {}
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  Image& image() { return *image_; }
  const Image& image() const { return *image_; }
  bool in_worker() const { return image_->isolated(); }

  // [control thread] Has the image bring the plugin up to where create() can be called.
  Result<void> open();
  // After open().
  const PluginTable& table() const { return table_; }
  bool has_flag(std::uint32_t flag) const { return (table_.functions.flags & flag) != 0; }
  // [control thread] What the plugin's create() has returned; an error if it has thrown.
  Result<std::int32_t> create(const collet_host& host, const collet_create_params& params);
  // [control thread] After end_telling(), when no other thread runs the plugin's code.
  void destroy();
  // Whether create() has made an instance that is not destroyed yet.
  bool created() const { return created_; }

  // Between create() and destroy(), on any thread.

  // The calling thread runs the plugin's code as long as what is returned lives.
  [[nodiscard]] OwnThreads::Inside enter(const crash::Within& within) const {
    return OwnThreads::Inside(&own_threads_, within);
  }
  // What create() has made, for functions of the plugin's.
  void* self() const { return self_; }
  // Runs the plugin's call(). After enter().
  std::int32_t call(CallId id, const collet_call_params& params) const {
    return table_.functions.call(self_, id, &params);
  }
  // Tell the plugin, if it wants to know, until end_telling() is called.
  void tell_cancelled(CallId id, registry::CancelReason reason);
  void tell_taken(CallId id, std::size_t bytes);
  void tell_body(CallId id);
  // When this has returned nothing is told any more.
  void end_telling();
  // A copy of what the plugin offers under that id, if it does.
  template <class Extension>
  std::optional<Extension> extension(std::string_view id) const {
    const OwnThreads::Inside inside = enter({"its get_extension()"});
    const auto* given = static_cast<const Extension*>(image_->get_extension(id));
    if (!given || given->struct_size < sizeof(std::uint32_t)) return std::nullopt;
    return copy_struct(*given);
  }

 private:
  OwnThreads& own_threads_;
  const std::unique_ptr<Image> image_;
  PluginTable table_;
  void* self_ = nullptr;
  bool created_ = false;
  collet_http_watch route_watch_{};  // what the plugin offers of it; set before the first call
  std::mutex telling_mutex_;         // held while the plugin's cancel(), taken() or body() runs
  bool tells_ = false;               // guarded by it
};

}  // namespace collet::plugin
