#include "coord/raft/raft.h"

#include <deque>
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

Options TestOptions(std::size_t uncommitted_bytes_max = 1000) {
  Options options;
  options.id = kNode;
  options.incarnation = kIncarnation;
  options.boot = base::BootNonce(5);
  options.uncommitted_bytes_max = uncommitted_bytes_max;
  return options;
}

Recovered Empty() {
  Recovered recovered;
  recovered.configuration = Configuration{kCluster, {Member{kNode, kIncarnation, "here:1", true}}};
  return recovered;
}

Recovered After(Term term, Index last) {
  Recovered recovered = Empty();
  recovered.hard_state = HardState{term, kNode};
  recovered.last = last;
  recovered.last_term = term;
  recovered.commit = last;
  return recovered;
}

base::Bytes Payload(std::size_t size) {
  return base::Bytes::Adopt(std::string(size, 'p'));
}

TEST(RaftTest, EmptyLogBeginsWithConfigurationThenNoop) {
  Raft raft(TestOptions(), Empty());
  EXPECT_TRUE(raft.TakeOutput().empty()) << "nothing happens before the first tick";
  raft.Tick();
  const Output out = raft.TakeOutput();
  EXPECT_EQ(out.hard_state, (HardState{Term(1), kNode}));
  ASSERT_EQ(out.entries.size(), 2U);
  EXPECT_EQ(out.entries[0].kind, EntryKind::kConfig);
  EXPECT_EQ(out.entries[0].index, Index(1));
  EXPECT_EQ(*DecodeConfiguration(out.entries[0].payload.view()), Empty().configuration);
  EXPECT_EQ(out.entries[1].kind, EntryKind::kNoop);
  EXPECT_EQ(out.role_change, (RoleChange{RoleName::kLeader, Term(1), kNode}));
  EXPECT_TRUE(out.committed.empty()) << "nothing is durable yet";
}

TEST(RaftTest, RestartLeadsTheNextTermAndPersistsItWithItsNoop) {
  Raft raft(TestOptions(), After(Term(4), Index(17)));
  raft.Tick();
  const Output out = raft.TakeOutput();
  EXPECT_EQ(out.hard_state, (HardState{Term(5), kNode}));
  ASSERT_EQ(out.entries.size(), 1U);
  EXPECT_EQ(out.entries[0], (Entry{Term(5), Index(18), EntryKind::kNoop, {}}));
  raft.Tick();
  EXPECT_TRUE(raft.TakeOutput().empty()) << "a leader stays one";
}

TEST(RaftTest, CommitsOnlyWhatItsOwnDiskHas) {
  Raft raft(TestOptions(), After(Term(1), Index(2)));
  raft.Tick();
  ASSERT_TRUE(raft.Propose(EntryKind::kData, Payload(1)).ok());
  ASSERT_TRUE(raft.Propose(EntryKind::kData, Payload(2)).ok());
  EXPECT_TRUE(raft.TakeOutput().committed.empty());
  raft.OnDurable(Index(4), Term(2));
  const Output out = raft.TakeOutput();
  ASSERT_EQ(out.committed.size(), 2U);
  EXPECT_EQ(out.committed[0].kind, EntryKind::kNoop);
  EXPECT_EQ(out.committed[1].payload.size(), 1U);
  EXPECT_EQ(raft.Inspect().commit, Index(4));
}

TEST(RaftTest, LateCompletionOfAnEarlierTermDoesNotCount) {
  Raft raft(TestOptions(), After(Term(1), Index(2)));
  raft.Tick();
  raft.OnDurable(Index(3), Term(1));
  EXPECT_EQ(raft.Inspect().durable, Index(2));
  raft.OnDurable(Index(9), Term(2));
  EXPECT_EQ(raft.Inspect().durable, Index(2)) << "no such entry";
  raft.OnDurable(Index(3), Term(2));
  EXPECT_EQ(raft.Inspect().commit, Index(3));
  raft.OnDurable(Index(3), Term(2));
  EXPECT_EQ(raft.Inspect().commit, Index(3));
}

TEST(RaftTest, ReadsWaitForTheNoopOfThisTerm) {
  Raft raft(TestOptions(), After(Term(1), Index(2)));
  EXPECT_EQ(raft.ReadIndex(7).code(), absl::StatusCode::kFailedPrecondition);
  raft.Tick();
  ASSERT_TRUE(raft.ReadIndex(7).ok());
  ASSERT_TRUE(raft.ReadIndex(8).ok());
  EXPECT_TRUE(raft.TakeOutput().reads.empty());
  raft.OnDurable(Index(3), Term(2));
  EXPECT_EQ(raft.TakeOutput().reads, (std::vector<ReadState>{{7, Index(3)}, {8, Index(3)}}));
  ASSERT_TRUE(raft.ReadIndex(9).ok());
  EXPECT_EQ(raft.TakeOutput().reads, (std::vector<ReadState>{{9, Index(3)}}));
}

