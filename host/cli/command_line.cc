#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/verbs.h"
#include "foreign/client.h"
#include "loop/standard_streams.h"

namespace collet::cli {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 good, 1 wrong usage or configuration, or a plugin file that is no good, 3 the result could not be\n"
    "written, 4 an address or a server cannot be reached, 5 the tool failed, JSON is not valid, or no server could be\n"
    "imported, 6 a plugin could not be replaced and goes on as it was, 7 a client over stdio has not got all answers,\n"
    "8 servers were imported, or plugins listed, and others, or what they need, left out.";

// A verb that ends by itself. It reads and prints through these streams, which plugins cannot reach.
int with_streams(const std::function<int(int in, Output& out)>& verb) {
  const loop::StandardStreams streams = loop::take_standard_streams();
  Output out(streams.out);
  return out.finish(verb(streams.in, out));
}

class CommandLine {
 public:
  // For a command line whose first word this is. If that is a verb the others are not declared, which would take a tenth of a
  // start.
  explicit CommandLine(std::string_view word);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  int run(int argc, char** argv);

 private:
  // The verb that is being declared.
  CLI::App& add(const char* about, std::function<int()> run);
  CLI::App& add_printing(const char* about, std::function<int(int in, Output& out)> run);
  void add_serve();
  void add_stdio();
  void add_list();
  void add_describe();
  void add_reload();
  void add_call();
  void add_read();
  void add_prompt();
  void add_complete();
  void add_login();
  void add_logout();
  void add_new();
  void add_dev();
  void add_config_verb();
  void add_check();
  void add_validate();
  void add_import();
  void add_client_config();
  void add_setup();
  void add_token();
  void add_help();
  void add_version();

  int complain_of(const CLI::ParseError& error);
  int complain_of_verb(const std::string& word) const;
  std::string unknown_option(const std::string& given) const;
  std::string help_of(const CLI::App& app, const std::string& usage) const;
  static bool is_verb(std::string_view word);

