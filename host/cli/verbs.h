// The verbs of the command line, one file each. Each returns the exit code. Those that end by themselves print to
// `out`, and read from the descriptor `in` what stdin is to give.
#pragma once

#include <string>
#include <vector>

#include "cli/configuration.h"
#include "cli/output.h"
#include "cli/plugin_template.h"

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
  bool fresh = false;    // load the plugins, even if a server of that configuration is running
  bool remotes = false;  // the health of the remotes instead
};
int list(const ListOptions& options, Output& out);

struct DescribeOptions {
  CommonOptions common;
  std::string tool;
  bool fresh = false;  // as of ListOptions
};
int describe(const DescribeOptions& options, Output& out);

struct ReloadOptions {
  CommonOptions common;
  std::string plugin;  // empty: what has changed
  bool accept = false;  // also plugins that take away what they offered before
};
// Asks the running server.
int reload(const ReloadOptions& options, Output& out);

struct CallOptions {
  CommonOptions common;
  std::string tool;
  std::string arguments = "{}";    // for read_arguments()
  std::vector<std::string> words;  // for typed_arguments(), over these
  std::string output;              // ResultForm::file
};
int call(const CallOptions& options, int in, Output& out);

struct ReadOptions {
  CommonOptions common;
  std::string uri;
  std::string output;  // ResultForm::file
};
int read_resource(const ReadOptions& options, Output& out);

struct PromptOptions {
  CommonOptions common;
  std::string prompt;
  std::vector<std::string> words;  // NAME=VALUE
};
int prompt(const PromptOptions& options, Output& out);

struct CompleteOptions {
  CommonOptions common;
  bool of_resource = false;        // or of a prompt
  std::string name;                // or the text of a resource template
  std::vector<std::string> words;  // for completion_arguments()
};
// Prints values that an argument may have.
int complete(const CompleteOptions& options, Output& out);

struct LoginOptions {
  CommonOptions common;
  std::string remote;  // its name in the configuration, or its URL
};
// Has the person at the terminal log in to a remote. The tokens are kept for `serve` and the other verbs.
int login(const LoginOptions& options, Output& out);
// Forgets them again.
int logout(const LoginOptions& options, Output& out);

struct NewOptions {
  std::string folder;  // which is made, or empty; its name is the plugin's
  PluginLanguage language = PluginLanguage::cpp;
};
// Writes the files that a plugin of one's own begins with.
int new_plugin(const NewOptions& options, Output& out);

struct DevOptions {
  std::string folder;         // of the plugin's sources
  std::string build_command;  // run in that folder; empty: CMake's
  CallOptions call;           // of each build; no tool: none
};
// Builds and reloads a plugin whenever its sources change, until SIGINT.
int dev(const DevOptions& options, int in, Output& out);

struct ConfigOptions {
  CommonOptions common;
  std::string plugin;  // for only_plugin()
};
// Prints the keys of a plugin's config, as a table that can be pasted into a configuration.
int print_config(const ConfigOptions& options, Output& out);

struct CheckOptions {
  CommonOptions common;
  std::vector<std::string> plugins;  // each for only_plugin()
};
int check(const CheckOptions& options, Output& out);

struct ValidateOptions {
  std::string schema;    // file
  std::string instance;  // file, "-" for stdin
  bool assert_formats = false;
  std::string suite;    // folder, instead of the two files
  std::string remotes;  // folder of the documents that the suite refers to
};
// A suite is invalid if one of its tests fails.
int validate(const ValidateOptions& options, int in, Output& out);

struct ImportOptions {
  std::string file;       // of an MCP client; empty: all that `client` has
  std::string client;     // whose the file is; empty: it is told by the file
  std::string write;      // our configuration, to add to; empty: to stdout
  std::string workspace;  // the folder that the client would have open; empty: found by the file's place
  bool yes = false;       // what it names may be run
};
// Takes over the servers of an MCP client. kPartly if some cannot be, kInvalid if none can.
int import_servers(const ImportOptions& options, int in, Output& out);

struct SetupOptions {
  CommonOptions common;
  std::string from;  // clients whose servers are taken over, by commas, "all" or "none"; empty: to be asked
  std::string into;  // likewise, clients that Collet is put into
  std::string name = "collet";   // for clients to call us
  std::string workspace;         // a folder whose clients' files count, too; anybody may have written them
  std::string tool;              // to call at the end; empty: one that changes nothing
  std::string arguments = "{}";  // a JSON object, of that call
  bool yes = false;              // all may be written and run
  bool dry_run = false;
  bool rollback = false;  // take back what was written
};
// Takes over what the clients of this machine have, puts Collet into them, and makes a call through it. kPartly if
// a part could not be done.
int setup(const SetupOptions& options, int in, Output& out);

struct ClientConfigOptions {
  CommonOptions common;
  std::string client;
  std::string name;    // for the client to call us; empty: server.name
  std::string url;     // empty: the first address of server.listen
  bool stdio = false;  // the client starts us, instead
  bool token = false;  // it has to send one, even if the configuration names none
};
// Prints what such a client needs to have configured.
int client_config(const ClientConfigOptions& options, Output& out);

// Makes a bearer token for a principal of that name.
int token(const std::string& name, Output& out);

}  // namespace collet::cli
