// Replaces a plugin again and again under full load, one file in ten corrupt, and counts what goes wrong: nothing
// may.
//
// usage: reload_soak COLLET BUILD_A.so BUILD_B.so [SECONDS]
//
// Seconds with a reload every 50 ms, and between them moments without, so that whatever else the machine does is
// the same for both of the latencies that are compared.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <stdexcept>

#include "cli/admin_client.h"
#include "reload/load.h"

extern char** environ;

namespace reload {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kEvery = std::chrono::milliseconds(50);
constexpr auto kReloading = std::chrono::seconds(1);
constexpr auto kUndisturbed = std::chrono::milliseconds(300);
constexpr unsigned kConnections = 64;
constexpr unsigned kWarmReloads = 100;  // before memory is compared
constexpr std::int64_t kGrowthKibMax = 2 << 10;
constexpr std::uint64_t kSilenceMs = 60'000;  // of the server; then it is dead

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Server {
 public:
  Server(const std::string& collet, const std::string& folder) : folder_(folder) {
    std::ofstream(folder + "/c.toml") << "[server]\nlisten = [\"unix:" << folder << "/http\"]\n[admin]\nsocket = \""
                                      << folder << "/admin\"\n[log]\nlevel = \"off\"\n[plugin.sample]\nlibrary = \""
                                      << folder << "/sample.so\"\n";
    const std::string config = folder + "/c.toml";
    const char* arguments[] = {collet.c_str(), "serve", "-c", config.c_str(), nullptr};
    if (posix_spawn(&pid_, collet.c_str(), nullptr, nullptr, const_cast<char**>(arguments), environ) != 0) {
      throw std::runtime_error("cannot run " + collet);
    }
    const auto deadline = Clock::now() + std::chrono::seconds(10);
    while (!collet::cli::ask_server(admin(), "{}", kSilenceMs)) {
      if (Clock::now() > deadline) throw std::runtime_error("the server does not start");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  ~Server() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }

  std::string http() const { return folder_ + "/http"; }
  std::string admin() const { return folder_ + "/admin"; }

  std::string ask(const std::string& request) const {
    const auto answer = collet::cli::ask_server(admin(), request, kSilenceMs);
    if (!answer || !answer->ok()) throw std::runtime_error("the server does not answer: is it dead?");
    return **answer;
  }
  std::int64_t resident_kib() const {
    std::ifstream status(proc("status"));
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
    }
    return 0;
  }
  // Copies of the plugin that are mapped.
  std::size_t copies() const {
    std::ifstream maps(proc("maps"));
    std::set<std::string> files;
    for (std::string line; std::getline(maps, line);) {
      if (line.find("sample.so") != std::string::npos) files.insert(line.substr(line.find('/')));
    }
    return files.size();
  }

 private:
  std::string proc(const char* what) const { return "/proc/" + std::to_string(pid_) + '/' + what; }

  const std::string folder_;
  pid_t pid_ = 0;
};

// The two builds in turn, and every tenth time one of them cut off or with garbage for its headers.
class Builds {
 public:
  Builds(const char* a, const char* b) : good_{contents(a), contents(b)} {}

  bool next_is_corrupt() const { return turn_ % 10 == 9; }
  std::string next() {
    std::string bytes = good_[turn_ % 2];
    if (next_is_corrupt()) {
      if (turn_ % 20 == 9) {
        bytes.resize(random_() % bytes.size());
      } else {
        for (int i = 0; i < 64; ++i) bytes[16 + random_() % 400] = static_cast<char>(random_());
      }
    }
    ++turn_;
    return bytes;
  }

