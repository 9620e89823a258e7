#include "client/examples/program/command_line.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <random>
#include <thread>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "client/examples/store/fenced_store.h"
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

std::string NoTime(const std::string& text) {
  absl::Duration time;
  if (absl::ParseDuration(text, &time) && time > absl::ZeroDuration()) return "";
  return absl::StrCat("'", text, "' is no time like 10s or 500ms");
}

void AddArgument(absl::string_view name, CLI::App* command) {
  const bool optional = absl::ConsumePrefix(&name, "[") && absl::ConsumeSuffix(&name, "]");
  const bool many = absl::ConsumeSuffix(&name, "...");
  CLI::Option* const argument = command->add_option(std::string(name))->required(!optional);
  if (many) argument->expected(1, -1)->allow_extra_args();
}

void AddFlag(const std::string& name, const std::string& fallback, CLI::App* command) {
  if (fallback == kSwitch) {
    command->add_flag("--" + name)->disable_flag_override();
    return;
  }
  CLI::Option* const flag = command->add_option("--" + name)->type_name("TEXT");
  if (fallback == kRequired) {
    flag->required()->check([](const std::string& text) { return text.empty() ? "it is empty" : ""; });
  } else {
    flag->default_str(fallback);
  }
  std::uint32_t number = 0;
  if (absl::StrContains(name, "time")) flag->type_name("TIME")->check(NoTime);
  if (absl::SimpleAtoi(fallback, &number)) flag->type_name("NUMBER")->check(CLI::Range(1u, kNumberMax));
  if (name == "coord") flag->type_name("HOST:PORT,...")->envname("DROVER_COORD");
}

CommandLine LineOf(const CLI::App& command) {
  CommandLine line{&command, {}};
  for (const CLI::Option* argument : command.get_options([](const CLI::Option* option) { return option->get_positional(); })) {
    line.arguments.insert(line.arguments.end(), argument->results().begin(), argument->results().end());
  }
  return line;
}

std::string OneLine(const CLI::App* program, const CLI::Error& error) {
  std::string name = program->get_name();
  for (const CLI::App* command : program->get_subcommands()) absl::StrAppend(&name, " ", command->get_name());
  return absl::StrCat(program->get_name(), ": ", error.what(), "; see ", name, " --help\n");
}

}  // namespace

std::string CommandLine::Flag(const std::string& name) const {
  return command->get_option("--" + name)->as<std::string>();
}

base::Duration CommandLine::Time(const std::string& name) const {
  absl::Duration time;
  (void)absl::ParseDuration(Flag(name), &time);
  return std::chrono::duration_cast<base::Duration>(absl::ToChronoNanoseconds(time));
}

std::uint32_t CommandLine::Number(const std::string& name) const {
  return command->get_option("--" + name)->as<std::uint32_t>();
}

bool CommandLine::Given(const std::string& name) const {
  return command->count("--" + name) != 0;
}

bool CommandLine::Has(const std::string& name) const {
  return command->get_option_no_throw("--" + name) != nullptr;
}

absl::Status WrongCommandLine(const std::string& why) {
  absl::Status wrong = absl::InvalidArgumentError(why);
  wrong.SetPayload(kWrongCommandLine, absl::Cord());
  return wrong;
}

absl::Status CheckName(absl::string_view name, absl::string_view what) {
  return IsName(name) ? absl::OkStatus() : WrongCommandLine(absl::StrCat("'", name, "' can be no name of a ", what));
}

int RunProgram(int argc, char** argv, const std::string& summary, const std::vector<Command>& commands) {
  CLI::App program(summary, std::filesystem::path(argv[0]).filename());
  program.failure_message(OneLine);
  program.require_subcommand(0, 1);  // else a word that is no command would be reported as none
  absl::Status ran;
  for (const Command& command : commands) {
    CLI::App* const added = program.add_subcommand(command.name, command.help);
    for (const std::string& argument : command.arguments) AddArgument(argument, added);
    for (const auto& [name, fallback] : command.flags) AddFlag(name, fallback, added);
    added->callback([&ran, &command, added] { ran = command.run(LineOf(*added)); });
  }
  try {
    program.parse(argc, argv);
    if (program.get_subcommands().empty()) throw CLI::RequiredError::Subcommand(1);
    if (ran.GetPayload(kWrongCommandLine).has_value()) throw CLI::ValidationError(std::string(ran.message()));
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : 2;
  }
  if (ran.ok()) return 0;
  const bool unknown = coord::IsOutcomeUnknown(ran);
  std::cerr << program.get_name() << ": " << (unknown ? "it may or may not have been done: " : "") << ran.message() << "\n";
  return unknown ? 3 : 1;
}

std::map<std::string, std::string> ClientFlags(std::map<std::string, std::string> more) {
  more.insert({{"coord", kRequired}, {"timeout", "30s"}});
  return more;
}

std::map<std::string, std::string> ServerFlags(std::map<std::string, std::string> more) {
  more.insert({{"coord", kRequired}, {"name", kRequired}, {"session-timeout", "6s"}});
  return more;
}

coord::BlockingOptions CoreOptions(const CommandLine& line) {
  coord::BlockingOptions options;
  options.session.endpoints = absl::StrSplit(line.Flag("coord"), ',');
  options.session.first_endpoint = std::random_device()();
  if (line.Has("session-timeout")) options.session.timeout = line.Time("session-timeout");
  if (line.Has("name")) options.session.name = line.Flag("name");
  options.call_timeout = line.Has("timeout") ? line.Time("timeout") : kServerCallTimeout;
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
