// The judge itself: what is wrong is found, what is not is not.
#include "tests/rivals/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::rivals {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Record Used(const std::string& user, const std::string& resource, std::uint64_t token, bool accepted = true) {
  return {user, Use{.resource = resource, .token = base::Zxid(token)}, accepted};
}
Record Shared(const std::string& user, std::uint64_t token) {
  return {user, Use{.resource = "semaphore", .token = base::Zxid(token), .fenced = false}};
}
Record Counted(const std::string& user, std::int64_t value) {
  return {user, Number{value}};
}

TEST(Judge, OneAfterTheOtherIsInOrder) {
  const std::vector<Record> records = {
      Used("a.1", "mutex", 5), Used("a.1", "mutex", 5), Used("b.1", "leader", 4),       Used("b.1", "mutex", 7),
      Shared("a.1", 9),        Shared("b.1", 8),        Used("a.1", "mutex", 5, false), Used("b.1", "mutex", 7),
      Counted("a.1", 2),       Counted("b.1", 1),       Used("a.2", "mutex", 12),       Used("a.2", "shard-1", 5)};
  EXPECT_THAT(Faults(records), IsEmpty());
  EXPECT_EQ(Refused(records), 1u);
  EXPECT_EQ(NewestNumber(records), 2);
}

TEST(Judge, TwoWithOneTokenAreFound) {
  EXPECT_THAT(Faults({Used("a.1", "mutex", 5), Used("b.1", "mutex", 5)}), ElementsAre(HasSubstr("a token of a.1")));
  EXPECT_THAT(Faults({Used("a.1", "mutex", 5), Used("a.2", "mutex", 5)}), ElementsAre(HasSubstr("a token of a.1")));
  EXPECT_THAT(Faults({Shared("a.1", 5), Shared("b.1", 5)}), ElementsAre(HasSubstr("a token of a.1")));
  EXPECT_THAT(Faults({Used("a.1", "mutex", 5), Used("a.1", "mutex", 6), Used("b.1", "mutex", 5, false)}),
              ElementsAre(HasSubstr("a token of a.1")))
      << "refused or not";
}

TEST(Judge, AResourceThatDoesNotRefuseIsFound) {
  EXPECT_THAT(Faults({Used("a.1", "mutex", 5), Used("b.1", "mutex", 7), Used("a.1", "mutex", 5)}),
              ElementsAre(HasSubstr("accepted after 7")));
  EXPECT_THAT(Faults({Used("a.1", "mutex", 5), Used("b.1", "mutex", 7, false)}), ElementsAre(HasSubstr("though none was newer")));
}

TEST(Judge, ANumberThatTwoGotIsFound) {
  EXPECT_THAT(Faults({Counted("a.1", 1), Counted("b.1", 2), Counted("b.1", 1)}), ElementsAre("the counter gave 1 twice"));
}

TEST(Judge, ACommitOfWhichTwoThingsWereDecidedIsFound) {
  const auto told = [](const std::string& user, const std::string& id, bool commit) { return Record{user, Decision{id, commit}}; };
  EXPECT_THAT(Faults({told("a.1", "x", true), told("b.1", "x", true), told("b.1", "y", false)}), IsEmpty());
  EXPECT_THAT(Faults({told("a.1", "x", true), told("b.1", "x", false)}), ElementsAre("of x two things were decided"));
}

Record Claimed(const std::string& user, recipes::Rule rule) {
  recipes::Claim claim;
  claim.rule = rule;
  return {user, claim};
}

TEST(Judge, KnowsWhatARivalHasHad) {
  const std::vector<Record> records = {Used("a.1", "mutex", 5),
                                       Used("b.1", "rw", 6),
                                       Used("a.2", "shard-11", 7),
                                       Used("a.1", "leader", 1, false),
                                       Counted("a.1", 1),
                                       {"a.1", Decision{"x", false}},
                                       Claimed("a.1", recipes::Rule::kTogether)};
  EXPECT_THAT(NotHadBy("a", records), ElementsAre("barrier", "leader", "rw", "semaphore", "several"));
  EXPECT_THAT(NotHadBy("a", records, 1), ElementsAre("barrier", "leader", "mutex", "rw", "semaphore", "several"));
  EXPECT_EQ(NotHadBy("a", {Claimed("a.1", recipes::Rule::kAllLeft)}).count("barrier"), 0u);
  EXPECT_EQ(NotHadBy("c", records), AllKinds());
}

TEST(Judge, KnowsWhatARivalUsedLast) {
  const std::vector<Held> held = LastUsedBy("a", {Used("a.1", "mutex", 5), Used("a.1", "rw", 6), Used("b.1", "rw", 7),
                                                  Used("a.1", "rw", 6, false), Used("a.1", "mutex", 8), Shared("a.1", 9)});
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].resource, "mutex");
  EXPECT_EQ(held[0].token, base::Zxid(8));
}

TEST(Judge, ClaimsAreTheirUsers) {
  recipes::Claim claim;
  claim.path = "/locks/mutex/p-1";
  const auto claims = Claims({{"a.1", claim}, Counted("a.1", 1)});
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].what, "a.1");
}

}  // namespace
}  // namespace drover::rivals
