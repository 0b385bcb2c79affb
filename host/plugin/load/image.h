// Where a plugin's functions are: in a library of this process, or behind a worker process of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plugin/load/library.h"

namespace collet::plugin {

// One a generation, used by its control thread where nothing else is said.
class Image {
 public:
  // What one that is isolated tells of its own accord, on a thread of its own.
  struct Events {
    // The plugin and all the calls that it had are gone: "plugin p1: its worker process ended with exit code 1".
    std::function<void(const std::string& cause)> gone;
    // The plugin has made an error of its own.
    std::function<void()> erred;
  };

  virtual ~Image() = default;

  // Brings the plugin up to where create() can be called. Once.
  virtual Result<void> open() = 0;
  // After open(); as long as this lives. Its create and get_extension are to be reached through the functions
  // below.
  virtual const PluginTable& table() const = 0;
  virtual std::int32_t create(const collet_host& host, const collet_create_params& params, void** self) = 0;
  virtual const void* get_extension(std::string_view id) = 0;
  // After destroy(), when no other thread runs the plugin's code. False if the library stays mapped here.
  virtual bool close() = 0;
  // The library stays mapped whatever comes.
  virtual void pin() = 0;

  // After open(), also one that failed: what the plugin says of itself, a JSON object, or empty if that did not come to be known.
  virtual std::string info() const { return {}; }

  // [any] The private copy of the library.
  virtual const std::string& path() const = 0;
  // [any] Whether its functions only pass on what they are given, and return at once.
  virtual bool isolated() const { return false; }
  // [any] Ends plugin code from outside, also what hangs; whoever waits for it goes on. False if that cannot be
  // done.
  virtual bool kill(std::string_view why) {
    static_cast<void>(why);
    return false;
  }
  // [any] Whether it has been given up: its calls fail until it is replaced.
  virtual bool given_up() const { return false; }
  // [any] How it is, for people, or empty: "process 4711".
  virtual std::string condition() const { return {}; }
  // [any] Where the last process of it has ended, as crash::describe() has it, or empty.
  virtual std::vector<std::string> last_end() const { return {}; }
  // Why the last item that the plugin added was refused out there, or empty.
  virtual std::string item_problem() const { return {}; }
  // Before open(). Called until this is destroyed.
  virtual void listen(Events events) { static_cast<void>(events); }
};

// A library of this process.
std::unique_ptr<Image> image_of_library(PrivateFile file);

}  // namespace collet::plugin