  CLI::App app_{"Collet serves tools that live in shared libraries over the Model Context Protocol."};
  struct Verb {
    CLI::App* app;
    std::function<int()> run;
  };
  std::vector<Verb> verbs_;
  struct Declaration {
    std::string_view name;
    void (CommandLine::*declare)();
  };
  static const Declaration kDeclarations[];
  std::string declared_;  // the name
  ServeOptions serving_;
  CommonOptions stdio_;
  ListOptions listing_;
  DescribeOptions describing_;
  ReloadOptions reloading_;
  CallOptions calling_;
  ReadOptions reading_;
  PromptOptions prompting_;
  CompleteOptions completing_;
  LoginOptions logging_in_;
  NewOptions beginning_;
  DevOptions developing_;
  ConfigOptions showing_config_;
  CheckOptions checking_;
  ValidateOptions validating_;
  ImportOptions importing_;
  ClientConfigOptions configuring_;
  SetupOptions setting_up_;
  std::string principal_;
  std::string explained_;
};

void add_config(CLI::App& verb, CommonOptions& options) {
  verb.add_option("-c,--config", options.config_file,
                  "Configuration (TOML); without it every plugin beside the program")
      ->type_name("FILE");
}

void add_format(CLI::App& verb, CommonOptions& options) {
  verb.add_option_function<std::string>(
          "--format", [&options](const std::string& format) { options.json = format == "json"; }, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
}

CLI::Option* add_headers(CLI::App& verb, CommonOptions& options) {
  return verb.add_option("-H,--header", options.headers, "A header of every request to it, as often as there are headers")
      ->type_name("NAME:VALUE")
      ->allow_extra_args(false)
      ->check([](const std::string& header) {
        return header.find(':') == std::string::npos ? "must be a header, such as \"X-Team: blue\"" : std::string();
      });
}

// An empty one is a variable that was not set, and must not stand for all plugins.
std::string not_empty(const std::string& given) {
  return given.find_first_not_of(" \t\r\n") == std::string::npos ? "must not be empty" : std::string();
}

void add_remote(CLI::App& verb, CommonOptions& options) {
  CLI::Option* url = verb.add_option("--url", options.url, "One MCP server over HTTP, instead of all plugins");
  url->type_name("URL")->check(not_empty);
  verb.add_option("--command", options.command,
                  "One MCP server as a child process, instead of all plugins: words for the shell, in your environment")
      ->type_name("WORDS")
      ->check(not_empty)
      ->excludes(url);
  verb.add_option("--token", options.token, "What it is told as Authorization: Bearer TOKEN; ${env:NAME} is a variable")
      ->type_name("TOKEN")
      ->needs(url);
  add_headers(verb, options)->needs(url);
}

void add_timeout(CLI::App& verb, CommonOptions& options, const std::string& what) {
  static constexpr double kMost = static_cast<double>(limits::kTimeoutMsMax) / 1e3;
  verb.add_option_function<double>(
          "--timeout",
          [&options](const double& seconds) {
            if (!(seconds >= 0.001 && seconds <= kMost)) {  // NaN is no number of seconds either
              throw CLI::ValidationError("--timeout", fmt::format("must be from 0.001 to {} seconds", kMost));
            }
            options.timeout_ms = static_cast<std::uint64_t>(seconds * 1e3);
          },
          "Seconds " + what)
      ->type_name("SECONDS");
}

void add_arguments(CLI::App& verb, std::string& arguments) {
  verb.add_option("-a,--args", arguments, "Its arguments: a JSON object, @FILE, or - for stdin")->type_name("JSON");
}

// Of the verbs that make one call.
void add_call_sources(CLI::App& verb, CommonOptions& options) {
  add_config(verb, options);
  add_remote(verb, options);
  add_timeout(verb, options,
              fmt::format("for remotes to answer, else {}, or {} for the one that is named here, and for the call, "
                          "else the item's own deadline",
                          limits::kRemotesReadyMs / 1'000, limits::kServerStartMs / 1'000));
  add_format(verb, options);
}

void add_output(CLI::App& verb, std::string& file) {
  verb.add_option("-o,--output", file, "Where images, sounds and other bytes go: the first to FILE, then FILE-2, FILE-3, …")
      ->type_name("FILE")
      ->check(not_empty);
}

// In the order of the help.
constexpr CommandLine::Declaration CommandLine::kDeclarations[] = {
    {"serve", &CommandLine::add_serve},
    {"stdio", &CommandLine::add_stdio},
    {"list", &CommandLine::add_list},
    {"describe", &CommandLine::add_describe},
    {"reload", &CommandLine::add_reload},
    {"call", &CommandLine::add_call},
    {"read", &CommandLine::add_read},
    {"prompt", &CommandLine::add_prompt},
    {"complete", &CommandLine::add_complete},
    {"login", &CommandLine::add_login},
    {"logout", &CommandLine::add_logout},
    {"new", &CommandLine::add_new},
    {"dev", &CommandLine::add_dev},
    {"config", &CommandLine::add_config_verb},
    {"check", &CommandLine::add_check},
    {"validate", &CommandLine::add_validate},
    {"import", &CommandLine::add_import},
    {"client-config", &CommandLine::add_client_config},
    {"setup", &CommandLine::add_setup},
    {"token", &CommandLine::add_token},
    {"help", &CommandLine::add_help},
    {"version", &CommandLine::add_version},
};

CommandLine::CommandLine(std::string_view word) {
  app_.name("collet");
  app_.set_version_flag("-v,--version", "collet " COLLET_VERSION);
  app_.require_subcommand(1);
  app_.footer(kExitCodes);
  const auto only = is_verb(word) && word != "help" ? std::optional(word) : std::nullopt;
  for (const auto& [name, declare] : kDeclarations) {
    if (only && *only != name) continue;
    declared_ = name;
    (this->*declare)();
  }
}

CLI::App& CommandLine::add(const char* about, std::function<int()> run) {
  verbs_.push_back({app_.add_subcommand(declared_, about), std::move(run)});
  return *verbs_.back().app;
}

CLI::App& CommandLine::add_printing(const char* about, std::function<int(int in, Output& out)> run) {
  return add(about, [run = std::move(run)] { return with_streams(run); });
}

void CommandLine::add_serve() {
  CLI::App& verb = add("Serve over HTTP until SIGTERM or SIGINT", [this] { return serve(serving_); });
  add_config(verb, serving_.common);
  verb.add_option(
          "-l,--listen", serving_.listen,
          "Where to listen, instead of server.listen: http://127.0.0.1:8765, https://…, unix:/path; port 0 takes "
          "a free one")
      ->type_name("URL");
}

void CommandLine::add_stdio() {
  CLI::App& verb = add("Serve one client on stdin and stdout, as MCP clients start it",
                       [this] { return stdio(stdio_); });
  add_config(verb, stdio_);
}

// Of the verbs that show what is offered.
void add_sources(CLI::App& verb, CommonOptions& options, bool& fresh) {
  verb.add_flag("--fresh", fresh, "Load the plugins to see, also if a server is running");
  add_config(verb, options);
  add_remote(verb, options);
  add_timeout(verb, options,
              fmt::format("for a server to answer; else {} for the running one, {} for remotes, {} for the one that "
                          "is named here",
                          limits::kAdminSilenceMs / 1'000, limits::kRemotesReadyMs / 1'000,
                          limits::kServerStartMs / 1'000));
  add_format(verb, options);
}

void CommandLine::add_list() {
  CLI::App& verb = add_printing("Show what the plugins offer: in the running server, if there is one",
                                [this](int, Output& out) { return list(listing_, out); });
  verb.add_flag("--remotes", listing_.remotes, "The health of the remotes instead");
  add_sources(verb, listing_.common, listing_.fresh);
}

void CommandLine::add_describe() {
  CLI::App& verb = add_printing("Say all that is known of one tool: its arguments, its result, its plugin",
                                [this](int, Output& out) { return describe(describing_, out); });
  verb.add_option("tool", describing_.tool, "Its name, as `collet list` shows it")->required();
  add_sources(verb, describing_.common, describing_.fresh);
}

void CommandLine::add_reload() {
  CLI::App& verb = add_printing("Have the running server replace plugins, without losing a call",
                                [this](int, Output& out) { return reload(reloading_, out); });
  verb.add_option("plugin", reloading_.plugin,
                  "Which, by its id; without it those whose files or configuration have changed");
  verb.add_flag("--accept", reloading_.accept,
                "Also a plugin that takes away what it offered before and does not say so by its version");
  add_config(verb, reloading_.common);
  add_timeout(verb, reloading_.common,
              fmt::format("for the server to show that it is alive; else {}", limits::kAdminSilenceMs / 1'000));
  add_format(verb, reloading_.common);
}

void CommandLine::add_call() {
  CLI::App& verb = add_printing("Call one tool, in this process, and print its result",
                                [this](int in, Output& out) { return call(calling_, in, out); });
  verb.add_option("tool", calling_.tool, "Its name, as `collet list` shows it")->required();
  verb.add_option("arguments", calling_.words,
                  "Its arguments, over those of --args, read as its schema wants them: n=1, a.b=text, tags=x tags=y, n:=JSON")
      ->type_name("NAME=VALUE");
  add_arguments(verb, calling_.arguments);
  add_output(verb, calling_.output);
  add_call_sources(verb, calling_.common);
}

void CommandLine::add_read() {
  CLI::App& verb = add_printing("Read one resource, in this process, and print what it holds",
                                [this](int, Output& out) { return read_resource(reading_, out); });
  verb.add_option("uri", reading_.uri, "Its URI, as `collet list` shows it, or one of a template that is listed")->required();
  add_output(verb, reading_.output);
  add_call_sources(verb, reading_.common);
}

void CommandLine::add_prompt() {
  CLI::App& verb = add_printing("Have one prompt made, in this process, and print its messages",
                                [this](int, Output& out) { return prompt(prompting_, out); });
  verb.add_option("prompt", prompting_.prompt, "Its name, as `collet list` shows it")->required();
  verb.add_option("arguments", prompting_.words, "Its arguments, which are texts")->type_name("NAME=VALUE");
  add_call_sources(verb, prompting_.common);
}

void CommandLine::add_complete() {
  CLI::App& verb = add_printing("Print values that an argument of a prompt, or of a resource template, may have",
                                [this](int, Output& out) { return complete(completing_, out); });
  verb.add_option_function<std::string>(
          "of", [this](const std::string& of) { completing_.of_resource = of == "resource"; }, "What the argument is of")
      ->check(CLI::IsMember({"prompt", "resource"}))
      ->required();
  verb.add_option("name", completing_.name, "The prompt's name, or the template's text, as `collet list` shows it")->required();
  verb.add_option("argument", completing_.words,
                  "The argument, how its value begins, and NAME=VALUE of other arguments: city pa country=France")
      ->required()
      ->type_name("WORDS");
  add_call_sources(verb, completing_.common);
}

void CommandLine::add_login() {
  CLI::App& verb = add_printing("Log in to a remote MCP server, in a browser",
                                [this](int, Output& out) { return login(logging_in_, out); });
  verb.add_option("remote", logging_in_.remote, "Its name in the configuration, [remote.NAME], or its URL")
      ->required()
      ->type_name("NAME|URL");
  add_config(verb, logging_in_.common);
  add_headers(verb, logging_in_.common);
}

void CommandLine::add_logout() {
  CLI::App& verb = add_printing("Forget the login to a remote MCP server",
                                [this](int, Output& out) { return logout(logging_in_, out); });
  verb.add_option("remote", logging_in_.remote, "Its name in the configuration, [remote.NAME], or its URL")
      ->required()
      ->type_name("NAME|URL");
  add_config(verb, logging_in_.common);
}

void CommandLine::add_new() {
  CLI::App& verb = add_printing("Make a folder with a plugin in it, to start your own from",
                                [this](int, Output& out) { return new_plugin(beginning_, out); });
  verb.add_option("folder", beginning_.folder, "Where; its name is that of the plugin and its tool")
      ->required()
      ->type_name("NAME");
  verb.add_option_function<std::string>(
          "--lang", [this](const std::string& given) { beginning_.language = given == "c" ? PluginLanguage::c : PluginLanguage::cpp; },
          "c or cpp")
      ->check(CLI::IsMember({"c", "cpp"}))
      ->default_str("cpp");
}

void CommandLine::add_dev() {
  CLI::App& verb =
      add_printing("Build and reload a plugin whenever its sources change, and call a tool of it",
                   [this](int in, Output& out) { return dev(developing_, in, out); });
  verb.add_option("folder", developing_.folder, "The plugin's sources, with their CMakeLists.txt")->required();
  verb.add_option("-b,--build", developing_.build_command, "What builds it, instead of CMake into build/")
      ->type_name("COMMAND");
  verb.add_option("--call", developing_.call.tool, "A tool to call after each build")->type_name("TOOL");
  add_arguments(verb, developing_.call.arguments);
  add_config(verb, developing_.call.common);
  add_format(verb, developing_.call.common);
}

void CommandLine::add_config_verb() {
  CLI::App& verb = add_printing("Print the keys of a plugin's config, as a table to paste into a configuration",
                                [this](int, Output& out) { return print_config(showing_config_, out); });
  verb.add_option("plugin", showing_config_.plugin, "A plugin library, or the id of a plugin of the configuration")
      ->required()
      ->type_name("FILE.so|ID");
  add_config(verb, showing_config_.common);
}

void CommandLine::add_check() {
  CLI::App& verb = add_printing("Say of a plugin file what a host will say of it",
                                [this](int, Output& out) { return check(checking_, out); });
  verb.add_option("plugins", checking_.plugins, "Plugin libraries, or ids of plugins of the configuration")
      ->required()
      ->type_name("FILE.so|ID");
  verb.add_option("-c,--config", checking_.common.config_file,
                  "Configuration (TOML) with what the plugins are given; without it nothing")
      ->type_name("FILE");
  add_format(verb, checking_.common);
}

void CommandLine::add_validate() {
  CLI::App& verb = add_printing("Check JSON against a JSON Schema, as arguments of tools are",
                                [this](int in, Output& out) { return validate(validating_, in, out); });
  CLI::Option* schema = verb.add_option("schema", validating_.schema, "The schema")->type_name("FILE");
  verb.add_option("instance", validating_.instance, "What to check; - for stdin")->type_name("FILE")->needs(schema);
  verb.add_flag("--assert-formats", validating_.assert_formats, "Let `format` decide, too");
  verb.add_option("--suite", validating_.suite, "Run a folder in the format of the official test suite")
      ->type_name("DIR")
      ->excludes(schema);
  verb.add_option("--remotes", validating_.remotes, "The suite's remote documents")->type_name("DIR");
}

void CommandLine::add_import() {
  CLI::App& verb = add_printing("Take over the MCP servers that another client is configured with",
                                [this](int in, Output& out) { return import_servers(importing_, in, out); });
  verb.add_option(
          "file", importing_.file,
          "Its configuration: .mcp.json, claude_desktop_config.json, .vscode/mcp.json, config.toml of Codex, "
          "settings.json of Gemini or Zed, config.yaml of Goose or Continue, …")
      ->type_name("FILE");
  verb.add_option("--from", importing_.client,
                  "Whose FILE is; without FILE the files that this client has, for you and in this folder: " +
                      foreign::known_clients())
      ->type_name("CLIENT");
  verb.add_option(
          "-w,--write", importing_.write,
          "Add [remote.…] tables to this configuration, once you agree to what will be run; without it they "
          "are printed")
      ->type_name("CONFIG");
  verb.add_option("--workspace", importing_.workspace,
                  "What ${workspaceFolder} stands for, and where relative paths start; by default the project that "
                  "FILE is in")
      ->type_name("DIR");
  verb.add_flag("-y,--yes", importing_.yes, "Agree beforehand");
}

void CommandLine::add_client_config() {
  CLI::App& verb =
      add_printing("Print what an MCP client needs in its configuration to find this host",
                   [this](int, Output& out) { return client_config(configuring_, out); });
  verb.add_option("--for", configuring_.client, foreign::known_clients())->required()->type_name("CLIENT");
  add_config(verb, configuring_.common);
  CLI::Option* url = verb.add_option("--url", configuring_.url, "How clients reach it, instead of server.listen");
  verb.add_flag("--stdio", configuring_.stdio, "The client starts it as a child process")->excludes(url);
  verb.add_flag("--token", configuring_.token, "The client sends a token; by default if the configuration has one");
  verb.add_option("--name", configuring_.name, "What the client calls it, instead of server.name");
}

void CommandLine::add_setup() {
  CLI::App& verb = add_printing("Find the MCP clients of this machine, take over their servers, and put Collet into them",
      [this](int in, Output& out) { return setup(setting_up_, in, out); });
  verb.add_option("--from", setting_up_.from,
                  "Whose servers are taken over: names by commas, all or none; else you are asked")
      ->type_name("CLIENTS");
  verb.add_option("--into", setting_up_.into,
                  "Into which Collet is put: names by commas, all or none; else you are asked")
      ->type_name("CLIENTS");
  verb.add_option("-c,--config", setting_up_.common.config_file,
                  "Collet's configuration, which is made if it is not there; else ~/.config/collet/collet.toml")
      ->type_name("FILE");
  verb.add_option("--name", setting_up_.name, "What the clients call it")->default_str("collet");
  verb.add_option("--workspace", setting_up_.workspace,
                  "A project whose files count, too: .mcp.json, .vscode/mcp.json, …")
      ->type_name("DIR");
  verb.add_option("--call", setting_up_.tool, "The tool to call at the end; else one that changes nothing")
      ->type_name("TOOL");
  verb.add_option("-a,--args", setting_up_.arguments, "Its arguments, a JSON object")->type_name("JSON");
  add_timeout(verb, setting_up_.common,
              fmt::format("for Collet and its remotes to answer to that call; else {}", limits::kServerStartMs / 1'000));
  verb.add_flag("--dry-run", setting_up_.dry_run, "Say what would be written, and write nothing");
  verb.add_flag("--rollback", setting_up_.rollback, "Take back what was written: every file is what it was");
  verb.add_flag("-y,--yes", setting_up_.yes, "Agree beforehand to all that is written and will run");
}

void CommandLine::add_token() {
  CLI::App& verb = add_printing("Make a bearer token for server.token",
                                [this](int, Output& out) { return token(principal_, out); });
  verb.add_option("name", principal_, "Whom it stands for")->required();
}

void CommandLine::add_help() {
  CLI::App& verb = add_printing("Say what can be said to a verb", [this](int, Output& out) {
    if (explained_.empty()) {
      out.write(help_of(app_, app_.get_name()));
    } else if (is_verb(explained_)) {
      out.write(help_of(*app_.get_subcommand(explained_), app_.get_name() + ' ' + explained_));
    } else {
      return complain_of_verb(explained_);
    }
    return kOk;
  });
  verb.add_option("verb", explained_, "Which; without it all of them are listed");
}

void CommandLine::add_version() {
  add_printing("Say which version this is", [this](int, Output& out) {
    out.write(app_.version() + '\n');
    return kOk;
  });
}

// CLI::App::help() would speak of the verb that has been said, which is `help`.
std::string CommandLine::help_of(const CLI::App& app, const std::string& usage) const {
  return app_.get_formatter()->make_help(&app, usage, CLI::AppFormatMode::Normal);
}

int CommandLine::run(int argc, char** argv) {
  if (argc > 1 && argv[1][0] != '-' && !is_verb(argv[1])) return complain_of_verb(argv[1]);
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return complain_of(error);
  }
  for (const Verb& verb : verbs_) {
    if (*verb.app) return verb.run();
  }
  return kUsage;
}

// Help and version come as such errors, too.
int CommandLine::complain_of(const CLI::ParseError& error) {
  std::ostringstream result, ignored;
  if (app_.exit(error, result, ignored) == 0) {
    return with_streams([&](int, Output& out) {
      out.write(result.str());
      return kOk;
    });
  }
  const std::vector<std::string> unknown = app_.remaining(true);
  const bool is_option = !unknown.empty() && unknown.front().starts_with('-');
  return complain((is_option ? unknown_option(unknown.front()) : error.what()) +
                  "\nRun with --help for more information.");
}

std::string CommandLine::unknown_option(const std::string& given) const {
  const std::string option = given.substr(0, given.find('='));
  const CLI::App* said = &app_;
  for (const Verb& verb : verbs_) {
    if (*verb.app) said = verb.app;
  }
  std::vector<std::string> known;
  for (const CLI::Option* each : said->get_options()) {
    for (const std::string& name : each->get_lnames()) known.push_back("--" + name);
    for (const std::string& name : each->get_snames()) {
      if (option == "-" + name) known.push_back(option);
    }
  }
  const bool misplaced = std::find(known.begin(), known.end(), option) != known.end();
  return fmt::format(
      "there is no option {}{}", option,
      misplaced ? fmt::format(" in front of {}; it stands behind", said->get_name()) : suggestion(option, known));
}

int CommandLine::complain_of_verb(const std::string& word) const {
  std::vector<std::string> known;
  for (const Declaration& verb : kDeclarations) known.emplace_back(verb.name);
  return complain(
      fmt::format("there is no verb {}{}\nRun with --help for more information.", word, suggestion(word, known)));
}

bool CommandLine::is_verb(std::string_view word) {
  return std::any_of(std::begin(kDeclarations), std::end(kDeclarations), [&](const Declaration& verb) { return verb.name == word; });
}

}  // namespace

int run_command_line(int argc, char** argv) { return CommandLine(argc > 1 ? argv[1] : "").run(argc, argv); }

}  // namespace collet::cli
