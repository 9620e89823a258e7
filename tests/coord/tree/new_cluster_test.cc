// A state that another cluster begins with: what leaps, what is left behind, and what stays.
#include "coord/tree/new_cluster.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "coord/tree/invariants.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

constexpr base::WallTime kNoClock;

class NewClusterTest : public testing::Test {
 protected:
  void ExpectInvariants() {
    const absl::Status invariants = CheckInvariants(*machine_);
    EXPECT_TRUE(invariants.ok()) << invariants;
  }
  // A state whose last zxid is so large.
  void RaiseTo(std::uint64_t zxid) { machine_->RaiseZxid(base::Zxid(zxid)); }

  Machine machine_;
};

// A second cluster that begins with the same state gives out no zxid that the first one has given out.
TEST_F(NewClusterTest, TheZxidLeapsToWhereTheClockIs) {
  machine_.Create("/a");
  constexpr std::int64_t kNow = 1'800'000'000'999;
  ASSERT_TRUE(BeginNewCluster(&*machine_, base::WallTime(kNow)).ok());
  EXPECT_EQ(machine_->last_zxid(), base::Zxid(1'800'000'000 * kZxidsPerSecond));
  ExpectInvariants();
  ASSERT_TRUE(BeginNewCluster(&*machine_, base::WallTime(kNow + 1)).ok());
  EXPECT_EQ(machine_->last_zxid(), base::Zxid(1'800'000'001 * kZxidsPerSecond));
}

TEST_F(NewClusterTest, AClockThatIsBehindCountsForNothing) {
  machine_.Create("/a");
  RaiseTo(1'800'000'000 * kZxidsPerSecond);
  ASSERT_TRUE(BeginNewCluster(&*machine_, base::WallTime(1'800'000'000'000)).ok());
  EXPECT_EQ(machine_->last_zxid(), base::Zxid(1'800'000'000 * kZxidsPerSecond + kZxidLeap));
}

TEST_F(NewClusterTest, AClockThatIsFarAheadIsRefused) {
  machine_.Create("/a");
  const std::uint64_t digest = machine_->Digest();
  for (const std::int64_t now : {std::int64_t{1} << 43, std::numeric_limits<std::int64_t>::max()}) {
    const auto left = BeginNewCluster(&*machine_, base::WallTime(now));
    EXPECT_EQ(left.status().code(), absl::StatusCode::kOutOfRange) << left.status();
    EXPECT_EQ(machine_->Digest(), digest);
  }
}

TEST_F(NewClusterTest, NodesStayAsTheyAreAndTheZxidLeaps) {
  machine_.Create("/a", "data");
  machine_.Create("/a/b");
  machine_.Set("/a", "more");
  const Stat before = machine_.StatOf("/a");
  const auto left = BeginNewCluster(&*machine_, kNoClock);
  ASSERT_TRUE(left.ok()) << left.status();
  EXPECT_EQ(left->zxid, base::Zxid(3));
  EXPECT_EQ(left->sessions, 0u);
  EXPECT_EQ(machine_->last_zxid(), base::Zxid(3 + kZxidLeap));
  EXPECT_EQ(machine_.StatOf("/a"), before);
  EXPECT_EQ(machine_->tree().Find("/a")->data(), "more");
  ExpectInvariants();
  machine_.Create("/c");
  EXPECT_EQ(machine_.StatOf("/c").czxid, base::Zxid(4 + kZxidLeap));
}

TEST_F(NewClusterTest, NoSessionEphemeralOrKeptAnswerIsLeft) {
  machine_.Create("/p");
  const base::SessionId first = machine_.Open();
  const base::SessionId second = machine_.Open();
  machine_.Write(first, 0, EncodeCreate({.number = 1}, {.path = "/p/first", .ephemeral = true}));
  machine_.Write(second, 0, EncodeCreate({.number = 1}, {.path = "/p/second", .ephemeral = true}));
  machine_.Write(second, 0, EncodeCreate({.number = 2}, {.path = "/p/stays"}));
  const std::uint64_t last = machine_->last_zxid().value;
  const auto left = BeginNewCluster(&*machine_, kNoClock);
  ASSERT_TRUE(left.ok()) << left.status();
  EXPECT_EQ(left->sessions, 2u);
  EXPECT_EQ(left->ephemerals, 2u);
  EXPECT_EQ(machine_->sessions().size(), 0u);
  EXPECT_TRUE(machine_->tree().ephemerals().empty());
  EXPECT_FALSE(machine_.Has("/p/first"));
  EXPECT_FALSE(machine_.Has("/p/second"));
  EXPECT_TRUE(machine_.Has("/p/stays"));
  EXPECT_EQ(machine_->last_zxid(), base::Zxid(last + kZxidLeap + 2));
  EXPECT_EQ(machine_.StatOf("/p").pzxid, machine_->last_zxid()) << "its children changed in the new cluster, not in the old one";
  ExpectInvariants();
  // A session's write sent again is refused for good.
  EXPECT_EQ(machine_.Write(second, 0, EncodeCreate({.number = 2}, {.path = "/p/stays"})).code, Code::kSessionExpired);
}

TEST_F(NewClusterTest, SequenceNumbersGoOn) {
  machine_.Create("/q");
  machine_.Unary(EncodeCreate({}, {.path = "/q/n-", .sequential = true}));
  ASSERT_TRUE(BeginNewCluster(&*machine_, kNoClock).ok());
  EXPECT_EQ(machine_.Unary(EncodeCreate({}, {.path = "/q/n-", .sequential = true})).path, "/q/n-0000000001");
}

TEST_F(NewClusterTest, AZxidThatWouldGrowTooLargeIsRefusedAndNothingChanges) {
  machine_.Create("/a");
  machine_.Open();
  RaiseTo(kZxidEnd - kZxidLeap - 1);
  const std::uint64_t digest = machine_->Digest();
  const auto left = BeginNewCluster(&*machine_, kNoClock);
  EXPECT_EQ(left.status().code(), absl::StatusCode::kOutOfRange) << left.status();
  EXPECT_EQ(machine_->Digest(), digest);
}

TEST_F(NewClusterTest, TheLargestZxidThatFitsIsTaken) {
  machine_.Open();
  RaiseTo(kZxidEnd - kZxidLeap - 2);
  ASSERT_TRUE(BeginNewCluster(&*machine_, kNoClock).ok());
  EXPECT_EQ(machine_->last_zxid(), base::Zxid(kZxidEnd - 1));
}

TEST_F(NewClusterTest, ItCanBeDoneAgainAndAgain) {
  machine_.Create("/a");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(BeginNewCluster(&*machine_, kNoClock).ok());
  EXPECT_EQ(machine_->last_zxid(), base::Zxid(1 + 3 * kZxidLeap));
  ExpectInvariants();
}

}  // namespace
}  // namespace drover::coord::tree
