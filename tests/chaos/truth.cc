#include "tests/chaos/truth.h"

#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/file_system.h"
#include "coord/base/random.h"
#include "coord/base/status.h"
#include "coord/log/inspect.h"
#include "coord/log/snapshot_file.h"
#include "coord/server/recovery.h"
#include "tests/sim/check/event_record.h"

namespace drover::chaos {
namespace {

namespace raft = coord::raft;
namespace tree = coord::tree;

// Writes down what a replay does.
class Scribe final : public tree::Sink {
 public:
  explicit Scribe(Truth* truth) : truth_(truth) {}

  void OnEvents(absl::Span<const tree::Event> events) override {
    if (damage.ok()) damage = check::AppendEvents(events, &truth_->events);
  }
  void OnAnswer(const tree::Answered&) override {}
  void OnSessionOpened(const tree::Origin&, const tree::Session& session) override { spans[session.id()].session = session.id(); }
  void OnSessionEnded(base::SessionId session, tree::SessionEnd, base::Zxid zxid) override {
    check::MarkEndOfSession(session, zxid, &truth_->events);
    spans[session].ended = zxid;
  }

  std::map<base::SessionId, check::SessionSpan> spans;
  absl::Status damage;

 private:
  Truth* const truth_;
};

// Of the snapshots that the log leads on from the oldest, so that as much as possible is replayed. One that is older may be there:
// it is removed after what lies behind it in the log.
absl::Status KeepTheOldestOfUse(base::FileSystem* files, const std::string& directory) {
  coord::log::InspectVisitor nobody;
  DROVER_ASSIGN_OR_RETURN(const coord::log::Inspection log, coord::log::Inspect(files, directory, &nobody));
  bool kept = false;
  for (const coord::log::Inspection::Snapshot& snapshot : log.snapshots) {
    const bool leads_on = snapshot.index.Next() >= log.first_index;
    if (leads_on && !std::exchange(kept, true)) continue;
    DROVER_RETURN_IF_ERROR(files->Remove(absl::StrCat(directory, "/", coord::log::SnapshotName(snapshot.index))));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Truth> ReadTruth(const std::string& directory, base::NodeId id) {
  const std::unique_ptr<base::FileSystem> files = base::NewRealFileSystem();
  base::SeededRandom random(1);
  const tree::Options options;
  DROVER_RETURN_IF_ERROR(KeepTheOldestOfUse(files.get(), directory));
  DROVER_ASSIGN_OR_RETURN(coord::server::Recovery recovery,
                          coord::server::Recover(files.get(), &random, directory, id, "", {}, options));
  Truth truth;
  Scribe scribe(&truth);
  std::unique_ptr<tree::StateMachine> state = std::move(recovery.state);
  if (state == nullptr) state = std::make_unique<tree::StateMachine>(options);
  truth.after = state->last_zxid();
  for (const auto& [id_of, session] : state->sessions().all()) scribe.spans[id_of].session = id_of;
  absl::Status applied;
  coord::log::Log* const log = recovery.disk.log.get();
  DROVER_RETURN_IF_ERROR(
      coord::server::ReplayLog(log, recovery.snapshot.index.Next(), log->last_index(), [&](const raft::Entry& entry) {
        if (!applied.ok() || (entry.kind != raft::EntryKind::kData && entry.kind != raft::EntryKind::kExpiry)) return;
        applied = state->Apply(entry.term, entry.payload.view(), &scribe);
      }));
  DROVER_RETURN_IF_ERROR(applied);
  DROVER_RETURN_IF_ERROR(scribe.damage);
  for (const auto& [session, span] : scribe.spans) truth.sessions.push_back(span);
  return truth;
}

}  // namespace drover::chaos
