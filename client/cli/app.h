// What every command has in hand: the global options, where to print, and the ways to the cluster.
#ifndef DROVER_CLIENT_CLI_APP_H_
#define DROVER_CLIENT_CLI_APP_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/output.h"
#include "coord/base/time.h"
#include "coord/process/options.h"
#include "drover/client/task_client.h"
#include "drover/coord/blocking.h"

namespace drover::cli {

struct Globals {
  std::vector<std::string> coord = {"127.0.0.1:7400"};
  std::vector<std::string> masters;
  std::string pool = "default";
  std::string format = "table";
  base::Duration request_timeout = std::chrono::seconds(30);
  std::vector<std::string> auth;  // each "digest:USER:PASSWORD"

  void AddTo(process::OptionSet* options);
};

// "table", "json", "jsonl", "id".
[[nodiscard]] std::optional<Format> ParseFormat(const std::string& name);
// The format asked for in a command line or environment that could not be understood, so that its error can be printed in it.
using Environment = std::function<std::optional<std::string>(const std::string& variable)>;
[[nodiscard]] Format GuessFormat(const std::vector<std::string>& args, const Environment& environment);

class TreeSession;

struct App {
  static constexpr char kHere[] = ".";
  using TasksMaker = std::function<absl::StatusOr<std::unique_ptr<client::TaskClient>>(const Globals&)>;

  const Globals& globals;
  Output& output;
  const TasksMaker& make_tasks;                     // MakeTasks; tests bring their own
  std::vector<coord::Credential> credentials = {};  // of globals.auth
  TreeSession* session = nullptr;                   // of the shell that runs the command; null: none does

  [[nodiscard]] absl::StatusOr<std::unique_ptr<client::TaskClient>> Tasks() const { return make_tasks(globals); }
  // A session with the coordination service, the command's own. UNAVAILABLE names the nodes that were tried.
  [[nodiscard]] absl::StatusOr<std::unique_ptr<coord::BlockingClient>> Core(
      base::Duration session_timeout = coord::SessionOptions().timeout) const;
  [[nodiscard]] coord::BlockingOptions CoreOptions() const;
  // Why no session was opened, in the same words.
  [[nodiscard]] absl::Status Explained(const absl::Status& why) const;
  // The nodes' silence, in one sentence for both ways to the coordination service. What nodes have said stays as it is.
  [[nodiscard]] absl::Status Silent(const absl::Status& why) const;
  // The path of a node as it was typed: in a shell it may be relative to the node at hand. PathOrHere: kHere, where none was typed,
  // stands for that one, and outside of a shell for the root.
  [[nodiscard]] std::string Path(const std::string& typed) const;
  [[nodiscard]] std::string PathOrHere(const std::string& typed) const;
  // Its session lives on when the command has ended.
  [[nodiscard]] bool keeps_session() const { return session != nullptr; }
  // Options that exclude each other and the like.
  int Usage(const std::string& what) const { return output.Fail(absl::InvalidArgumentError(what)); }
};

// A client of the masters that the options name.
[[nodiscard]] absl::StatusOr<std::unique_ptr<client::TaskClient>> MakeTasks(const Globals& globals);

// A command as it was registered: run if its options were chosen.
struct Command {
  process::OptionSet* options;
  std::function<int(const App&)> run;
};
using Commands = std::vector<Command>;

// One function for each group; each adds its commands to `root`, what they need travels in their `run`.
// Why a NAME that was given is none; nothing: it is one.
[[nodiscard]] std::optional<std::string> WrongName(const std::string& name);

void AddDevCommand(process::OptionSet* root, Commands* commands);
void AddTaskCommands(process::OptionSet* root, Commands* commands);
void AddRunCommand(process::OptionSet* root, Commands* commands);
void AddSubmitCommand(process::OptionSet* root, Commands* commands);
void AddCheckCommand(process::OptionSet* root, Commands* commands);
void AddQueueCommands(process::OptionSet* root, Commands* commands);
void AddScheduleCommands(process::OptionSet* root, Commands* commands);
void AddMemberCommands(process::OptionSet* root, Commands* commands);
// `terminal`: people are there, so that `drover tree` alone is the shell.
void AddTreeCommands(process::OptionSet* root, Commands* commands, bool terminal);
// Below `drover tree`, and in its shell.
void AddTreeCommandsTo(process::OptionSet* tree, Commands* commands, bool in_shell);
void AddTreeShellCommand(process::OptionSet* tree, Commands* commands);
void AddTreeLookCommands(process::OptionSet* tree, Commands* commands);
void AddTreeWatchCommand(process::OptionSet* tree, Commands* commands);
void AddTreeMultiCommand(process::OptionSet* tree, Commands* commands);
void AddTreeTransferCommands(process::OptionSet* tree, Commands* commands);
void AddTreeAccessCommands(process::OptionSet* tree, Commands* commands);
void AddTreeLockCommand(process::OptionSet* tree, Commands* commands);
void AddClusterCommands(process::OptionSet* root, Commands* commands);
void AddSnapshotCommands(process::OptionSet* cluster, Commands* commands);  // `drover cluster snapshot`
void AddSnapshotRestoreCommand(process::OptionSet* snapshot, Commands* commands);
// Below `drover cluster`.
void AddClusterMemberCommands(process::OptionSet* cluster, Commands* commands);
void AddVersionCommand(process::OptionSet* root, Commands* commands);

// The whole program: parses, runs, returns the exit code. `args` without the program's name.
int Main(const std::vector<std::string>& args, const Environment& environment, std::ostream& out, std::ostream& err);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_APP_H_
