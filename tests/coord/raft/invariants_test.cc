#include "coord/raft/invariants.h"

#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace drover::coord::raft {
namespace {

// A leader of term 3 with entries 1..9 of which 6 are committed; 5 is its no-op.
State Healthy() {
  State s;
  s.hard_state = HardState{Term(3), base::NodeId(1)};
  s.role = RoleName::kLeader;
  s.leader = base::NodeId(1);
  s.last = Index(9);
  s.last_term = Term(3);
  s.commit = Index(6);
  s.durable = Index(7);
  s.first_of_term = Index(5);
  s.held_first = Index(7);
  s.held_entries = 3;
  s.voter = true;
  s.voters = 1;
  s.uncommitted_bytes = 10;
  return s;
}

struct Breakage {
  std::string name;
  std::function<void(State*)> apply;
};

TEST(InvariantsTest, AHealthyLeaderPasses) {
  EXPECT_TRUE(CheckState(Healthy()).ok()) << CheckState(Healthy());
}

TEST(InvariantsTest, EachBrokenStateIsNamed) {
  const std::vector<Breakage> table = {
      {"commit beyond the log", [](State* s) { s->commit = Index(10); }},
      {"entry of a later term", [](State* s) { s->last_term = Term(4); }},
      {"memory is not the log's end", [](State* s) { s->held_entries = 2; }},
      {"uncommitted but not in memory",
       [](State* s) {
         s->held_first = Index(8);
         s->held_entries = 2;
       }},
      {"durable beyond the log", [](State* s) { s->durable = Index(10); }},
      {"commit without own disk", [](State* s) { s->durable = Index(5); }},
      {"leader without no-op", [](State* s) { s->first_of_term = Index(0); }},
      {"no-op beyond the log", [](State* s) { s->first_of_term = Index(10); }},
      {"leader's last entry of an old term", [](State* s) { s->last_term = Term(2); }},
      {"bytes without an entry",
       [](State* s) {
         s->commit = s->durable = s->last;
         s->held_first = Index(9);
         s->held_entries = 1;
       }},
      {"candidate with a leader",
       [](State* s) {
         s->role = RoleName::kCandidate;
         s->uncommitted_bytes = 0;
         s->first_of_term = Index(0);
       }},
      {"follower with leader's data", [](State* s) { s->role = RoleName::kFollower; }},
  };
  for (const Breakage& row : table) {
    State broken = Healthy();
    row.apply(&broken);
    EXPECT_FALSE(CheckState(broken).ok()) << row.name;
  }
}

TEST(InvariantsTest, EachBrokenStepIsNamed) {
  const std::vector<Breakage> table = {
      {"term back", [](State* s) { s->hard_state.term = Term(2); }},
      {"second vote", [](State* s) { s->hard_state.vote = base::NodeId(2); }},
      {"second leader", [](State* s) { s->leader = base::NodeId(2); }},
      {"commit back", [](State* s) { s->commit = Index(5); }},
      {"leader's log shortened", [](State* s) { s->last = Index(8); }},
      {"durable back", [](State* s) { s->durable = Index(6); }},
      {"no-op moved", [](State* s) { s->first_of_term = Index(4); }},
  };
  EXPECT_TRUE(CheckStep(Healthy(), Healthy()).ok());
  for (const Breakage& row : table) {
    State after = Healthy();
    row.apply(&after);
    EXPECT_FALSE(CheckStep(Healthy(), after).ok()) << row.name;
  }
}

TEST(InvariantsTest, OldEntriesAreNotCommittedByCounting) {
  State before = Healthy();
  before.commit = Index(2);
  State after = before;
  after.commit = Index(4);
  EXPECT_FALSE(CheckStep(before, after).ok());
  after.commit = Index(5);
  EXPECT_TRUE(CheckStep(before, after).ok());
}

}  // namespace
}  // namespace drover::coord::raft
