// One voter: what it persists, commits and answers by itself. Several are the scenarios' matter (tests/scenarios/raft).
#include "coord/raft/raft.h"

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "coord/base/random.h"
#include "coord/raft/invariants.h"
#include "gtest/gtest.h"

namespace drover::coord::raft {
namespace {

constexpr base::NodeId kNode(1);
constexpr base::Incarnation kIncarnation(21);
constexpr base::ClusterId kCluster(300);
constexpr base::Duration kTick = std::chrono::milliseconds(10);

Options TestOptions(std::size_t uncommitted_bytes_max = 1000) {
  Options options;
  options.id = kNode;
  options.incarnation = kIncarnation;
  options.boot = base::BootNonce(5);
  options.cluster = kCluster;
  options.uncommitted_bytes_max = uncommitted_bytes_max;
  return options;
}

Configuration Alone() {
  return Configuration{kCluster, {Member{kNode, kIncarnation, "here:1", true}}};
}

// A log of `last` entries of one term, the first of them the configuration; all committed.
Recovered After(Term term, Index last) {
  Recovered recovered;
  recovered.hard_state = HardState{term, kNode};
  for (Index i(1); i <= last; i = i.Next()) recovered.terms.Append(term);
  recovered.commit = last;
  recovered.configurations[Index(1)] = Alone();
  return recovered;
}

base::Bytes Payload(std::size_t size) {
  return base::Bytes::Adopt(std::string(size, 'p'));
}

std::uint64_t Persist(Raft* raft, const Output& out) {
  const std::uint64_t sequence = out.write ? out.write->sequence : 0;
  raft->OnPersisted(sequence);
  return sequence;
}

// Its first tick and the write of its vote.
void Lead(Raft* raft) {
  raft->Tick(kTick);
  Persist(raft, raft->TakeOutput());
  ASSERT_TRUE(raft->leads());
}

TEST(RaftTest, NothingHappensBeforeTheFirstTick) {
  Raft raft(TestOptions(), After(Term(4), Index(17)));
  EXPECT_TRUE(raft.TakeOutput().empty());
}

TEST(RaftTest, ASoleVoterLeadsTheNextTermWhenItsVoteIsDurable) {
  Raft raft(TestOptions(), After(Term(4), Index(17)));
  EXPECT_EQ(raft.UntilNextTick(), base::Duration::zero());
  raft.Tick(kTick);
  EXPECT_GT(raft.UntilNextTick(), base::Duration::zero()) << "its disk has the turn";
  const Output vote = raft.TakeOutput();
  ASSERT_TRUE(vote.write);
  EXPECT_EQ(vote.write->hard_state, (HardState{Term(5), kNode}));
  EXPECT_TRUE(vote.write->entries.empty());
  EXPECT_EQ(vote.role_change, (RoleChange{RoleName::kCandidate, Term(5), base::NodeId()}));
  raft.Tick(std::chrono::seconds(10));
  EXPECT_TRUE(raft.TakeOutput().empty()) << "it waits for its disk, and asks for nothing more";
  Persist(&raft, vote);
  const Output out = raft.TakeOutput();
  ASSERT_TRUE(out.write);
  ASSERT_EQ(out.write->entries.size(), 1U);
  EXPECT_EQ(out.write->entries[0], (Entry{Term(5), Index(18), EntryKind::kNoop, {}}));
  EXPECT_EQ(out.role_change, (RoleChange{RoleName::kLeader, Term(5), kNode}));
  EXPECT_TRUE(out.committed.empty()) << "nothing is durable yet";
  raft.Tick(std::chrono::seconds(10));
  EXPECT_TRUE(raft.TakeOutput().empty()) << "a leader stays one";
}

TEST(RaftTest, CommitsOnlyWhatItsOwnDiskHas) {
  Raft raft(TestOptions(), After(Term(1), Index(2)));
  Lead(&raft);
  ASSERT_TRUE(raft.Propose(EntryKind::kData, Payload(1)).ok());
  const Output first = raft.TakeOutput();
  ASSERT_TRUE(raft.Propose(EntryKind::kData, Payload(2)).ok());
  EXPECT_TRUE(raft.TakeOutput().committed.empty());
  Persist(&raft, first);
  const Output out = raft.TakeOutput();
  ASSERT_EQ(out.committed.size(), 2U);
  EXPECT_EQ(out.committed[0].kind, EntryKind::kNoop);
  EXPECT_EQ(out.committed[1].payload.size(), 1U);
  EXPECT_EQ(raft.Inspect().commit, Index(4));
}

TEST(RaftTest, ReadsWaitForTheNoopOfThisTerm) {
  Raft raft(TestOptions(), After(Term(1), Index(2)));
  EXPECT_EQ(raft.ReadIndex(7).code(), absl::StatusCode::kFailedPrecondition);
  Lead(&raft);
  ASSERT_TRUE(raft.ReadIndex(7).ok());
  ASSERT_TRUE(raft.ReadIndex(8).ok());
  const Output first = raft.TakeOutput();
  EXPECT_TRUE(first.reads.empty());
  Persist(&raft, first);
  EXPECT_EQ(raft.TakeOutput().reads, (std::vector<ReadState>{{7, Index(3)}, {8, Index(3)}}));
  ASSERT_TRUE(raft.ReadIndex(9).ok());
  EXPECT_EQ(raft.TakeOutput().reads, (std::vector<ReadState>{{9, Index(3)}}));
}

TEST(RaftTest, UncommittedBytesAreBounded) {
  Raft raft(TestOptions(100), After(Term(1), Index(2)));
  EXPECT_EQ(raft.Propose(EntryKind::kData, Payload(1)).status().code(), absl::StatusCode::kFailedPrecondition);
  Lead(&raft);
  ASSERT_TRUE(raft.Propose(EntryKind::kData, Payload(500)).ok()) << "a first one always fits";
  EXPECT_EQ(raft.Propose(EntryKind::kData, Payload(1)).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(raft.Propose(EntryKind::kExpiry, Payload(50)).ok()) << "expiries bypass the bound";
  Persist(&raft, raft.TakeOutput());
  EXPECT_EQ(raft.Inspect().uncommitted_bytes, 0U);
  EXPECT_TRUE(raft.Propose(EntryKind::kData, Payload(100)).ok());
  EXPECT_FALSE(raft.Propose(EntryKind::kData, Payload(1)).ok());
}

TEST(RaftTest, TheBoundCountsWhatAnEarlierLeaderLeftUncommitted) {
  Recovered recovered = After(Term(1), Index(2));
  recovered.terms.Append(Term(1));
  recovered.tail.push_back(Entry{Term(1), Index(3), EntryKind::kData, Payload(90)});
  Raft raft(TestOptions(100), recovered);
  Lead(&raft);
  EXPECT_EQ(raft.Inspect().uncommitted_bytes, 90U);
  EXPECT_EQ(raft.Propose(EntryKind::kData, Payload(20)).status().code(), absl::StatusCode::kResourceExhausted);
  Persist(&raft, raft.TakeOutput());
  EXPECT_EQ(raft.Inspect().commit, Index(4));
  EXPECT_EQ(raft.Inspect().uncommitted_bytes, 0U);
}

TEST(RaftTest, AWipedMachineIsNotTheVoterItWas) {
  Recovered wiped = After(Term(1), Index(2));
  wiped.configurations[Index(1)].members[0].incarnation = base::Incarnation(99);
  Raft raft(TestOptions(), wiped);
  for (int i = 0; i < 100; ++i) raft.Tick(std::chrono::seconds(1));
  EXPECT_TRUE(raft.TakeOutput().empty());
}

TEST(RaftTest, MessagesOfStrangersHaveNoEffect) {
  Recovered two = After(Term(1), Index(2));
  two.configurations[Index(1)].members.push_back(Member{base::NodeId(2), base::Incarnation(22), "there:1", true});
  Raft raft(TestOptions(), two);
  const Envelope good{kCluster, base::NodeId(2), base::Incarnation(22), base::BootNonce(1), kNode, kIncarnation, Term(9)};
  struct Row {
    std::string name;
    Message message;
    absl::StatusCode code;
  };
  Envelope foreign = good;
  foreign.cluster = base::ClusterId(301);
  Envelope wiped = good;
  wiped.from_incarnation = base::Incarnation(23);
  Envelope misdirected = good;
  misdirected.to_incarnation = base::Incarnation(20);
  Envelope self = good;
  self.from = kNode;
  const std::vector<Row> table = {
      {"another cluster", {foreign, Vote{}}, absl::StatusCode::kFailedPrecondition},
      {"not a member", {wiped, VoteReply{true}}, absl::StatusCode::kFailedPrecondition},
      {"incarnation of this one", {misdirected, Vote{}}, absl::StatusCode::kFailedPrecondition},
      {"this very node", {self, Append{}}, absl::StatusCode::kInvalidArgument},
  };
  for (const Row& row : table) {
    const absl::Status status = raft.Step(row.message);
    EXPECT_EQ(status.code(), row.code) << row.name;
    EXPECT_NE(status.message().find(row.name), absl::string_view::npos) << status;
    EXPECT_TRUE(raft.TakeOutput().empty()) << row.name;
    EXPECT_EQ(raft.Inspect().hard_state.term, Term(1)) << "a refused message's term is not adopted";
  }
}

TEST(RaftTest, AppendsThatNoLeaderSendsAreRefused) {
  Recovered two = After(Term(1), Index(2));
  two.configurations[Index(1)].members.push_back(Member{base::NodeId(2), base::Incarnation(22), "there:1", true});
  Raft raft(TestOptions(), two);
  const Envelope from{kCluster, base::NodeId(2), base::Incarnation(22), base::BootNonce(1), kNode, kIncarnation, Term(3)};
  Append gap{Index(2), Term(1), {Entry{Term(3), Index(4), EntryKind::kNoop, {}}}, Index(), 0};
  Append future{Index(2), Term(1), {Entry{Term(4), Index(3), EntryKind::kNoop, {}}}, Index(), 0};
  Append garbage{Index(2), Term(1), {Entry{Term(3), Index(3), EntryKind::kConfig, Payload(3)}}, Index(), 0};
  for (const Append& append : {gap, future, garbage}) {
    EXPECT_EQ(raft.Step(Message{from, append}).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(raft.Inspect().last, Index(2));
  }
}

TEST(RaftTest, WhatOnlyANewerProgramKnowsIsNotTaken) {
  Recovered two = After(Term(1), Index(2));
  two.configurations[Index(1)].members.push_back(Member{base::NodeId(2), base::Incarnation(22), "there:1", true});
  Options options = TestOptions();
  options.feature_level_max = base::FeatureLevel(2);
  Raft raft(options, two);
  const Envelope from{kCluster, base::NodeId(2), base::Incarnation(22), base::BootNonce(1), kNode, kIncarnation, Term(3)};
  Configuration above = two.configurations[Index(1)];
  above.feature_level = base::FeatureLevel(3);
  const Append level{Index(2), Term(1), {Entry{Term(3), Index(3), EntryKind::kConfig, EncodeConfiguration(above)}}, Index(3), 0};
  const Append kind{Index(2), Term(1), {Entry{Term(3), Index(3), static_cast<EntryKind>(9), Payload(3)}}, Index(3), 0};
  for (const Append& append : {level, kind}) {
    const absl::Status refused = raft.Step(Message{from, append});
    EXPECT_EQ(refused.code(), absl::StatusCode::kUnimplemented) << refused;
    EXPECT_NE(refused.message().find("newer drover-coord"), absl::string_view::npos) << refused;
    EXPECT_EQ(raft.Inspect().last, Index(2));
    EXPECT_EQ(raft.Inspect().commit, Index(2));
  }
  const SnapshotPoint point{Index(9), Term(3), Index(5), EncodeConfiguration(above)};
  EXPECT_EQ(raft.Install(point).status().code(), absl::StatusCode::kUnimplemented);
  above.feature_level = base::FeatureLevel(2);
  Append known = level;
  known.entries[0].payload = EncodeConfiguration(above);
  EXPECT_TRUE(raft.Step(Message{from, known}).ok());
  EXPECT_EQ(raft.configuration(), above);
}

TEST(RaftTest, TheFeatureLevelRisesByOneAndAlone) {
  Options options = TestOptions();
  options.feature_level_max = base::FeatureLevel(3);
  Raft raft(options, After(Term(1), Index(2)));
  Lead(&raft);
  Persist(&raft, raft.TakeOutput());
  const auto propose = [&](std::uint32_t level, Configuration next = Alone()) {
    next.feature_level = base::FeatureLevel(level);
    const absl::StatusCode code = raft.Propose(EntryKind::kConfig, EncodeConfiguration(next)).status().code();
    Persist(&raft, raft.TakeOutput());
    return code;
  };
  EXPECT_EQ(propose(3), absl::StatusCode::kFailedPrecondition) << "two at once";
  Configuration two = Alone();
  two.members.push_back(Member{base::NodeId(2), base::Incarnation(22), "b:1", false});
  EXPECT_EQ(propose(2, two), absl::StatusCode::kFailedPrecondition) << "with a member";
  EXPECT_EQ(propose(2), absl::StatusCode::kOk);
  EXPECT_EQ(propose(1), absl::StatusCode::kFailedPrecondition) << "it never falls";
  EXPECT_EQ(propose(3), absl::StatusCode::kOk);
  EXPECT_EQ(propose(4), absl::StatusCode::kFailedPrecondition) << "it does not know that one itself";
  EXPECT_EQ(raft.configuration().feature_level, base::FeatureLevel(3));
}

TEST(RaftTest, ConfigurationChangesComeOneAtATimeAndAfterTheNoop) {
  Raft raft(TestOptions(), After(Term(1), Index(2)));
  Lead(&raft);
  Configuration two = Alone();
  two.members.push_back(Member{base::NodeId(2), base::Incarnation(22), "b:1", true});
  Configuration three = two;
  three.members.push_back(Member{base::NodeId(3), base::Incarnation(23), "c:1", true});
  const auto propose = [&](const Configuration& next) {
    return raft.Propose(EntryKind::kConfig, EncodeConfiguration(next)).status().code();
  };
  EXPECT_EQ(propose(two), absl::StatusCode::kFailedPrecondition) << "before the no-op";
  Persist(&raft, raft.TakeOutput());
  EXPECT_EQ(propose(three), absl::StatusCode::kFailedPrecondition) << "two voters at once";
  EXPECT_EQ(propose(Configuration{kCluster, {}}), absl::StatusCode::kFailedPrecondition) << "no voter";
  Configuration foreign = two;
  foreign.cluster = base::ClusterId(301);
  EXPECT_EQ(propose(foreign), absl::StatusCode::kFailedPrecondition) << "another cluster";
  EXPECT_EQ(propose(two), absl::StatusCode::kOk);
  EXPECT_EQ(raft.configuration(), two) << "it counts from when it is in the log";
  EXPECT_EQ(propose(three), absl::StatusCode::kFailedPrecondition) << "the one before is not committed";
}

// A random walk over calls and restarts, against a model disk that completes writes late, in order, and is cut at a crash.
TEST(RaftTest, WhateverCommittedIsOnTheDiskAcrossRestarts) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    base::SeededRandom random(seed);
    std::vector<Entry> disk = {Entry{Term(1), Index(1), EntryKind::kConfig, EncodeConfiguration(Alone())}};
    HardState disk_hard{Term(1), base::NodeId()};
    std::deque<Write> writing;
    std::vector<Entry> applied = disk;
    std::uint64_t reads_asked = 0;
    std::uint64_t reads_answered = 0;
    const auto recover = [&] {
      Recovered recovered;
      recovered.hard_state = disk_hard;
      for (const Entry& entry : disk) recovered.terms.Append(entry.term);
      recovered.commit = Index(disk.size());
      recovered.configurations[Index(1)] = Alone();
      return std::make_unique<Raft>(TestOptions(64), recovered);
    };
    auto raft = recover();
    State before = raft->Inspect();
    for (int step = 0; step < 2000; ++step) {
      switch (random.Below(6)) {
        case 0:
          raft->Tick(kTick);
          break;
        case 1:
          static_cast<void>(raft->Propose(EntryKind::kData, Payload(random.Below(40))));
          break;
        case 2:
          if (raft->ReadIndex(reads_asked).ok()) ++reads_asked;
          break;
        case 3:
        case 4: {
          if (writing.empty()) break;
          std::uint64_t last = 0;
          for (std::size_t count = 1 + random.Below(writing.size()); count > 0; --count) {
            const Write& write = writing.front();
            if (write.hard_state) disk_hard = *write.hard_state;
            ASSERT_FALSE(write.truncate_from) << "nobody contradicts a sole voter";
            for (const Entry& entry : write.entries) disk.push_back(entry);
            last = write.sequence;
            writing.pop_front();
          }
          raft->OnPersisted(last);
          break;
        }
        case 5: {
          if (random.Below(20) != 0) break;
          writing.clear();
          raft = recover();
          applied = disk;  // a sole voter's durable entries are committed
          reads_asked = reads_answered = 0;
          before = raft->Inspect();
          break;
        }
      }
      Output out = raft->TakeOutput();
      if (out.write) writing.push_back(*out.write);
      for (const Entry& entry : out.committed) {
        ASSERT_EQ(entry.index, Index(applied.size() + 1)) << "seed " << seed;
        applied.push_back(entry);
      }
      for (const ReadState& read : out.reads) {
        ASSERT_EQ(read.context, reads_answered++) << "seed " << seed;
        ASSERT_EQ(read.index, Index(applied.size())) << "seed " << seed;
      }
      ASSERT_LE(applied.size(), disk.size()) << "seed " << seed;
      for (std::size_t i = 0; i < applied.size(); ++i) ASSERT_EQ(applied[i], disk[i]) << "seed " << seed;
      const State after = raft->Inspect();
      ASSERT_TRUE(CheckState(after).ok()) << CheckState(after);
      ASSERT_TRUE(CheckStep(before, after).ok()) << CheckStep(before, after);
      before = after;
    }
    ASSERT_GT(applied.size(), 100U) << "the walk went nowhere, seed " << seed;
  }
}

}  // namespace
}  // namespace drover::coord::raft
