#include "tests/tidy/sources.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

namespace drover::tidy {
namespace {

namespace fs = std::filesystem;

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}
bool EndsWith(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}
bool IsCode(const Source& source) {
  return EndsWith(source.path, ".h") || EndsWith(source.path, ".cc");
}

// The line without a // comment and without the contents of string literals, so that prose breaks no rule.
std::string Code(const std::string& line) {
  std::string code;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = false;
        code += c;
      }
      continue;
    }
    if (c == '/' && i + 1 < line.size() && line[i + 1] == '/') break;
    if (c == '"' && !(i > 0 && line[i - 1] == '\'')) quoted = true;
    code += c;
  }
  return code;
}

bool IsInclude(const std::string& line) {
  return StartsWith(line, "#include");
}

char Upper(char c) {
  const auto u = static_cast<unsigned char>(c);
  return std::isalnum(u) != 0 ? static_cast<char>(std::toupper(u)) : '_';
}

struct Rule {
  std::vector<std::string> rooms;  // path prefixes
  std::vector<std::string> except;
  std::regex pattern;
  bool on_includes;  // against #include lines as written, else against code
  std::string what;
};

std::vector<Finding> Apply(const std::vector<Rule>& rules, const std::vector<Source>& sources) {
  std::vector<Finding> findings;
  for (const Source& source : sources) {
    if (!IsCode(source)) continue;
    auto within = [&](const std::vector<std::string>& places) {
      return std::any_of(places.begin(), places.end(), [&](const std::string& p) { return StartsWith(source.path, p); });
    };
    for (const Rule& rule : rules) {
      if (!within(rule.rooms) || within(rule.except)) continue;
      for (std::size_t i = 0; i < source.lines.size(); ++i) {
        const std::string& line = source.lines[i];
        const bool hit = rule.on_includes ? IsInclude(line) && std::regex_search(line, rule.pattern)
                                          : !IsInclude(line) && std::regex_search(Code(line), rule.pattern);
        if (hit) findings.push_back({source.path, i + 1, rule.what});
      }
    }
  }
  return findings;
}

const std::vector<std::string> kPure = {"coord/raft/", "coord/tree/", "master/scheduler/"};
// Everything that decides: the pure rooms and the event-driven machines.
const std::vector<std::string> kDeciding = {"coord/raft/",
                                            "coord/tree/",
                                            "master/scheduler/",
                                            "coord/client/",
                                            "coord/recipes/",
                                            "worker/agent/",
                                            "master/state/",
                                            "master/server/",
                                            "master/pool/",
                                            "coord/server/node",
                                            "coord/server/lease",
                                            "coord/server/session",
                                            "coord/server/peer",
                                            "coord/server/touches",
                                            "coord/server/formation",
                                            "coord/server/member_process",
                                            "coord/server/cluster_clock",
                                            "tests/sim/check/"};
// Facades of the rooms above that block on purpose, and programs' mains.
const std::vector<std::string> kFacades = {"coord/client/blocking", "coord/client/include/drover/coord/blocking.h",
                                           "coord/client/reader",   "master/server/main.cc",
                                           "coord/server/main.cc",  "worker/agent/death_report"};

}  // namespace

std::ostream& operator<<(std::ostream& os, const Finding& finding) {
  return os << finding.path << ":" << finding.line << ": " << finding.what;
}

std::vector<Source> ReadSources(const std::string& root) {
  std::vector<Source> sources;
  for (const char* top : {"coord", "master", "worker", "client", "proto", "tests", "deploy"}) {
    if (!fs::exists(fs::path(root) / top)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(fs::path(root) / top)) {
      if (!entry.is_regular_file()) continue;
      const std::string name = entry.path().filename().string();
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc" && extension != ".proto" && extension != ".cmake" && name != "CMakeLists.txt")
        continue;
      Source source{fs::relative(entry.path(), root).generic_string(), {}};
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) source.lines.push_back(line);
      sources.push_back(std::move(source));
    }
  }
  std::sort(sources.begin(), sources.end(), [](const Source& a, const Source& b) { return a.path < b.path; });
  return sources;
}

