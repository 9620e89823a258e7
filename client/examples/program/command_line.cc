#include "client/examples/program/command_line.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "drover/coord/status.h"

namespace drover::examples {
namespace {

using std::chrono::steady_clock;

constexpr base::Duration kPause = std::chrono::milliseconds(50);
// Of one call of a server: it would rather see that it is to stop.
constexpr base::Duration kServerCallTimeout = std::chrono::seconds(5);
constexpr std::uint32_t kNumberMax = 1000;
// Marks the status of WrongCommandLine.
constexpr char kWrongCommandLine[] = "drover.examples/wrong-command-line";

std::string Usage(const std::string& program, const Command& command) {
  std::string usage = absl::StrCat(program, " ", command.name);
  for (const std::string& argument : command.arguments) absl::StrAppend(&usage, " ", argument);
  for (const auto& [name, fallback] : command.flags) {
    const bool required = fallback == kRequired;
    if (fallback == kSwitch) {
      absl::StrAppend(&usage, " [--", name, "]");
      continue;
    }
    absl::StrAppend(&usage, required ? " --" : " [--", name, required ? " ..." : fallback.empty() ? " ...]" : " " + fallback + "]");
  }
  return usage;
}

int Help(const std::string& program, const std::string& summary, const std::vector<Command>& commands) {
  std::cout << summary << "\n\n";
  for (const Command& command : commands) std::cout << Usage(program, command) << "\n    " << command.help << "\n";
  return 0;
}

absl::Status Judge(const Command& command, CommandLine* line) {
  for (const auto& [name, fallback] : command.flags) {
    const auto [flag, added] = line->flags.emplace(name, fallback);
    if (added && fallback == kRequired) return absl::InvalidArgumentError(absl::StrCat("--", name, " is missing"));
    absl::Duration time;
    if (absl::StrContains(name, "time") && (!absl::ParseDuration(flag->second, &time) || time <= absl::ZeroDuration())) {
      return absl::InvalidArgumentError(absl::StrCat("--", name, " '", flag->second, "' is no time like 10s or 500ms"));
    }
    std::uint32_t number = 0;
    if (absl::SimpleAtoi(fallback, &number) && (!absl::SimpleAtoi(flag->second, &number) || number < 1 || number > kNumberMax)) {
      return absl::InvalidArgumentError(absl::StrCat("--", name, " '", flag->second, "' is no number from 1 to ", kNumberMax));
    }
    if (name == "coord" && flag->second.empty()) {
      return absl::InvalidArgumentError("--coord HOST:PORT,... is missing, and DROVER_COORD is not set");
    }
  }
  const auto needed = static_cast<std::size_t>(
      std::count_if(command.arguments.begin(), command.arguments.end(), [](const std::string& name) { return name[0] != '['; }));
  if (line->arguments.size() < needed) {
    return absl::InvalidArgumentError(absl::StrCat(command.arguments[line->arguments.size()], " is missing"));
  }
  const bool more = !command.arguments.empty() && absl::EndsWith(command.arguments.back(), "...");
  if (!more && line->arguments.size() > command.arguments.size()) {
    return absl::InvalidArgumentError(absl::StrCat("'", line->arguments[command.arguments.size()], "' is one argument too many"));
  }
  return absl::OkStatus();
}

absl::StatusOr<CommandLine> Parse(const Command& command, const std::vector<std::string>& words) {
  CommandLine line;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!absl::StartsWith(words[i], "--")) {
      line.arguments.push_back(words[i]);
      continue;
    }
    const std::pair<std::string, std::string> parts = absl::StrSplit(words[i].substr(2), absl::MaxSplits('=', 1));
    const auto flag = command.flags.find(parts.first);
    if (flag == command.flags.end()) return absl::InvalidArgumentError(absl::StrCat("unknown flag --", parts.first));
    const bool has_value = absl::StrContains(words[i], '=');
    if (flag->second == kSwitch) {
      if (has_value) return absl::InvalidArgumentError(absl::StrCat("--", parts.first, " takes no value"));
      line.flags[parts.first] = "given";
    } else if (has_value) {
      line.flags[parts.first] = parts.second;
    } else if (i + 1 < words.size()) {
      line.flags[parts.first] = words[++i];
    } else {
      return absl::InvalidArgumentError(absl::StrCat("--", parts.first, " needs a value"));
    }
  }
  if (absl::Status judged = Judge(command, &line); !judged.ok()) return judged;
  return line;
}

}  // namespace

