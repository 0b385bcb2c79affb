#include "cli/plugin_template.h"

#include <algorithm>
#include <array>

namespace collet::cli {
namespace {

// In all of them @name@, @language@ and @source@ are what they are called.

constexpr std::string_view kCMakeLists = R"(cmake_minimum_required(VERSION 3.22)
project(@name@ VERSION 0.1.0 LANGUAGES @language@)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Debug)
endif()
find_package(Collet REQUIRED CONFIG)
enable_testing()

collet_add_plugin(@name@ @source@)  # and the test @name@.check

# For `collet -c build/collet.toml …` and the test below. A path in it begins where it lies.
file(WRITE ${CMAKE_BINARY_DIR}/collet.toml "[plugins]\npaths = [\"plugins\"]\n")
if(COLLET_PROGRAM)
  add_test(NAME @name@.call COMMAND ${COLLET_PROGRAM} call @name@ name=Ada -c ${CMAKE_BINARY_DIR}/collet.toml)
  set_tests_properties(@name@.call PROPERTIES PASS_REGULAR_EXPRESSION "^Hello, Ada!\n$")
endif()

include(GNUInstallDirs)
install(TARGETS @name@ LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/collet/plugins)
)";

constexpr std::string_view kPresets = R"({
  "version": 3,
  "configurePresets": [
    {"name": "debug", "binaryDir": "${sourceDir}/build", "cacheVariables": {"CMAKE_BUILD_TYPE": "Debug"}},
    {"name": "release", "binaryDir": "${sourceDir}/build/release", "cacheVariables": {"CMAKE_BUILD_TYPE": "Release"}}
  ]
}
)";

constexpr std::string_view kLaunch = R"({
  "version": "0.2.0",
  "configurations": [
    {
      "name": "Call @name@",
      "type": "cppdbg",
      "request": "launch",
      "program": "/usr/bin/env",
      "args": ["collet", "call", "@name@", "name=Ada", "-c", "${workspaceFolder}/build/collet.toml"],
      "cwd": "${workspaceFolder}",
      "MIMode": "gdb",
      "setupCommands": [{"text": "set breakpoint pending on"}]
    }
  ]
}
)";

constexpr std::string_view kCpp = R"(#include <collet/plugin.hpp>

struct Greeting {
  std::string name;

  static void describe(collet::Fields<Greeting>& f) { f(&Greeting::name, "Who is greeted").min_length(1); }
};

COLLET_PLUGIN("org.example.@name@", "0.1.0", plugin) {
  plugin.tool<Greeting>("@name@", "Greets somebody by name",
                        [](const Greeting& in, collet::Call&) { return "Hello, " + in.name + "!"; });
}
)";

constexpr std::string_view kC = R"(#include <collet/json.h>
#include <collet/plugin.h>
#include <stdlib.h>
#include <string.h>

static const char kDefinition[] =
    "{\"description\":\"Greets somebody by name\","
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1,"
    "\"description\":\"Who is greeted\"}},\"required\":[\"name\"],\"additionalProperties\":false}}";

static int32_t create(const collet_host *host, const collet_create_params *params, void **self) {
  const collet_item_def tool = {.struct_size = sizeof tool, .kind = COLLET_TOOL, .name = COLLET_STR("@name@"),
                                .definition = COLLET_STR(kDefinition)};
  collet_item item;
  (void)params;
  *self = (void *)host;
  return host->item_add(host, &tool, &item);
}

static void destroy(void *self) { (void)self; }

static int32_t call(void *self, collet_call id, const collet_call_params *params) {
  static const char kHello[] = "Hello, ";
  const collet_host *host = self;
  collet_json_value name;
  if (collet_json_find(params->arguments, "name", &name) != 1 || name.type != COLLET_JSON_STRING) return COLLET_E_INVALID;
  char *const text = malloc(sizeof kHello + name.size);
  if (!text) return COLLET_E_INTERNAL;
  size_t size = sizeof kHello - 1;
  memcpy(text, kHello, size);
  size += collet_json_unescape(&name, text + size);
  text[size++] = '!';
  host->add_text(host, id, text, size);
  free(text);
  return host->complete(host, id, 0);
}

COLLET_EXPORT const collet_plugin *collet_plugin_entry_v1(void) {
  static const collet_plugin plugin = {.struct_size = sizeof plugin, .abi_minor = COLLET_ABI_MINOR,
                                       .flags = COLLET_PLUGIN_CONCURRENT, .id = COLLET_STR("org.example.@name@"),
                                       .version = COLLET_STR("0.1.0"), .create = create, .destroy = destroy, .call = call};
  return &plugin;
}
)";

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

std::vector<TemplateFile> plugin_template(PluginLanguage language, std::string_view name) {
  const bool is_c = language == PluginLanguage::c;
  const std::string source = std::string(name) + (is_c ? ".c" : ".cc");
  std::vector<TemplateFile> files = {{"CMakeLists.txt", std::string(kCMakeLists)},
                                     {"CMakePresets.json", std::string(kPresets)},
                                     {source, std::string(is_c ? kC : kCpp)},
                                     {".vscode/launch.json", std::string(kLaunch)},
                                     {".gitignore", "/build/\n"}};
  for (TemplateFile& file : files) {
    replace_all(file.text, "@name@", name);
    replace_all(file.text, "@language@", is_c ? "C" : "CXX");
    replace_all(file.text, "@source@", source);
  }
  return files;
}

bool is_plugin_name(std::string_view name) {
  constexpr std::size_t kNameBytesMax = 64;
  constexpr std::array<std::string_view, 10> kTargets = {"all", "clean", "edit_cache", "help", "install",
                                                         "list_install_components", "package", "package_source", "rebuild_cache",
                                                         "test"};
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= kNameBytesMax && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; }) &&
         std::find(kTargets.begin(), kTargets.end(), name) == kTargets.end();
}

}  // namespace collet::cli