std::vector<Finding> CheckRooms(const std::vector<Source>& sources) {
  static const std::vector<Rule> rules = {
      {kPure,
       {},
       std::regex(
           R"(<(thread|mutex|condition_variable|future|atomic|random|fstream|iostream|filesystem|unistd\.h|sys/.*|fcntl\.h|time\.h|ctime)>)"),
       true,
       "a pure room includes threads, randomness, files or sockets"},
      {kPure,
       {},
       std::regex(R"(grpc|google/protobuf|\.pb\.h|absl/time/clock|absl/synchronization)"),
       true,
       "a pure room includes gRPC, protobuf or a clock"},
      {kPure,
       {},
       std::regex(R"((steady|system|high_resolution)_clock|absl::Now|clock_gettime|getrandom|\brand\(\))"),
       false,
       "a pure room reads a clock or makes randomness of its own"},
      {{"coord/raft/", "coord/tree/", "coord/log/", "coord/base/", "master/scheduler/", "worker/exec/", "client/store/"},
       {},
       std::regex(R"(grpc|google/protobuf|\.pb\.h)"),
       true,
       "a room that is built without gRPC and protobuf includes them"},
      {{"coord/client/", "coord/recipes/", "coord/server/", "worker/agent/", "master/state/", "master/pool/"},
       {},
       std::regex(R"(<(grpc|grpcpp)/)"),
       true,
       "gRPC belongs into the thin adapters of coord/transport"},
      {{"coord/client/include/", "coord/recipes/include/", "client/include/", "worker/include/"},
       {},
       std::regex(R"(\.pb\.h|grpc)"),
       true,
       "a public header shows generated or gRPC types"},
      {{"coord/recipes/"},
       {},
       std::regex(R"("coord/(client|server|tree|raft|log|transport)/)"),
       true,
       "recipes are written on the client's public headers alone"},
      {{"coord/", "proto/"}, {}, std::regex(R"("(master|worker|client)/)"), true, "dependencies point down only"},
      {{"coord/", "master/", "worker/", "client/"}, {}, std::regex(R"("tests/)"), true, "sources do not include tests"},
  };
  return Apply(rules, sources);
}

std::vector<Finding> CheckDeterminism(const std::vector<Source>& sources) {
  static const std::vector<Rule> rules = {
      {kDeciding, kFacades, std::regex(R"(\bstd::unordered_(map|set|multimap|multiset)\b)"), false,
       "deciding code uses std::unordered_*: use an ordered container, or absl::flat_hash_* that is never iterated"},
      {kDeciding, kFacades, std::regex(R"(for \(.*:\s*\w*(hash|unordered)\w*\))"), false,
       "deciding code iterates an unordered container"},
      {kDeciding, kFacades, std::regex(R"(std::\w+_distribution\b)"), false, "std:: distributions differ between libraries"},
      {kDeciding, kFacades,
       std::regex(R"(^\s*(static|thread_local) (?!const\b|constexpr\b|constinit\b)[\w:<>, *&]+ \w+\s*(=|\{|;))"), false,
       "a mutable static"},
      {kDeciding, kFacades,
       std::regex(
           R"(\b(sleep_for|sleep_until|usleep|nanosleep|SleepFor)\b|std::(future|promise|condition_variable|thread|jthread)\b)"),
       false, "deciding code blocks or makes threads"},
      {kDeciding, kFacades,
       std::regex(R"((steady|system|high_resolution)_clock|absl::Now|clock_gettime|gettimeofday|\btime\((nullptr|NULL|0|&))"),
       false, "deciding code reads a clock of its own: time comes from its loop, whose instants never jump"},
  };
  return Apply(rules, sources);
}

std::vector<Finding> CheckTests(const std::vector<Source>& sources) {
  std::vector<Finding> findings;
  std::set<std::string> paths;
  std::set<std::string> folders;
  for (const Source& source : sources) {
    paths.insert(source.path);
    for (fs::path p = fs::path(source.path).parent_path(); !p.empty(); p = p.parent_path()) folders.insert(p.generic_string());
  }
  auto cmake_of = [&](const std::string& folder) -> const Source* {
    for (const Source& source : sources) {
      if (source.path == folder + "/CMakeLists.txt") return &source;
    }
    return nullptr;
  };
  static const std::regex disabled(R"(\bDISABLED_|GTEST_SKIP)");
  for (const Source& source : sources) {
    if (!EndsWith(source.path, "_test.cc")) continue;
    const fs::path path(source.path);
    const std::string folder = path.parent_path().generic_string();
    const std::string file = path.filename().string();
    if (!StartsWith(source.path, "tests/")) findings.push_back({source.path, 0, "a test outside of tests/"});
    const Source* cmake = cmake_of(folder);
    const bool built =
        cmake != nullptr && std::any_of(cmake->lines.begin(), cmake->lines.end(), [&](const std::string& line) {
          return std::regex_search(
              line, std::regex("(^|[ (\"])" + std::regex_replace(file, std::regex(R"(\.)"), R"(\.)") + "($|[ )\"])"));
        });
    if (!built) findings.push_back({source.path, 0, "not in its folder's CMakeLists.txt, so never built"});
    // tests/coord/log/segment_test.cc mirrors coord/log/; support, sim, scenarios, e2e, chaos, rivals, bench, oracle and tidy are
    // the tests' own folders.
    const std::string mirrored = folder.substr(std::min(folder.size(), std::string("tests/").size()));
    static const std::set<std::string> own = {"support",     "sim",   "sim/check", "sim/run", "scenarios", "e2e",    "chaos",
                                              "chaos/tasks", "bench", "tidy",      "install", "fuzz",      "oracle", "rivals"};
    if (own.count(mirrored) == 0 && folders.count(mirrored) == 0) findings.push_back({source.path, 0, "mirrors no folder"});
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      if (std::regex_search(Code(source.lines[i]), disabled))
        findings.push_back({source.path, i + 1, "a disabled or skipped test"});
    }
  }
  return findings;
}

std::vector<Finding> CheckHabits(const std::vector<Source>& sources) {
  std::vector<Finding> findings;
  static const std::regex marks(R"(\b(TODO|FIXME|XXX|HACK)\b)");
  for (const Source& source : sources) {
    if (StartsWith(source.path, "tests/tidy/")) continue;
    if (source.lines.size() > 800) findings.push_back({source.path, 0, "over 800 lines: split it by noun"});
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      if (std::regex_search(source.lines[i], marks)) findings.push_back({source.path, i + 1, "a mark of unfinished work"});
    }
    if (!EndsWith(source.path, ".h")) continue;
    std::string guard = "DROVER_";
    for (const char c : source.path) guard += Upper(c);
    guard += '_';
    const bool guarded =
        std::any_of(source.lines.begin(), source.lines.end(), [&](const std::string& line) { return line == "#ifndef " + guard; });
    if (!guarded) findings.push_back({source.path, 0, "its include guard is not " + guard});
  }
  return findings;
}

}  // namespace drover::tidy
