#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/display.h"
#include "cli/input.h"
#include "cli/remote_tables.h"
#include "cli/verbs.h"
#include "foreign/client.h"
#include "foreign/file.h"
#include "foreign/remote_set.h"

namespace collet::cli {
namespace {

using foreign::Remote;
using foreign::Secrets;

int print(const std::vector<Remote>& remotes, Output& out) {
  out.write(tables(remotes, out.is_terminal() ? Secrets::redacted : Secrets::shown));
  if (out.is_terminal())
    tell("*** stands for what may be secret; use --write CONFIG, or send the output to a file");
  return kOk;
}

Result<void> ask(const std::vector<Remote>& remotes, const std::string& file, int in) {
  const char* hint = "; say --yes if all of that may run and be connected to";
  if (!isatty(in)) return error("nothing is written to {}: there is no terminal to ask on{}", file, hint);
  std::fprintf(stderr, "Shall `collet serve` do that, by %s more in %s? [y/N] ",
               remotes.size() == 1 ? "one remote" : fmt::format("{} remotes", remotes.size()).c_str(),
               display::printable(file).c_str());
  const std::string answer = read_line(in);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return error("nothing is written to {}", file);
}

// Only ever adds to the end, so that nothing there can be lost; what does not fit on the disk is taken back.
Result<void> append(const Target& target, const std::string& added) {
  const int fd = open(target.file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return error("cannot write to {}: {}", target.file, std::strerror(errno));
  struct stat status;
  const auto size = static_cast<off_t>(target.text.size());
  Result<void> result;
  if (fstat(fd, &status) != 0 || status.st_size != size) {
    result = error("nothing is written to {}: it has changed meanwhile; try again", target.file);
  } else if (!write_all(fd, added)) {
    const int cause = errno;
    const bool restored = ftruncate(fd, size) == 0;
    result = error("cannot write to {}: {}{}", target.file, std::strerror(cause),
                   restored ? "" : "; its end is incomplete now");
  }
  close(fd);
  return result;
}

int write_to(const Target& target, std::vector<Remote> remotes, bool agreed, int in) {
  const int done = drop_known(target, remotes) ? kOk : kPartly;
  if (remotes.empty()) {
    tell(fmt::format("there is nothing to add to {}", target.file));
    return done;
  }
  show(remotes);
  const auto added = addition(target, remotes);
  if (!added) return complain(added.message());
  if (!agreed) {
    if (auto yes = ask(remotes, target.file, in); !yes) return complain(yes.message());
  }
  if (auto written = append(target, *added); !written) return complain(written.message());
  warn_of_readers(target.file, remotes);
  return done;
}

struct ImportSource {
  std::string file;
  const foreign::Client* client;  // null: it is told by the file
};

// The file that is named, or those that the client has.
Result<std::vector<ImportSource>> sources_of(const ImportOptions& options) {
  const foreign::Client* client = options.client.empty() ? nullptr : foreign::find_client(options.client);
  if (!client && !options.client.empty())
    return error("there is no client {}; known: {}", options.client, foreign::known_clients());
  if (!options.file.empty()) return std::vector<ImportSource>{{options.file, client}};
  if (!client) return error("say which FILE, or --from CLIENT, to import");
  std::vector<ImportSource> sources;
  std::string missing;
  for (const std::filesystem::path& file :
       foreign::files_of(*client, options.workspace.empty() ? std::filesystem::current_path()
                                                            : std::filesystem::path(options.workspace))) {
    std::error_code failure;
    if (std::filesystem::is_regular_file(file, failure)) {
      sources.push_back({file.string(), client});
    } else {
      missing += (missing.empty() ? "" : ", ") + file.string();
    }
  }
  if (!sources.empty()) return sources;
  return error("{} has no configuration here; there is none of {}", client->name,
               missing.empty() ? client->file : missing);
}

// Under its name; under another if a server of another file has that one.
void add(foreign::RemoteSet& found, Remote remote, const std::string& file) {
  const std::string name = remote.name;
  const config::Position at = remote.at;
  const auto added = found.add(std::move(remote), "2");
  if (!added) {
    tell(foreign::at(file, {at, fmt::format("note: {}: the same server was found already", name)}));
  } else if (*added != name) {
    tell(foreign::at(file, {at, fmt::format("note: {}: was called {}, as is another server", *added, name)}));
  }
}

}  // namespace

int import_servers(const ImportOptions& options, int in, Output& out) {
  const auto sources = sources_of(options);
  if (!sources) return complain(sources.message());
  Target target;
  if (!options.write.empty()) {
    auto opened = open_target(options.write);
    if (!opened) return complain(opened.message());
    target = *std::move(opened);
  }
  foreign::RemoteSet found;
  bool is_partial = false;
  for (const auto& [file, client] : *sources) {
    auto findings = foreign::read_file({.file = file, .workspace = options.workspace, .client = client});
    if (!findings) return complain(findings.message());
    report(file, *findings);
    if (!options.write.empty()) drop_self(target, file, findings->remotes);
    is_partial = is_partial || !findings->left_out.empty();
    for (Remote& remote : findings->remotes) add(found, std::move(remote), file);
  }
  std::vector<Remote> remotes = std::move(found.remotes());
  if (is_partial && remotes.empty()) return kInvalid;
  if (options.write.empty()) show(remotes);
  const int done =
      options.write.empty() ? print(remotes, out) : write_to(target, std::move(remotes), options.yes, in);
  return done == kOk && is_partial ? kPartly : done;
}

}  // namespace collet::cli
