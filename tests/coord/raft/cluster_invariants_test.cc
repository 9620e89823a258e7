#include "coord/raft/cluster_invariants.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::coord::raft {
namespace {

using ::testing::HasSubstr;

constexpr base::ClusterId kCluster(300);
constexpr base::Incarnation kIncarnation(21);

Configuration Members(const std::vector<std::uint64_t>& ids) {
  Configuration configuration{kCluster, {}};
  for (const std::uint64_t id : ids) configuration.members.push_back({base::NodeId(id), kIncarnation, "here:1", true});
  return configuration;
}

Entry Data(Term term, Index index, const std::string& payload = "x") {
  return Entry{term, index, EntryKind::kData, base::Bytes::Copy(payload)};
}

// A configuration of term 1, then data of these terms.
std::vector<Entry> Log(const Configuration& members, const std::vector<std::uint64_t>& terms) {
  std::vector<Entry> log = {Entry{Term(1), Index(1), EntryKind::kConfig, EncodeConfiguration(members)}};
  for (const std::uint64_t term : terms) log.push_back(Data(Term(term), log.back().index.Next()));
  return log;
}

Raft Make(std::uint64_t id, const std::vector<Entry>& log, HardState hard_state, Index commit, std::uint64_t boot = 1) {
  Options options;
  options.id = base::NodeId(id);
  options.incarnation = kIncarnation;
  options.boot = base::BootNonce(boot);
  options.cluster = kCluster;
  Recovered recovered;
  recovered.hard_state = hard_state;
  recovered.commit = commit;
  for (const Entry& entry : log) {
    recovered.terms.Append(entry.term);
    if (entry.index > commit) recovered.tail.push_back(entry);
  }
  recovered.configurations[Index(1)] = *DecodeConfiguration(log.front().payload.view());
  return Raft(options, std::move(recovered));
}

Message VoteFor(std::uint64_t from, std::uint64_t to, Term term) {
  return Message{Envelope{kCluster, base::NodeId(from), kIncarnation, base::BootNonce(1), base::NodeId(to), kIncarnation, term},
                 VoteReply{true}};
}

void ExpectViolation(const absl::Status& status, const std::string& what) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr(what));
}

class ClusterInvariantsTest : public ::testing::Test {
 protected:
  const std::vector<Entry> log_ = Log(Members({1, 2, 3}), {1, 1});
  Raft one_ = Make(1, log_, HardState{Term(1), {}}, Index(1));
  Raft two_ = Make(2, log_, HardState{Term(1), {}}, Index(1));
  ClusterInvariants invariants_;
};

TEST_F(ClusterInvariantsTest, EqualLogsStart) {
  EXPECT_TRUE(invariants_.Started(one_, log_).ok());
  EXPECT_TRUE(invariants_.Started(two_, log_).ok());
  EXPECT_EQ(invariants_.commit(), Index(1));
}

TEST_F(ClusterInvariantsTest, LogsThatDifferInContentAreFound) {
  ASSERT_TRUE(invariants_.Started(one_, log_).ok());
  std::vector<Entry> other = log_;
  other[1].payload = base::Bytes::Copy("y");
  ExpectViolation(invariants_.Started(two_, other), "two logs differ");
}

TEST_F(ClusterInvariantsTest, LogsThatDifferBeforeACommonEntryAreFound) {
  const std::vector<Entry> one = Log(Members({1, 2, 3}), {1, 3});
  const std::vector<Entry> two = Log(Members({1, 2, 3}), {2, 3});
  ASSERT_TRUE(invariants_.Started(Make(1, one, HardState{Term(3), {}}, Index(1)), one).ok());
  ExpectViolation(invariants_.Started(Make(2, two, HardState{Term(3), {}}, Index(1)), two), "two logs differ at or before index 3");
}

TEST_F(ClusterInvariantsTest, TwoLeadersOfATermAreFound) {
  const std::vector<Entry> one = Log(Members({1}), {});
  std::vector<Entry> two = Log(Members({2}), {});
  two[0].term = Term(2);  // another log altogether
  Raft first = Make(1, one, HardState{Term(2), {}}, Index(1));
  Raft second = Make(2, two, HardState{Term(2), {}}, Index());
  ASSERT_TRUE(invariants_.Started(first, one).ok());
  ASSERT_TRUE(invariants_.Started(second, two).ok());
  const auto vote = [](Raft* raft) {
    raft->Tick(base::Duration(1));
    raft->OnPersisted(raft->TakeOutput().write->sequence);
    return raft->leads();
  };
  ASSERT_TRUE(vote(&first));
  ASSERT_TRUE(invariants_.Took(first, first.TakeOutput()).ok());
  ASSERT_TRUE(vote(&second));
  ExpectViolation(invariants_.Took(second, second.TakeOutput()), "differ");
  // As if nothing had been written.
  ExpectViolation(invariants_.Took(second, Output{}), "lead in term 3");
}

