// collet: the command line. What each verb does stands in a file of its own.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>

#include "cli/verbs.h"
#include "loop/standard_streams.h"
#include "plugin/preflight.h"
#include "worker/child.h"
#include "worker/process.h"

namespace {

using namespace collet::cli;

void add_config(CLI::App& verb, CommonOptions& options) {
  verb.add_option("-c,--config", options.config_file,
                  "Configuration (TOML); without it every plugin beside the program")
      ->type_name("FILE");
}

void add_format(CLI::App& verb, std::string& format) {
  verb.add_option("--format", format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

void add_remote(CLI::App& verb, CommonOptions& options) {
  CLI::Option* url = verb.add_option("--url", options.url, "One MCP server over HTTP, instead of all plugins");
  url->type_name("URL");
  verb.add_option("--command", options.command, "One MCP server as a child process, instead of all plugins")
      ->type_name("WORDS")
      ->excludes(url);
}

int run(int argc, char** argv) {
  CLI::App app("Collet serves tools that live in shared libraries over the Model Context Protocol.");
  app.set_version_flag("--version", "collet " COLLET_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 good, 1 wrong usage or configuration, 4 an address or a server cannot be reached, 5 the tool "
      "failed,\nJSON is not valid, or a server could not be imported, 6 a plugin could not be replaced and goes on as "
      "it was.");
  CommonOptions common;
  std::string format = "text";

  ServeOptions serving;
  CLI::App* serve_verb = app.add_subcommand("serve", "Serve over HTTP until SIGTERM or SIGINT");
  add_config(*serve_verb, common);
  serve_verb
      ->add_option("-l,--listen", serving.listen,
                   "Where to listen, instead of server.listen: http://127.0.0.1:8765, "
                   "https://…, unix:/path; port 0 takes a free one")
      ->type_name("URL");

  CLI::App* stdio_verb =
      app.add_subcommand("stdio", "Serve one client on stdin and stdout, as MCP clients start it");
  add_config(*stdio_verb, common);

  ListOptions listing;
  CLI::App* list_verb =
      app.add_subcommand("list", "Show what the plugins offer: in the running server, if there is one");
  list_verb->add_flag("--fresh", listing.fresh, "Load them to see, also if a server is running");
  list_verb->add_flag("--remotes", listing.remotes, "The health of the remotes instead");
  add_config(*list_verb, common);
  add_remote(*list_verb, common);
  add_format(*list_verb, format);

  ReloadOptions reloading;
  CLI::App* reload_verb =
      app.add_subcommand("reload", "Have the running server replace plugins, without losing a call");
  reload_verb->add_option("plugin", reloading.plugin,
                          "Which, by its id; without it those whose files or configuration have changed");
  add_config(*reload_verb, common);
  add_format(*reload_verb, format);

  CallOptions calling;
  CLI::App* call_verb = app.add_subcommand("call", "Call one tool, in this process, and print its result");
  call_verb->add_option("tool", calling.tool, "Its name, as `collet list` shows it")->required();
  call_verb->add_option("-a,--args", calling.arguments, "Its arguments: a JSON object")->type_name("JSON");
  add_config(*call_verb, common);
  add_remote(*call_verb, common);
  add_format(*call_verb, format);

  LoginOptions logging_in;
  CLI::App* login_verb = app.add_subcommand("login", "Log in to a remote MCP server, in a browser");
  login_verb->add_option("remote", logging_in.remote, "Its name in the configuration: [remote.NAME]")->required();
  add_config(*login_verb, common);

  DevOptions developing;
  CLI::App* dev_verb =
      app.add_subcommand("dev", "Build and reload a plugin whenever its sources change, and call a tool of it");
  dev_verb->add_option("folder", developing.folder, "The plugin's sources, with their CMakeLists.txt")->required();
  dev_verb->add_option("-b,--build", developing.build_command, "What builds it, instead of CMake into build/")
      ->type_name("COMMAND");
  dev_verb->add_option("--call", developing.call.tool, "A tool to call after each build")->type_name("TOOL");
  dev_verb->add_option("-a,--args", developing.call.arguments, "Its arguments: a JSON object")->type_name("JSON");
  add_config(*dev_verb, common);
  add_format(*dev_verb, format);

  CheckOptions checking;
  CLI::App* check_verb = app.add_subcommand("check", "Say of a plugin file what a host will say of it");
  check_verb->add_option("files", checking.files, "Plugin libraries")->required()->type_name("FILE.so");
  add_format(*check_verb, format);

  ValidateOptions validating;
  CLI::App* validate_verb =
      app.add_subcommand("validate", "Check JSON against a JSON Schema, as arguments of tools are");
  CLI::Option* schema = validate_verb->add_option("schema", validating.schema, "The schema")->type_name("FILE");
  validate_verb->add_option("instance", validating.instance, "What to check; - for stdin")
      ->type_name("FILE")
      ->needs(schema);
  validate_verb->add_flag("--assert-formats", validating.assert_formats, "Let `format` decide, too");
  validate_verb->add_option("--suite", validating.suite, "Run a folder in the format of the official test suite")
      ->type_name("DIR")
      ->excludes(schema);
  validate_verb->add_option("--remotes", validating.remotes, "The suite's remote documents")->type_name("DIR");

  ImportOptions importing;
  CLI::App* import_verb =
      app.add_subcommand("import", "Take over the MCP servers that another client is configured with");
  import_verb
      ->add_option(
          "file", importing.file,
          "Its configuration: .mcp.json, claude_desktop_config.json, .vscode/mcp.json, config.toml of Codex, "
          "settings.json of Gemini or Zed, …")
      ->required()
      ->type_name("FILE");
  import_verb
      ->add_option(
          "-w,--write", importing.write,
          "Add [remote.…] tables to this configuration, once you agree to what will be run; without it they "
          "are printed")
      ->type_name("CONFIG");
  import_verb
      ->add_option(
          "--workspace", importing.workspace,
          "What ${workspaceFolder} stands for, and where relative paths start; by default the project that "
          "FILE is in")
      ->type_name("DIR");
  import_verb->add_flag("-y,--yes", importing.yes, "Agree beforehand");

  ClientConfigOptions configuring;
  CLI::App* client_config_verb =
      app.add_subcommand("client-config", "Print what an MCP client needs in its configuration to find this host");
  client_config_verb
      ->add_option("--for", configuring.client,
                   "claude, claude-desktop, codex, copilot, cursor, gemini, inspector, vscode, windsurf or zed")
      ->required()
      ->type_name("CLIENT");
  add_config(*client_config_verb, common);
  CLI::Option* url =
      client_config_verb->add_option("--url", configuring.url, "How clients reach it, instead of server.listen");
  client_config_verb->add_flag("--stdio", configuring.stdio, "The client starts it as a child process")
      ->excludes(url);
  client_config_verb->add_flag("--token", configuring.token,
                               "The client sends a token; by default if the configuration has one");
  client_config_verb->add_option("--name", configuring.name, "What the client calls it, instead of server.name");

  std::string principal;
  CLI::App* token_verb = app.add_subcommand("token", "Make a bearer token for server.token");
  token_verb->add_option("name", principal, "Whom it stands for")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  common.json = format == "json";
  serving.common = listing.common = reloading.common = calling.common = logging_in.common = common;
  developing.call.common = checking.common = configuring.common = common;
  if (*serve_verb) return serve(serving);
  if (*stdio_verb) return stdio(common);
  if (*list_verb) return list(listing);
  if (*reload_verb) return reload(reloading);
  if (*call_verb) return call(calling);
  if (*login_verb) return login(logging_in);
  if (*dev_verb) return dev(developing);
  if (*check_verb) return check(checking);
  if (*validate_verb) {
    if (validating.suite.empty() && validating.instance.empty()) {
      std::fputs("collet: validate needs a schema and an instance, or --suite\n", stderr);
      return kUsage;
    }
    return validate(validating);
  }
  if (*import_verb) return import_servers(importing);
  if (*client_config_verb) return client_config(configuring);
  return token(principal);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], collet::plugin::kPreflightVerb) == 0) {
    return collet::plugin::preflight_main(argc, argv);
  }
  if (argc > 1 && std::strcmp(argv[1], collet::worker::kWorkerVerb) == 0) collet::worker::worker_main();
  collet::loop::fill_standard_descriptors();
  return run(argc, argv);
}