base::Duration CommandLine::Time(const std::string& name) const {
  absl::Duration time;
  (void)absl::ParseDuration(Flag(name), &time);
  return std::chrono::duration_cast<base::Duration>(absl::ToChronoNanoseconds(time));
}

std::uint32_t CommandLine::Number(const std::string& name) const {
  std::uint32_t number = 0;
  (void)absl::SimpleAtoi(Flag(name), &number);
  return number;
}

bool CommandLine::Given(const std::string& name) const {
  return Flag(name) != kSwitch;
}

absl::Status WrongCommandLine(const std::string& why) {
  absl::Status wrong = absl::InvalidArgumentError(why);
  wrong.SetPayload(kWrongCommandLine, absl::Cord());
  return wrong;
}

int RunProgram(int argc, char** argv, const std::string& summary, const std::vector<Command>& commands) {
  const std::string program = std::string(argv[0]).substr(std::string(argv[0]).rfind('/') + 1);
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) {
    std::cerr << program << ": a command is missing; see " << program << " --help\n";
    return 2;
  }
  if (words[0] == "--help") return Help(program, summary, commands);
  const auto command = std::find_if(commands.begin(), commands.end(), [&](const Command& one) { return one.name == words[0]; });
  if (command == commands.end()) {
    std::cerr << program << ": unknown command '" << words[0] << "'; see " << program << " --help\n";
    return 2;
  }
  const absl::StatusOr<CommandLine> line = Parse(*command, {words.begin() + 1, words.end()});
  const absl::Status ran = line.ok() ? command->run(*line) : line.status();
  if (ran.ok()) return 0;
  const bool unknown = coord::IsOutcomeUnknown(ran);
  std::cerr << program << ": " << (unknown ? "it may or may not have been done: " : "") << ran.message();
  const bool wrong = !line.ok() || ran.GetPayload(kWrongCommandLine).has_value();
  if (wrong) std::cerr << "; usage: " << Usage(program, *command);
  std::cerr << "\n";
  return wrong ? 2 : unknown ? 3 : 1;
}

std::map<std::string, std::string> ClientFlags(std::map<std::string, std::string> more) {
  const char* coord = std::getenv("DROVER_COORD");
  more.insert({{"coord", coord == nullptr ? "" : coord}, {"timeout", "30s"}});
  return more;
}

std::map<std::string, std::string> ServerFlags(std::map<std::string, std::string> more) {
  const char* coord = std::getenv("DROVER_COORD");
  more.insert({{"coord", coord == nullptr ? "" : coord}, {"name", kRequired}, {"session-timeout", "6s"}});
  return more;
}

coord::BlockingOptions CoreOptions(const CommandLine& line) {
  coord::BlockingOptions options;
  options.session.endpoints = absl::StrSplit(line.Flag("coord"), ',');
  options.session.first_endpoint = std::random_device()();
  if (line.flags.count("session-timeout") != 0) options.session.timeout = line.Time("session-timeout");
  if (line.flags.count("name") != 0) options.session.name = line.Flag("name");
  options.call_timeout = line.flags.count("timeout") != 0 ? line.Time("timeout") : kServerCallTimeout;
  return options;
}

absl::StatusOr<std::unique_ptr<coord::BlockingClient>> ConnectToCore(const coord::BlockingOptions& options) {
  auto client = coord::BlockingClient::Connect(options);
  if (client.ok()) return client;
  return absl::Status(
      client.status().code(),
      absl::StrCat("no session with the core at ", absl::StrJoin(options.session.endpoints, ","), ": ", client.status().message()));
}

absl::Status TryUntil(base::Duration timeout, const std::function<absl::Status()>& attempt) {
  const steady_clock::time_point end = steady_clock::now() + timeout;
  while (true) {
    absl::Status tried = attempt();
    if (!absl::IsUnavailable(tried) && !absl::IsDeadlineExceeded(tried)) return tried;
    if (steady_clock::now() + kPause >= end) return tried;
    std::this_thread::sleep_for(kPause);
  }
}

std::string NewId() {
  std::random_device random;
  return absl::StrFormat("%08x%08x", random(), random());
}

}  // namespace drover::examples
