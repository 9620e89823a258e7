// Recipes with real processes while these are killed, paused and cut off and nodes fail. What they hold entitles them to writes
// that the resource server takes or refuses by their tokens; the history of the tree says whether what they were told was true.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/coord/recipes/holding.h"
#include "tests/rivals/judge.h"
#include "tests/rivals/places.h"
#include "tests/rivals/plan.h"
#include "tests/rivals/producer.h"
#include "tests/rivals/stage.h"
#include "tests/rivals/witness.h"
#include "tests/support/await.h"
#include "tests/support/seeds.h"

namespace drover::rivals {
namespace {

using std::chrono::milliseconds;
using ::testing::IsEmpty;

constexpr int kRivals = 4;

struct Turn {
  milliseconds at;
  bool begins;
  Strike strike;
};

void CarryOut(Stage& stage, Producer& producer, const std::vector<Strike>& plan) {
  std::vector<Turn> turns;
  for (const Strike& strike : plan) {
    turns.push_back({strike.at, true, strike});
    turns.push_back({strike.at + strike.duration, false, strike});
  }
  std::stable_sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) { return a.at < b.at; });
  const auto begin = std::chrono::steady_clock::now();
  for (const Turn& turn : turns) {
    std::this_thread::sleep_until(begin + turn.at);  // when a fault comes is what the plan is about
    if (!turn.begins) {
      stage.End(turn.strike);
      continue;
    }
    stage.Begin(turn.strike);
    producer.Put();
  }
}

// What the resource server and the history of the tree say of all that was done. Ends the rivals.
void Judge(Stage& stage, Witness& witness, const std::set<std::string>& put) {
  stage.EndRivals();
  const std::vector<Record> records = stage.resources().Records();
  const std::vector<coord::Event> events = witness.Events();
  EXPECT_THAT(Faults(records), IsEmpty());
  EXPECT_THAT(stage.resources().nonsense(), IsEmpty());
  std::vector<recipes::Claim> claims = Claims(records);
  const absl::StatusOr<std::vector<recipes::Claim>> done = recipes::CheckItems(events, kQueuePath, kDonePath, put);
  ASSERT_TRUE(done.ok()) << done.status();
  claims.insert(claims.end(), done->begin(), done->end());
  const absl::Status verdict = recipes::CheckClaims(events, claims);
  EXPECT_TRUE(verdict.ok()) << verdict;
  const auto counter = witness.client().Get(kCounterPath);
  ASSERT_TRUE(counter.ok()) << counter.status();
  std::int64_t sum = 0;
  ASSERT_TRUE(absl::SimpleAtoi(counter->node.data, &sum));
  EXPECT_GE(sum, NewestNumber(records));
  const auto met = std::count_if(claims.begin(), claims.end(),
                                 [](const recipes::Claim& claim) { return claim.rule == recipes::Rule::kAllLeft; });
  std::printf("records %zu, claims %zu, of which %td of a round of the barrier, items %zu, refused %zu\n", records.size(),
              claims.size(), met, put.size(), Refused(records));
}

// A holder stands still past its session. When it wakes, it writes what it had decided to write, and is refused.
TEST(Rivals, WhatAHolderThatWasPausedWritesWithItsOldTokensIsRefused) {
  Stage stage(2, 1);
  Witness witness(stage.addresses());
  const std::string holder = Stage::name(0);
  const std::string next = Stage::name(1);
  stage.rival(0).argv().emplace_back("--keep");
  stage.rival(0).Start();
  const auto holder_has_all = [&](const std::vector<Record>& records) { return NotHadBy(holder, records).empty(); };
  ASSERT_TRUE(testing::Await([&] { return stage.resources().Ask(holder_has_all); }));
  stage.rival(1).Start();
  // It is given half of the shards, once they have been given back in order. What is being moved may be without a write under way;
  // what the holder keeps never is.
  const std::set<std::string> kept = {"leader", "mutex", "rw", "several-a", "several-b"};
  std::vector<Held> held;
  const auto both_have_theirs = [&](const std::vector<Record>& records) {
    held = LastUsedBy(holder, records);
    held.erase(std::remove_if(held.begin(), held.end(), [&](const Held& h) { return kept.count(h.resource) == 0; }), held.end());
    return held.size() == kept.size() && NotHadBy(next, records).count("shard") == 0;
  };
  ASSERT_TRUE(testing::Await([&] { return stage.resources().Ask(both_have_theirs); }));
  stage.rival(0).Signal(SIGSTOP);
  const std::size_t paused = stage.resources().Records().size();

  // Used by the next with a newer token.
  const auto superseded = [&](const std::vector<Record>& records) {
    const std::vector<Held> now = LastUsedBy(next, records);
    return std::all_of(held.begin(), held.end(), [&](const Held& old) {
      return std::any_of(now.begin(), now.end(), [&](const Held& h) { return h.resource == old.resource && h.token > old.token; });
    });
  };
  ASSERT_TRUE(testing::Await([&] { return stage.resources().Ask(superseded); }));
  // Before the holder wakes: what it gets back then it keeps.
  const auto next_has_all = [&](const std::vector<Record>& records) { return NotHadBy(next, records, paused).empty(); };
  ASSERT_TRUE(testing::Await([&] { return stage.resources().Ask(next_has_all); }));
  const std::size_t woken = stage.resources().Records().size();
  stage.rival(0).Signal(SIGCONT);
  for (const Held& old : held) {
    const auto refused = [&](const std::vector<Record>& records) {
      return std::any_of(records.begin() + static_cast<std::ptrdiff_t>(woken), records.end(), [&](const Record& record) {
        const auto* use = std::get_if<Use>(&record.report);
        return use != nullptr && !record.accepted && use->resource == old.resource && use->token == old.token;
      });
    };
    EXPECT_TRUE(testing::Await([&] { return stage.resources().Ask(refused); })) << old.resource;
  }
  const auto has_begun_anew = [&](const std::vector<Record>& records) { return NotHadBy(holder, records, woken).empty(); };
  EXPECT_TRUE(testing::Await([&] { return stage.resources().Ask(has_begun_anew); }));
  Judge(stage, witness, {});
}

TEST(Rivals, NobodyUsesWhatAnotherHolds) {
  for (const std::uint64_t seed : testing::SeedsAsked("DROVER_TEST_RIVALS", "1")) {
    const std::vector<Strike> plan = PlanStrikes({.seed = seed, .rivals = kRivals});
    std::ostringstream text;
    for (const Strike& strike : plan) text << strike << "\n";
    SCOPED_TRACE(absl::StrCat("seed ", seed, "\n", text.str()));
    Stage stage(kRivals, seed);
    Witness witness(stage.addresses());
    Producer producer(stage.addresses());
    for (int i = 0; i < kRivals; ++i) stage.rival(i).Start();
    ASSERT_EQ(stage.AwaitAllHave(0), "");
    CarryOut(stage, producer, plan);

    // All is well again: everybody gets what it wants, and every item is worked on.
    stage.cluster().AwaitCoordsServing();
    ASSERT_EQ(stage.AwaitAllHave(stage.resources().Records().size()), "");
    const std::set<std::string> put = producer.AwaitPut();
    EXPECT_TRUE(producer.AwaitEmpty()) << "items are never worked on";
    Judge(stage, witness, put);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace drover::rivals
