// A plugin of the tree as a host has it: its built library, loaded, created with a config.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include <dlfcn.h>

#include "base/json.h"
#include "support/catch.h"
#include "support/fake_host.h"

class BuiltPlugin {
 public:
  explicit BuiltPlugin(const std::string& name, const std::string& config = "{}", std::uint32_t flags = 0)
      : library_(::dlopen((std::string(COLLET_PLUGINS) + '/' + name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL)) {
    INFO((library_ ? "" : ::dlerror()));
    REQUIRE(library_);
    const auto entry = reinterpret_cast<decltype(&collet_plugin_entry_v1)>(::dlsym(library_, COLLET_ENTRY_SYMBOL));
    REQUIRE(entry);
    plugin = entry();
    host = std::make_unique<fake::Host>();
    status = host->load(plugin, config, flags);
  }
  ~BuiltPlugin() {
    host->unload();
    CHECK(host->misuse().empty());
    host.reset();
    ::dlclose(library_);
  }
  BuiltPlugin(const BuiltPlugin&) = delete;
  BuiltPlugin& operator=(const BuiltPlugin&) = delete;

  // The structured content of a call that must succeed.
  collet::json::Document result(const std::string& tool, const std::string& arguments = "{}") {
    const fake::Ended ended = host->call(tool, arguments);
    INFO(ended.text());
    REQUIRE(ended.how == fake::Ended::How::completed);
    REQUIRE_FALSE(ended.is_error);
    collet::json::Document document;
    REQUIRE_FALSE(collet::json::parse(ended.structured, document));
    return document;
  }
  std::string structured(const std::string& tool, const std::string& arguments = "{}") {
    return collet::json::to_text(result(tool, arguments));
  }
  // The message of a call that must be answered with an error.
  std::string error(const std::string& tool, const std::string& arguments = "{}") {
    const fake::Ended ended = host->call(tool, arguments);
    CHECK(ended.is_error);
    return ended.text();
  }

  const collet_plugin* plugin = nullptr;
  std::unique_ptr<fake::Host> host;
  std::int32_t status = 0;

 private:
  void* library_;
};