TEST_F(ClusterInvariantsTest, ALeaderWithoutACommittedEntryIsFound) {
  const std::vector<Entry> longer = Log(Members({1, 2, 3}), {1, 1, 1});
  ASSERT_TRUE(invariants_.Started(Make(3, longer, HardState{Term(1), {}}, Index(4)), longer).ok());
  const std::vector<Entry> alone = Log(Members({1, 2, 3}), {1});
  Raft leader = Make(1, alone, HardState{Term(4), {}}, Index(1));
  ASSERT_TRUE(invariants_.Started(leader, alone).ok());
  leader.Tick(std::chrono::seconds(2));  // pre-candidate
  for (const bool pre : {true, false}) {
    const Output out = leader.TakeOutput();
    if (out.write) leader.OnPersisted(out.write->sequence);
    Message answer = VoteFor(2, 1, leader.term());
    if (pre) answer.body = PreVoteReply{true, Term(5)};
    ASSERT_TRUE(leader.Step(answer).ok());
  }
  const Output out = leader.TakeOutput();
  if (out.write) leader.OnPersisted(out.write->sequence);
  ASSERT_TRUE(leader.Step(VoteFor(2, 1, Term(5))).ok() || leader.leads());
  ExpectViolation(invariants_.Took(leader, leader.TakeOutput()), "without the committed index 3");
}

TEST_F(ClusterInvariantsTest, DifferentCommittedEntriesAreFound) {
  ASSERT_TRUE(invariants_.Started(one_, log_).ok());
  ASSERT_TRUE(invariants_.Started(two_, log_).ok());
  Output out;
  out.committed = {log_[1]};
  ASSERT_TRUE(invariants_.Took(one_, out).ok());
  EXPECT_EQ(invariants_.commit(), Index(2));
  out.committed = {Data(Term(2), Index(2))};
  ExpectViolation(invariants_.Took(two_, out), "index 2 is committed with term 1 and with term 2");
}

TEST_F(ClusterInvariantsTest, CommittedEntriesComeInOrder) {
  ASSERT_TRUE(invariants_.Started(one_, log_).ok());
  Output out;
  out.committed = {log_[2]};
  ExpectViolation(invariants_.Took(one_, out), "hands out index 3 after 1");
}

TEST_F(ClusterInvariantsTest, ASecondVoteInATermIsFoundAcrossARestart) {
  ASSERT_TRUE(invariants_.Started(one_, log_).ok());
  Output out;
  out.messages = {VoteFor(1, 2, Term(1))};
  ASSERT_TRUE(invariants_.Took(one_, out).ok());
  ExpectViolation(invariants_.Started(Make(1, log_, HardState{Term(1), {}}, Index(1), 2), log_), "forgot its vote");
  out.messages = {VoteFor(1, 3, Term(1))};
  ExpectViolation(invariants_.Took(one_, out), "voted for 2 and for 3 in term 1");
}

TEST_F(ClusterInvariantsTest, ATermThatWentBackAcrossARestartIsFound) {
  ASSERT_TRUE(invariants_.Started(one_, log_).ok());
  Output out;
  out.messages = {VoteFor(1, 2, Term(8))};
  ASSERT_TRUE(invariants_.Took(one_, out).ok());
  ExpectViolation(invariants_.Started(Make(1, log_, HardState{Term(7), {}}, Index(1), 2), log_), "has spoken in term 8");
}

TEST_F(ClusterInvariantsTest, AStaleReadIsFound) {
  ASSERT_TRUE(invariants_.Started(one_, log_).ok());
  ASSERT_TRUE(invariants_.Started(two_, log_).ok());
  Output out;
  out.committed = {log_[1]};
  ASSERT_TRUE(invariants_.Took(one_, out).ok());
  invariants_.Asked(two_, 7);
  out = Output{};
  out.reads = {ReadState{7, Index(2)}, ReadState{8, Index(1)}};
  EXPECT_TRUE(invariants_.Took(two_, out).ok()) << "nobody asked for 8";
  out.reads = {ReadState{7, Index(1)}};
  ExpectViolation(invariants_.Took(two_, out), "serves read 7 from index 1");
}

TEST_F(ClusterInvariantsTest, WhatIsCommittedIsOnAQuorumsDisks) {
  ASSERT_TRUE(invariants_.Started(one_, log_).ok());
  Output out;
  out.committed = {log_[1]};
  ASSERT_TRUE(invariants_.Took(one_, out).ok());
  TermRuns has;
  has.Append(Term(1));
  TermRuns lacks = has;
  has.Append(Term(1));
  const auto disk = [](std::uint64_t id, const TermRuns& terms, base::Incarnation incarnation = kIncarnation) {
    return ClusterInvariants::Disk{base::NodeId(id), incarnation, &terms};
  };
  EXPECT_TRUE(invariants_.CheckDisks({disk(1, lacks), disk(2, has), disk(3, has)}).ok());
  ExpectViolation(invariants_.CheckDisks({disk(1, lacks), disk(2, has), disk(3, lacks)}), "2 of 3 voters");
  ExpectViolation(invariants_.CheckDisks({disk(1, lacks), disk(2, has), disk(3, has, base::Incarnation(22))}), "2 of 3 voters");
}

}  // namespace
}  // namespace drover::coord::raft
