// The verbs of the command line, one file each. Each returns the exit code.
#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace collet::cli {

struct ServeOptions {
  CommonOptions common;
  std::vector<std::string> listen;  // overrides server.listen
};
int serve(const ServeOptions& options);

// Serves stdin and stdout.
int stdio(const CommonOptions& options);

struct ListOptions {
  CommonOptions common;
  bool fresh = false;  // load the plugins, even if a server of that configuration is running
  bool remotes = false;  // the health of the remotes instead
};
int list(const ListOptions& options);

struct ReloadOptions {
  CommonOptions common;
  std::string plugin;  // empty: what has changed
};
// Asks the running server.
int reload(const ReloadOptions& options);

struct CallOptions {
  CommonOptions common;
  std::string tool;
  std::string arguments = "{}";
};
int call(const CallOptions& options);

struct LoginOptions {
  CommonOptions common;
  std::string remote;  // its name in the configuration
};
// Has the person at the terminal log in to a remote. The tokens are kept for `serve` and the other verbs.
int login(const LoginOptions& options);

struct DevOptions {
  std::string folder;         // of the plugin's sources
  std::string build_command;  // run in that folder; empty: CMake's
  CallOptions call;           // of each build; no tool: none
};
// Builds and reloads a plugin whenever its sources change, until SIGINT.
int dev(const DevOptions& options);

struct CheckOptions {
  CommonOptions common;
  std::vector<std::string> files;
};
int check(const CheckOptions& options);

struct ValidateOptions {
  std::string schema;    // file
  std::string instance;  // file, "-" for stdin
  bool assert_formats = false;
  std::string suite;    // folder, instead of the two files
  std::string remotes;  // folder of the documents that the suite refers to
};
// A suite is invalid if one of its tests fails.
int validate(const ValidateOptions& options);

struct ImportOptions {
  std::string file;       // of an MCP client
  std::string write;      // our configuration, to add to; empty: to stdout
  std::string workspace;  // the folder that the client would have open; empty: found by the file's place
  bool yes = false;       // what it names may be run
};
// Takes over the servers of an MCP client. Invalid if there is one that cannot be.
int import_servers(const ImportOptions& options);

struct ClientConfigOptions {
  CommonOptions common;
  std::string client;
  std::string name;    // for the client to call us; empty: server.name
  std::string url;     // empty: the first address of server.listen
  bool stdio = false;  // the client starts us, instead
  bool token = false;  // it has to send one, even if the configuration names none
};
// Prints what such a client needs to have configured.
int client_config(const ClientConfigOptions& options);

// Makes a bearer token for a principal of that name.
int token(const std::string& name);

}  // namespace collet::cli
