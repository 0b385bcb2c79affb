#include "plugin/crash/report.h"

#include <fmt/core.h>

#include <algorithm>
#include <csignal>

#include "base/text.h"
#include "plugin/crash/namer.h"

namespace collet::plugin::crash {
namespace {

constexpr std::string_view kOwnDescriptors = "/proc/self/fd/";  // a worker's, see worker/child/sandbox.cc

std::string readable(std::string_view text) { return std::string(text::Utf8(text).view()); }

bool has_address(const Record& record) {
  constexpr int kWithAddress[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  return record.code > 0 && std::find(std::begin(kWithAddress), std::end(kWithAddress), record.signal) != std::end(kWithAddress);
}

std::string end_words(const Record& record) {
  if (record.signal == 0) return fmt::format("called {}({})", readable(record.ender.view()), record.code);
  const char* name = sigabbrev_np(record.signal);
  const char* description = sigdescr_np(record.signal);
  std::string words = fmt::format("crashed with SIG{} ({})", name ? name : "?", description ? description : "unknown");
  if (has_address(record)) words += fmt::format(" at address {:#x}", record.address);
  return words;
}

std::string place_words(const Record& record) {
  if (record.plugin.view().empty()) return " outside of any plugin's code";
  std::string words;
  if (!record.function.view().empty()) words += " in " + readable(record.function.view());
  if (!record.kind.view().empty()) {
    const char* const more = record.item.is_full() ? "…" : "";
    words += fmt::format(" of the {} \"{}{}\"", readable(record.kind.view()), readable(record.item.view()), more);
  }
  if (record.call != 0) words += fmt::format(", call {}", record.call);
  return words;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// The file that a module was loaded from, in this process's eyes.
std::string file_of(std::string_view loaded_as, const LoadedLibrary& library) {
  if (loaded_as.empty()) return "/proc/self/exe";  // of who looks for names, which is the same executable
  if (!loaded_as.starts_with(kOwnDescriptors)) return std::string(loaded_as);
  const std::size_t slash = loaded_as.find('/', kOwnDescriptors.size());
  return slash == std::string_view::npos ? library.copy : folder_of(library.copy) + std::string(loaded_as.substr(slash));
}

// What a copy in a folder of copies was made from, as far as its own name says that: "3-add.so", or "3-view/opt/add.so" in a
// view.
std::string name_of_copy(std::string_view entry) {
  const std::size_t slash = entry.find('/');
  if (slash != std::string_view::npos) return std::string(entry.substr(slash));
  return std::string(entry.substr(entry.find('-') + 1));
}

// What people call that file.
std::string shown(const std::string& file, const LoadedLibrary& library) {
  if (file == "/proc/self/exe") return "collet";
  if (file == library.copy && !library.original.empty()) return library.original;
  if (library.view != library.copy && file.starts_with(library.view + '/')) return file.substr(library.view.size());
  const std::size_t folder = library.process != 0 ? file.find(fmt::format("/{}-", library.process)) : std::string::npos;
  const std::size_t entry = folder == std::string::npos ? folder : file.find('/', folder + 1);
  return entry == std::string::npos ? file : name_of_copy(std::string_view(file).substr(entry + 1));
}

}  // namespace

std::vector<std::string> describe(const Record& record, const LoadedLibrary& library, const std::string& executable) {
  std::vector<std::string> lines{end_words(record) + place_words(record)};
  std::vector<CodePlace> places;
  for (std::uint32_t i = 0; i < record.frame_count; ++i) {
    const Record::Frame& frame = record.frames[i];
    std::string file;
    if (frame.module != Record::kNoModule) file = file_of(readable(record.modules[frame.module].view()), library);
    places.push_back({std::move(file), frame.offset - frame.returns});
  }
  const std::vector<CodeName> names = find_names(executable, places);
  for (std::uint32_t i = 0; i < record.frame_count; ++i) {
    const Record::Frame& frame = record.frames[i];
    std::string line = fmt::format("  #{} ", i);
    if (frame.module == Record::kNoModule) {
      line += fmt::format("{:#x}, where no library is", frame.address);
    } else {
      const CodeName& name = names[i];
      line += name.function.empty() ? fmt::format("{:#x}", frame.offset)
                                    : fmt::format("{}+{:#x}", readable(name.function), name.past + frame.returns);
      if (!name.source.empty()) line += " at " + readable(name.source);
      line += " in " + shown(places[i].file, library);
    }
    if (frame.repeats > 0) line += fmt::format(", {} times", frame.repeats + 1);
    lines.push_back(std::move(line));
  }
  if (record.cut_off != 0) lines.emplace_back("  and more");
  return lines;
}

}  // namespace collet::plugin::crash
