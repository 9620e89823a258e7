// States to be backed up, and backups of them on a simulated disk.
#ifndef DROVER_TESTS_COORD_BACKUP_BACKUP_FIXTURE_H_
#define DROVER_TESTS_COORD_BACKUP_BACKUP_FIXTURE_H_

#include <memory>
#include <string>

#include "coord/log/snapshot_file.h"
#include "coord/raft/configuration.h"
#include "coord/tree/silent_sink.h"
#include "coord/tree/snapshot_walk.h"
#include "coord/tree/state_machine.h"
#include "coord/tree/views.h"
#include "gtest/gtest.h"
#include "tests/sim/sim_file_system.h"

namespace drover::coord::backup {

inline constexpr base::ClusterId kOld{0xfedcba9876543210};
inline constexpr base::WallTime kTaken{1'764'100'000'000};

// One write outside of any session, as an entry carries it.
inline base::Bytes CreateBatch(const std::string& path, const std::string& data) {
  tree::BatchBuilder batch(base::WallTime(1'000));
  batch.AddRequest({}, base::SessionId(), 0, tree::EncodeCreate({}, {path, data}));
  return batch.Finish();
}

inline void Apply(const base::Bytes& batch, tree::StateMachine* state) {
  tree::SilentSink nobody;
  const absl::Status applied = state->Apply(raft::Term(1), batch.view(), &nobody);
  ASSERT_TRUE(applied.ok()) << applied;
}

// /kept with data, and a session with an ephemeral.
inline std::unique_ptr<tree::StateMachine> MakeState() {
  auto state = std::make_unique<tree::StateMachine>();
  Apply(CreateBatch("/kept", "data"), state.get());
  tree::BatchBuilder open(base::WallTime(2'000));
  const std::string secret(16, 's');
  open.AddOpen({}, {.secret = secret, .name = "test"});
  Apply(open.Finish(), state.get());
  tree::BatchBuilder ephemeral(base::WallTime(3'000));
  ephemeral.AddRequest({}, base::SessionId(2), 0,
                       tree::EncodeCreate({.number = 1}, {.path = "/kept/gone", .data = "e", .ephemeral = true}));
  Apply(ephemeral.Finish(), state.get());
  EXPECT_EQ(state->sessions().size(), 1u);
  EXPECT_NE(state->tree().Find("/kept/gone"), nullptr);
  return state;
}

inline raft::Configuration OldMembers() {
  raft::Configuration members{kOld, {}};
  for (std::uint64_t id = 1; id <= 3; ++id) {
    members.members.push_back({base::NodeId(id), base::Incarnation(100 + id), "old-" + std::to_string(id) + ":7400", true});
  }
  return members;
}

// In `directory`, under the name that a node gives its snapshots; its path.
inline std::string WriteBackup(base::FileSystem* files, const std::string& directory, tree::StateMachine* state,
                               raft::Index index = raft::Index(40)) {
  EXPECT_TRUE(files->MakeDirectory(directory).ok());
  const base::Bytes members = raft::EncodeConfiguration(OldMembers());
  const log::SnapshotHead head{kOld, 99, {index, raft::Term(3), raft::Index(1), members}, members};
  auto writer = log::SnapshotWriter::Begin(files, directory, head, {});
  EXPECT_TRUE(writer.ok()) << writer.status();
  tree::SnapshotWalk walk(state, kTaken);
  bool more = true;
  while (more) {
    more = walk.Step(2, 1'000'000);
    EXPECT_TRUE((*writer)->Add(walk.TakePart()).ok());
  }
  EXPECT_TRUE((*writer)->Finish().ok());
  return directory + "/" + log::SnapshotName(index);
}

}  // namespace drover::coord::backup

#endif  // DROVER_TESTS_COORD_BACKUP_BACKUP_FIXTURE_H_