 private:
  const std::string good_[2];
  unsigned turn_ = 0;
  std::mt19937 random_{7};
};

void install(const std::string& folder, const std::string& bytes) {
  std::ofstream(folder + "/next", std::ios::binary) << bytes;
  fs::rename(folder + "/next", folder + "/sample.so");
}

struct Tally {
  unsigned reloads = 0;
  unsigned refused = 0;
  unsigned refused_good = 0;
  std::int64_t resident_kib = 0;  // once warm
  std::string first_refusal;
};

void reload(const Server& server, const std::string& folder, Builds& builds, Tally& tally) {
  const bool corrupt = builds.next_is_corrupt();
  install(folder, builds.next());
  const std::string answer = server.ask(R"({"do":"reload","plugin":"sample"})");
  ++tally.reloads;
  if (answer.starts_with(R"({"ok":false)")) {
    ++tally.refused;
    if (!corrupt) {
      ++tally.refused_good;
      tally.first_refusal = answer;
    }
  }
  if (tally.reloads == kWarmReloads) tally.resident_kib = server.resident_kib();
}

Tally reload_for(std::chrono::seconds time, const Server& server, const std::string& folder, Builds& builds,
                 Load& load) {
  Tally tally;
  for (std::chrono::seconds done{}; done < time; done += kReloading) {
    load.set_phase(Load::undisturbed);
    std::this_thread::sleep_for(kUndisturbed);
    load.set_phase(Load::reloading);
    auto next = Clock::now();
    for (const auto end = next + kReloading; next < end; std::this_thread::sleep_until(next)) {
      reload(server, folder, builds, tally);
      next += kEvery;
    }
  }
  return tally;
}

bool check(const char* what, bool good) {
  if (!good) std::printf("FAILED: %s\n", what);
  return good;
}

int soak(const char* collet, const char* a, const char* b, unsigned seconds) {
  std::string folder = fs::temp_directory_path() / "collet-soak-XXXXXX";
  if (!mkdtemp(folder.data())) throw std::runtime_error("cannot make a folder");
  fs::copy_file(a, folder + "/sample.so");
  bool good = true;
  {
    const Server server(collet, folder);
    Load load(server.http(), kConnections);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    Builds builds(a, b);
    const Tally tally = reload_for(std::chrono::seconds(seconds), server, folder, builds, load);
    load.stop();
    std::string listing;
    do {
      listing = server.ask(R"({"do":"list"})");
    } while (listing.find(R"("draining":[])") == std::string::npos);
    const std::int64_t growth = server.resident_kib() - tally.resident_kib;
    const Counts& counts = load.counts();
    const Histogram& quiet = load.latencies(Load::undisturbed);
    const Histogram& busy = load.latencies(Load::reloading);

    std::printf("%u reloads, %u files refused, %llu calls: %llu failed, %llu wrong, %llu lost\n", tally.reloads,
                tally.refused, static_cast<unsigned long long>(counts.answered),
                static_cast<unsigned long long>(counts.failed), static_cast<unsigned long long>(counts.wrong),
                static_cast<unsigned long long>(counts.lost));
    std::printf(
        "latency p50 and p99: %llu and %llu us without, %llu and %llu us during reloads\n",
        static_cast<unsigned long long>(quiet.quantile(0.5)), static_cast<unsigned long long>(quiet.quantile(0.99)),
        static_cast<unsigned long long>(busy.quantile(0.5)), static_cast<unsigned long long>(busy.quantile(0.99)));
    std::printf("%zu copies mapped at the end, resident memory grew by %lld KiB after %u reloads\n",
                server.copies(), static_cast<long long>(growth), kWarmReloads);
    if (!counts.first_bad.empty()) std::printf("first bad answer: %s\n", counts.first_bad.c_str());
    if (!tally.first_refusal.empty()) std::printf("a good file was refused: %s\n", tally.first_refusal.c_str());

    good &= check("every call is answered, rightly", counts.failed + counts.wrong + counts.lost == 0);
    good &= check("good files are taken", tally.refused_good == 0);
    good &= check("corrupt files are refused", tally.refused >= tally.reloads / 12);
    good &= check("one copy is mapped", server.copies() == 1);
    good &= check("nothing is left behind", listing.find(R"("leftBehind":[])") != std::string::npos);
    good &= check("memory does not grow", tally.reloads < kWarmReloads || growth <= kGrowthKibMax);
  }
  fs::remove_all(folder);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace reload

int main(int argc, char** argv) {
  if (argc < 4 || argc > 5) {
    std::fprintf(stderr, "usage: %s COLLET BUILD_A.so BUILD_B.so [SECONDS]\n", argv[0]);
    return 2;
  }
  try {
    return reload::soak(argv[1], argv[2], argv[3], argc > 4 ? static_cast<unsigned>(std::stoul(argv[4])) : 60);
  } catch (const std::exception& error) {
    std::printf("FAILED: %s\n", error.what());
    return 1;
  }
}
