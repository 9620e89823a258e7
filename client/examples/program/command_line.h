// What the examples' programs have in common at their command line: commands with flags and arguments, errors on one line.
//
//   return examples::RunProgram(argc, argv, "Mailboxes on several servers.",
//                               {{.name = "send", .arguments = {"MAILBOX", "TEXT"}, .flags = ClientFlags(), .run = Send}});
//
// Exit codes: 0; 2: the command line is wrong; 3: what was asked of the core may or may not have been done; 1: anything else. All
// but 0 are said on standard error.
#ifndef DROVER_CLIENT_EXAMPLES_PROGRAM_COMMAND_LINE_H_
#define DROVER_CLIENT_EXAMPLES_PROGRAM_COMMAND_LINE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/time.h"
#include "drover/coord/blocking.h"

namespace CLI {
class App;
}

namespace drover::examples {

// A command's, parsed. It lasts as long as the command runs.
struct CommandLine {
  const CLI::App* command;  // of the library that parses it, CLI11
  std::vector<std::string> arguments;

  // A flag of the command, given or by default.
  [[nodiscard]] std::string Flag(const std::string& name) const;
  // One that was found to be a time, or a number.
  [[nodiscard]] base::Duration Time(const std::string& name) const;
  [[nodiscard]] std::uint32_t Number(const std::string& name) const;
  // Whether a flag was given; whether the command has it at all.
  [[nodiscard]] bool Given(const std::string& name) const;
  [[nodiscard]] bool Has(const std::string& name) const;
};

struct Command {
  std::string name;
  // Their names; "[NAME]": may be left out; "NAME...": one or more; "[NAME...]": any number. CLI11 takes "[a,b]" for two of many.
  std::vector<std::string> arguments;
  // Name without dashes, and default. Of kRequired one must be given; one of kSwitch takes no value. "time" in the name ("timeout")
  // makes it a duration, a number as its default a number from 1 to 1000.
  std::map<std::string, std::string> flags;
  std::string help;
  std::function<absl::Status(const CommandLine&)> run;
};
inline constexpr char kRequired[] = "\1";
inline constexpr char kSwitch[] = "\2";

int RunProgram(int argc, char** argv, const std::string& summary, const std::vector<Command>& commands);

// What a command returns that finds its command line wrong where RunProgram could not see it.
[[nodiscard]] absl::Status WrongCommandLine(const std::string& why);
// Such a one unless `name` can be a file and a node alike (IsName); `what` has it: "topic".
[[nodiscard]] absl::Status CheckName(absl::string_view name, absl::string_view what);

// --coord (HOST:PORT,...; else DROVER_COORD) and --timeout (how long a command tries), with `more`.
[[nodiscard]] std::map<std::string, std::string> ClientFlags(std::map<std::string, std::string> more = {});
// --coord, --name and --session-timeout, with `more`.
[[nodiscard]] std::map<std::string, std::string> ServerFlags(std::map<std::string, std::string> more = {});

// For a command with ClientFlags or ServerFlags. Connecting fails with words of who did not answer.
[[nodiscard]] coord::BlockingOptions CoreOptions(const CommandLine& line);
[[nodiscard]] absl::StatusOr<std::unique_ptr<coord::BlockingClient>> ConnectToCore(const coord::BlockingOptions& options);

// Tries until it succeeds, is refused for good (neither UNAVAILABLE nor DEADLINE_EXCEEDED), or `timeout` has passed. What may have
// taken effect is tried again: so every wish needs an id by which it is told from a second one.
[[nodiscard]] absl::Status TryUntil(base::Duration timeout, const std::function<absl::Status()>& attempt);
// 16 random hex digits.
[[nodiscard]] std::string NewId();

}  // namespace drover::examples

#endif  // DROVER_CLIENT_EXAMPLES_PROGRAM_COMMAND_LINE_H_
