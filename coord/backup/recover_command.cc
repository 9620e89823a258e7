#include "coord/backup/recover_command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "coord/backup/place.h"
#include "coord/base/status.h"
#include "coord/process/options.h"

namespace drover::coord::backup {
namespace {

constexpr char kWhatItIs[] =
    "recover needs --force-single. It is for one case: most nodes of the cluster are lost for good, with their disks. It makes "
    "what this "
    "node has a new cluster of this node alone; what the others had acknowledged and this one had not received is lost. If they "
    "can "
    "come back, start them instead: nothing is lost then. If there is a newer backup, restore that: drover cluster snapshot "
    "restore";

// Run by root for a service of another user: what was made belongs to the owner of what was there.
void GiveToOwnerOf(const std::string& model, const std::string& directory) {
  struct stat owner;
  if (geteuid() != 0 || ::stat(model.c_str(), &owner) != 0) return;
  (void)!::lchown(directory.c_str(), owner.st_uid, owner.st_gid);
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(directory, error)) {
    (void)!::lchown(file.path().c_str(), owner.st_uid, owner.st_gid);
  }
}

absl::StatusOr<Forced> Force(const ForceOptions& options) {
  DROVER_RETURN_IF_ERROR(CheckRenameable(options.directory));
  const std::unique_ptr<base::FileSystem> files = base::NewRealFileSystem();
  base::SystemRandom random;
  return ForceSingle(files.get(), &random, options);
}

}  // namespace

std::string TextOf(const Forced& f, const std::string& directory) {
  const std::uint64_t first = f.snapshot.value + 1;
  const std::string from = f.snapshot.value == 0 ? "no snapshot" : absl::StrCat("the snapshot up to entry ", f.snapshot.value);
  std::string text = absl::StrCat(
      "node ", f.node.value, " of cluster ", f.old_cluster.value, " (members ", server::TextOf(f.old_members), ") is now cluster ",
      f.restored.cluster.value, " of node ", f.node.value, " alone, at ", f.address, "\n", "state: ", f.nodes, " znodes, from ",
      from, f.last.value >= first ? absl::StrCat(" and the entries ", first, " to ", f.last.value, " of its log") : "", "; zxid ",
      f.restored.left.zxid.value, " raised to ", f.restored.zxid.value, "; ", f.restored.left.sessions, " sessions and ",
      f.restored.left.ephemerals, " ephemerals ended\n");
  if (!f.was_member) {
    absl::StrAppend(&text,
                    "WARNING: by its own log this node was no member any more: all that was acknowledged since it was removed is "
                    "missing\n");
  }
  if (f.last > f.committed) {
    absl::StrAppend(&text, "kept, but not known here to be committed: the entries ", f.committed.value + 1, " to ", f.last.value,
                    ". Most of them were, as a rule; some may be writes whose clients were told that the outcome is unknown\n");
  }
  absl::StrAppend(
      &text,
      "lost: every write that the other nodes had acknowledged and this one had not received. How many there are cannot be told "
      "from here\n",
      "kept aside: the directory as it was, ", f.kept_as, "\n",
      "next: 1. see that no node of the old cluster is started again: ", "its clients would find both\n",
      "      2. start this node: drover-coord --id ", f.node.value, " --data ", directory,
      " --listen ..., without --initial-cluster or with --initial-cluster ", f.node.value, "=", f.address, "\n",
      "      3. masters and workers come back by themselves; tasks that ran are decided as after a loss of their workers\n",
      "      4. take a backup (drover cluster snapshot save), for a cluster of one node has no other copy. For several nodes "
      "again, add them with empty directories (drover-coord --join, drover cluster member add)\n");
  return text;
}

int RecoverCommand(int argc, const char* const* argv) {
  ForceOptions force;
  bool force_single = false;
  process::OptionSet options("drover-coord recover",
                             "After a permanent loss of the majority: makes what this node has a new cluster of this node alone.");
  options.Flag("--force-single", &force_single, "Yes: the others are lost for good, and what only they had is given up");
  options.Text("--data", &force.directory, "The node's data directory; the node must not run");
  options.Address("--advertise", &force.address, "Where the node is reached; without it, as in the old cluster");
  if (const std::optional<int> code = options.Parse(argc, argv)) return *code;
  if (!force_single) return options.Refuse(kWhatItIs);
  if (force.directory.empty()) return options.Refuse("--data is missing: give the node's data directory");
  const absl::Time now = absl::Now();
  force.suffix = absl::StrCat(".before-recover-", absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone()));
  force.now = base::WallTime(absl::ToUnixMillis(now));
  const std::string given = std::exchange(force.directory, BehindLinks(force.directory));
  const absl::StatusOr<Forced> forced = Force(force);
  if (!forced.ok()) {
    std::cerr << "drover-coord: " << forced.status().message() << '\n';
    return absl::IsInvalidArgument(forced.status()) ? process::kUsageExitCode : 1;
  }
  GiveToOwnerOf(forced->kept_as, force.directory);
  std::cout << TextOf(*forced, given);
  return std::cout.flush() ? 0 : 1;
}

}  // namespace drover::coord::backup
