// `drover cluster snapshot save|inspect`: backups of the coordination core.
#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/backup_text.h"
#include "client/cli/core_survey.h"
#include "client/cli/exit_code.h"
#include "client/cli/incoming_file.h"
#include "client/cli/interrupts.h"
#include "client/cli/snapshot_source.h"
#include "client/internal/waiter.h"
#include "coord/backup/backup_file.h"
#include "coord/base/status.h"
#include "coord/client/snapshot_fetch.h"

namespace drover::cli {
namespace {

constexpr base::Duration kStatusTimeout = std::chrono::seconds(3);
constexpr base::Duration kSavePause = std::chrono::milliseconds(200);

struct SaveFlags {
  std::string file;
  std::uint64_t from = 0;
  bool force = false;
};

absl::StatusOr<coord::backup::Backup> FetchInto(base::FileSystem* files, const App& app, const SurveyedNode& source,
                                                const std::atomic<bool>& interrupted, IncomingFile* incoming) {
  DROVER_RETURN_IF_ERROR(coord::FetchSnapshot(
      source.address, app.globals.request_timeout, [incoming](absl::string_view piece) { return incoming->Append(piece); },
      [&interrupted] { return interrupted.load(); }));
  DROVER_RETURN_IF_ERROR(incoming->Sync());
  absl::StatusOr<coord::backup::Backup> backup = coord::backup::ReadBackup(files, incoming->path());
  if (!absl::IsDataLoss(backup.status())) return backup;
  return base::Annotate(backup.status(), "what it sent is damaged");
}

// The nodes that can give it. If none can, they are asked again until the time is over: a leader may be about to be elected.
absl::StatusOr<std::vector<SurveyedNode>> AwaitSources(const App& app, std::uint64_t from, const std::atomic<bool>& interrupted) {
  const auto give_up = std::chrono::steady_clock::now() + app.globals.request_timeout;
  while (true) {
    const std::vector<SurveyedNode> nodes =
        SurveyCore(app.globals.coord, [](const std::string& address) { return coord::FetchNodeStatus(address, kStatusTimeout); });
    absl::StatusOr<std::vector<SurveyedNode>> sources = SnapshotSources(nodes, from);
    if (interrupted) return absl::CancelledError("interrupted");
    if (!absl::IsUnavailable(sources.status()) || std::chrono::steady_clock::now() >= give_up) return sources;
    client::SystemWaiter().Wait(kSavePause, {});
  }
}

absl::StatusOr<coord::backup::Backup> Save(const App& app, const SaveFlags& flags, const std::atomic<bool>& interrupted) {
  const std::unique_ptr<base::FileSystem> files = base::NewRealFileSystem();
  // What can be refused is refused before anybody is asked for anything.
  DROVER_ASSIGN_OR_RETURN(auto incoming, IncomingFile::Begin(files.get(), flags.file, flags.force));
  DROVER_ASSIGN_OR_RETURN(const std::vector<SurveyedNode> sources, AwaitSources(app, flags.from, interrupted));
  std::vector<std::pair<std::string, absl::Status>> failed;
  for (const SurveyedNode& source : sources) {
    DROVER_RETURN_IF_ERROR(incoming->StartOver());
    absl::StatusOr<coord::backup::Backup> backup = FetchInto(files.get(), app, source, interrupted, incoming.get());
    if (backup.ok()) {
      DROVER_RETURN_IF_ERROR(incoming->Adopt());
      return backup;
    }
    if (!incoming->status().ok()) {  // here, and not there
      return base::Annotate(incoming->status(), "this host cannot keep it");
    }
    if (absl::IsCancelled(backup.status())) return backup;
    failed.emplace_back(source.address, backup.status());
    if (!AnotherMayGive(backup.status())) break;
  }
  return NobodyGave(failed);
}

int SaveCommand(const App& app, const SaveFlags& flags) {
  if (flags.file == "-") {
    return app.Usage(
        "cluster snapshot save: give the name of a file; a backup is checked before it is one, and does not go to standard output");
  }
  std::atomic<bool> interrupted = false;
  const Interrupts interrupts([&interrupted](int, int) { interrupted = true; });
  const absl::StatusOr<coord::backup::Backup> backup = Save(app, flags, interrupted);
  if (!backup.ok()) {
    const absl::Status& why = backup.status();
    if (absl::IsAlreadyExists(why)) return app.output.Fail(why);
    return app.output.Fail(ExitCodeOf(why), absl::Status(why.code(), absl::StrCat("nothing was saved: ", why.message())));
  }
  app.output.One(BackupNames(), BackupItem(flags.file, *backup));
  return kOk;
}

int InspectCommand(const App& app, const std::string& file) {
  const std::unique_ptr<base::FileSystem> files = base::NewRealFileSystem();
  const absl::StatusOr<coord::backup::Backup> backup = coord::backup::ReadBackup(files.get(), file);
  if (absl::IsNotFound(backup.status())) return app.output.Fail(backup.status());
  if (!backup.ok()) return app.output.Fail(kOther, backup.status());
  app.output.One(BackupNames(), BackupItem(file, *backup));
  return kOk;
}

}  // namespace

void AddSnapshotCommands(process::OptionSet* cluster, Commands* commands) {
  process::OptionSet& group = cluster->Command("snapshot", "Backups of the coordination core");
  {
    auto flags = std::make_shared<SaveFlags>();
    process::OptionSet& save = group.Command("save", "Takes a backup while the core goes on");
    save.Argument("FILE", &flags->file, "Where to keep it; not there yet");
    save.Number("--from", &flags->from, "Id of the node that gives it; without it, any that serves", 1);
    save.Flag("--force", &flags->force, "Replace FILE if it is there");
    commands->push_back({&save, [flags](const App& app) { return SaveCommand(app, *flags); }});
  }
  {
    auto file = std::make_shared<std::string>();
    process::OptionSet& inspect = group.Command("inspect", "Checks every byte of a backup and says what it holds");
    inspect.Argument("FILE", file.get(), "A backup, or a snapshot of a node's data directory");
    commands->push_back({&inspect, [file](const App& app) { return InspectCommand(app, *file); }});
  }
  AddSnapshotRestoreCommand(&group, commands);
}

}  // namespace drover::cli
