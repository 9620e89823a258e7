// raft-scenario FILE...: runs scenario files, each on a cluster of its own, and says which line failed. Exits 0 only if all passed.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "tests/scenarios/script.h"

namespace {

// Where the run stands, for an assertion or worse inside the machine that ends the process.
char g_place[512];

void OnDeath(int signal) {
  const ssize_t written = write(STDERR_FILENO, g_place, strnlen(g_place, sizeof(g_place)));
  static_cast<void>(written);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

absl::Status RunFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError("cannot be read");
  std::stringstream text;
  text << file.rdbuf();
  const auto at_line = [&](int line) {
    std::snprintf(g_place, sizeof(g_place), "%s:%d: the process ends here\n", path.c_str(), line);
  };
  return drover::scenarios::Script(at_line).Run(text.str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || std::string(argv[1]) == "--help") {
    std::cout << "raft-scenario FILE...\nRuns scenario files of the consensus core; tests/scenarios/README.md is their language.\n";
    return argc < 2 ? 2 : 0;
  }
  for (const int signal : {SIGABRT, SIGSEGV}) std::signal(signal, OnDeath);
  int passed = 0;
  int failed = 0;
  for (int i = 1; i < argc; ++i) {
    const absl::Status ok = RunFile(argv[i]);
    ++(ok.ok() ? passed : failed);
    if (!ok.ok()) std::cout << argv[i] << ":" << ok.message() << "\n";
  }
  std::cout << passed << " passed, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}