TEST(RaftTest, UncommittedBytesAreBounded) {
  Raft raft(TestOptions(100), After(Term(1), Index(2)));
  EXPECT_EQ(raft.Propose(EntryKind::kData, Payload(1)).status().code(), absl::StatusCode::kFailedPrecondition);
  raft.Tick();
  ASSERT_TRUE(raft.Propose(EntryKind::kData, Payload(500)).ok()) << "a first one always fits";
  EXPECT_EQ(raft.Propose(EntryKind::kData, Payload(1)).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(raft.Propose(EntryKind::kExpiry, Payload(50)).ok()) << "expiries bypass the bound";
  raft.OnDurable(Index(4), Term(2));
  EXPECT_EQ(raft.Inspect().uncommitted_bytes, 0U);
  EXPECT_TRUE(raft.Propose(EntryKind::kData, Payload(100)).ok());
  EXPECT_FALSE(raft.Propose(EntryKind::kData, Payload(1)).ok());
}

TEST(RaftTest, ANodeThatIsNotTheSoleVoterNeverLeads) {
  Recovered two = After(Term(1), Index(2));
  two.configuration.members.push_back(Member{base::NodeId(2), base::Incarnation(22), "there:1", true});
  Raft raft(TestOptions(), two);
  for (int i = 0; i < 100; ++i) raft.Tick();
  EXPECT_TRUE(raft.TakeOutput().empty());

  Recovered wiped = After(Term(1), Index(2));
  wiped.configuration.members[0].incarnation = base::Incarnation(99);
  Raft other(TestOptions(), wiped);
  other.Tick();
  EXPECT_TRUE(other.TakeOutput().empty()) << "the voter is an earlier incarnation of this node";
}

TEST(RaftTest, PeerMessagesAreRefusedByName) {
  Recovered two = After(Term(1), Index(2));
  two.configuration.members.push_back(Member{base::NodeId(2), base::Incarnation(22), "there:1", false});
  Raft raft(TestOptions(), two);
  const Envelope good{kCluster, base::NodeId(2), base::Incarnation(22), base::BootNonce(1), kNode, kIncarnation, Term(9)};
  struct Row {
    std::string name;
    Message message;
    absl::StatusCode code;
  };
  std::vector<Row> table = {
      {"Append", {good, Append{}}, absl::StatusCode::kUnimplemented},
      {"AppendReply", {good, AppendReply{}}, absl::StatusCode::kUnimplemented},
      {"Vote", {good, Vote{}}, absl::StatusCode::kUnimplemented},
      {"VoteReply", {good, VoteReply{}}, absl::StatusCode::kUnimplemented},
      {"PreVote", {good, PreVote{}}, absl::StatusCode::kUnimplemented},
      {"PreVoteReply", {good, PreVoteReply{}}, absl::StatusCode::kUnimplemented},
      {"TimeoutNow", {good, TimeoutNow{}}, absl::StatusCode::kUnimplemented},
  };
  Envelope foreign = good;
  foreign.cluster = base::ClusterId(301);
  table.push_back({"another cluster", {foreign, Vote{}}, absl::StatusCode::kFailedPrecondition});
  Envelope wiped = good;
  wiped.from_incarnation = base::Incarnation(23);
  table.push_back({"not a member", {wiped, Vote{}}, absl::StatusCode::kFailedPrecondition});
  Envelope misdirected = good;
  misdirected.to_incarnation = base::Incarnation(20);
  table.push_back({"incarnation of this one", {misdirected, Vote{}}, absl::StatusCode::kFailedPrecondition});

  for (const Row& row : table) {
    const absl::Status status = raft.Step(row.message);
    EXPECT_EQ(status.code(), row.code) << row.name;
    EXPECT_NE(status.message().find(row.name), absl::string_view::npos) << status;
    EXPECT_TRUE(raft.TakeOutput().empty()) << row.name;
    EXPECT_EQ(raft.Inspect().hard_state.term, Term(1)) << "a refused message's term is not adopted";
  }
}

TEST(RaftTest, ConfigurationChangesAreRefused) {
  Raft raft(TestOptions(), Empty());
  raft.Tick();
  EXPECT_EQ(raft.Propose(EntryKind::kConfig, {}).status().code(), absl::StatusCode::kUnimplemented);
}

// A random walk over calls and restarts, against a model disk that completes writes late, in order, and is cut at a crash.
TEST(RaftTest, WhateverCommittedIsOnTheDiskAcrossRestarts) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    base::SeededRandom random(seed);
    std::vector<Entry> disk;     // durable
    std::deque<Entry> writing;   // handed out, not durable
    std::vector<Entry> applied;  // committed ever, over all lives
    HardState disk_hard;
    std::vector<HardState> writing_hard;
    std::uint64_t reads_asked = 0;
    std::uint64_t reads_answered = 0;
    auto raft = std::make_unique<Raft>(TestOptions(64), Empty());
    State before = raft->Inspect();
    for (int step = 0; step < 2000; ++step) {
      switch (random.Below(6)) {
        case 0:
          raft->Tick();
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
          if (!writing_hard.empty()) disk_hard = writing_hard.back();
          writing_hard.clear();
          const std::size_t count = 1 + random.Below(writing.size());
          for (std::size_t i = 0; i < count; ++i) {
            disk.push_back(writing.front());
            writing.pop_front();
          }
          raft->OnDurable(disk.back().index, disk.back().term);
          break;
        }
        case 5: {
          if (random.Below(20) != 0) break;
          writing.clear();
          writing_hard.clear();
          Recovered recovered = Empty();
          recovered.hard_state = disk_hard;
          recovered.last = Index(disk.size());
          recovered.last_term = disk.empty() ? Term(0) : disk.back().term;
          recovered.commit = recovered.last;
          raft = std::make_unique<Raft>(TestOptions(64), recovered);
          applied = disk;  // a sole voter's durable entries are committed
          reads_asked = reads_answered = 0;
          before = raft->Inspect();
          break;
        }
      }
      Output out = raft->TakeOutput();
      if (out.hard_state) writing_hard.push_back(*out.hard_state);
      for (Entry& entry : out.entries) writing.push_back(entry);
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
