// Two-phase commit, against the real node in simulation. (fault_test.cc has clusters and faults.)
#include "drover/recipes/two_phase_commit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drover/coord/status.h"
#include "tests/coord/client/sim_process.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCore;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Votes as it is told to (nothing: not at all), and finishes what is decided.
struct Participant final : CommitParticipantObserver {
  Participant(SimCore* core, const std::string& name, std::optional<bool> vote)
      : votes(vote), process(core, name, {.timeout = seconds(2), .disconnect_grace = milliseconds(250)}) {
    participant = std::make_unique<CommitParticipant>(process.session(), CommitParticipantOptions{"/tx", name}, this);
  }
  ~Participant() { Kill(); }
  void Kill() {
    participant.reset();
    process.Kill();
  }
  void OnPrepare(const std::string& id, const std::string& what) override {
    asked[id] = what;
    if (votes) participant->Vote(id, *votes, [&](const absl::Status& status) { voted = status; });
  }
  void OnDecided(const std::string& id, bool commit) override {
    decided[id].push_back(commit);
    if (finishes) participant->Finish(id, [&](const absl::Status& status) { finished = status; });
  }

  std::optional<bool> votes;
  bool finishes = true;
  std::map<std::string, std::string> asked;
  std::map<std::string, std::vector<bool>> decided;
  std::optional<absl::Status> voted, finished;
  SimProcess process;
  std::unique_ptr<CommitParticipant> participant;
};

class TwoPhaseCommitTest : public ::testing::Test {
 protected:
  TwoPhaseCommitTest() {
    core_.Start();
    process_ = std::make_unique<SimProcess>(&core_, "coordinator",
                                            coord::SessionOptions{.timeout = seconds(2), .disconnect_grace = milliseconds(250)});
    coordinator_ = std::make_unique<CommitCoordinator>(process_->session(), "/tx");
  }
  ~TwoPhaseCommitTest() override { coordinator_.reset(); }

  void Begin(const std::string& id, base::Duration patience = seconds(10)) {
    coordinator_->Begin(id, {"a", "b"}, "what", patience, [&](absl::StatusOr<bool> d) { decided_ = d; });
  }
  bool RunUntil(const std::function<bool()>& condition, base::Duration limit = seconds(30)) {
    return core_.world.RunUntil(condition, limit);
  }
  bool Forgotten(const std::string& id) { return core_.node->state().tree().Find("/tx/" + id) == nullptr; }

  SimCore core_;
  std::unique_ptr<SimProcess> process_;
  std::unique_ptr<CommitCoordinator> coordinator_;
  std::optional<absl::StatusOr<bool>> decided_;
};

TEST_F(TwoPhaseCommitTest, CommitsOnceAllHaveSaidYes) {
  Participant a(&core_, "a", true);
  Participant b(&core_, "b", std::nullopt);
  Begin("t1");
  ASSERT_TRUE(RunUntil([&] { return a.voted.has_value() && !b.asked.empty(); }));
  EXPECT_EQ(b.asked["t1"], "what");
  core_.world.RunFor(seconds(1));
  EXPECT_FALSE(decided_.has_value());
  b.participant->Vote("t1", true, [](const absl::Status&) {});
  ASSERT_TRUE(RunUntil([&] { return decided_.has_value() && a.finished && b.finished; }));
  EXPECT_TRUE(decided_->ok() && **decided_) << decided_->status();
  EXPECT_EQ(a.decided["t1"], std::vector<bool>{true});
  EXPECT_EQ(b.decided["t1"], std::vector<bool>{true});
  EXPECT_TRUE(RunUntil([&] { return Forgotten("t1"); }));
}

TEST_F(TwoPhaseCommitTest, AbortsOnceOneSaysNo) {
  Participant a(&core_, "a", std::nullopt);
  Participant b(&core_, "b", false);
  Begin("t1");
  ASSERT_TRUE(RunUntil([&] { return decided_.has_value() && a.finished && b.finished; }));
  EXPECT_TRUE(decided_->ok() && !**decided_);
  EXPECT_EQ(a.decided["t1"], std::vector<bool>{false}) << "without a vote of its own";
  EXPECT_TRUE(RunUntil([&] { return Forgotten("t1"); }));
}

TEST_F(TwoPhaseCommitTest, AbortsWhenPatienceEnds) {
  Participant a(&core_, "a", true);
  Begin("t1", seconds(3));
  core_.world.RunFor(seconds(2));
  EXPECT_FALSE(decided_.has_value());
  ASSERT_TRUE(RunUntil([&] { return decided_.has_value(); }));
  EXPECT_FALSE(**decided_);
  Participant b(&core_, "b", true);
  ASSERT_TRUE(RunUntil([&] { return b.finished.has_value(); })) << "who comes late is told";
  EXPECT_TRUE(b.asked.empty());
  EXPECT_EQ(b.decided["t1"], std::vector<bool>{false});
}

// The textbook's weakness: here nobody is stuck.
TEST_F(TwoPhaseCommitTest, WithoutItsCoordinatorTheParticipantsDecide) {
  Participant a(&core_, "a", true);
  Participant b(&core_, "b", std::nullopt);
  Begin("t1");
  ASSERT_TRUE(RunUntil([&] { return a.voted.has_value() && !b.asked.empty(); }));
  coordinator_.reset();
  process_->Kill();
  ASSERT_TRUE(RunUntil([&] { return a.finished && b.finished; }));
  EXPECT_EQ(a.decided["t1"], std::vector<bool>{false});
  EXPECT_EQ(b.decided["t1"], std::vector<bool>{false});
}

TEST_F(TwoPhaseCommitTest, WhoComesBackIsToldAgainWhatItHasNotFinished) {
  auto a = std::make_unique<Participant>(&core_, "a", true);
  a->finishes = false;
  Participant b(&core_, "b", true);
  Begin("t1");
  ASSERT_TRUE(RunUntil([&] { return b.finished && !a->decided.empty(); }));
  a->Kill();
  EXPECT_FALSE(Forgotten("t1"));
  a = std::make_unique<Participant>(&core_, "a", true);
  ASSERT_TRUE(RunUntil([&] { return a->finished.has_value(); }));
  EXPECT_TRUE(a->asked.empty());
  EXPECT_EQ(a->decided["t1"], std::vector<bool>{true});
  EXPECT_TRUE(Forgotten("t1"));
}

TEST_F(TwoPhaseCommitTest, BadCallsAreRefused) {
  Participant a(&core_, "a", std::nullopt);
  Begin("t1");
  ASSERT_TRUE(RunUntil([&] { return !a.asked.empty(); }));
  Begin("t1");
  ASSERT_TRUE(RunUntil([&] { return decided_.has_value(); }));
  EXPECT_TRUE(coord::IsNodeExists(decided_->status())) << decided_->status();
  std::optional<absl::Status> early;
  a.participant->Finish("t1", [&](const absl::Status& status) { early = status; });
  ASSERT_TRUE(RunUntil([&] { return early.has_value(); }));
  EXPECT_EQ(early->code(), absl::StatusCode::kFailedPrecondition);
  a.participant->Vote("t1", false, [](const absl::Status&) {});
  ASSERT_TRUE(RunUntil([&] { return !a.decided.empty(); }));
  std::optional<absl::Status> late;
  a.participant->Vote("t1", true, [&](const absl::Status& status) { late = status; });
  ASSERT_TRUE(RunUntil([&] { return late.has_value(); }));
  EXPECT_FALSE(late->ok());
}

}  // namespace
}  // namespace drover::recipes
