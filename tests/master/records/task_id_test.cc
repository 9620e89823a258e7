#include "master/records/task_id.h"

#include <gtest/gtest.h>

namespace drover::records {
namespace {

TEST(TaskIdTest, TheGrammarIsKeptAtItsEdges) {
  for (const std::string& id : {std::string("a"), std::string("0"), std::string("a.b_c-d"), std::string(128, 'x')})
    EXPECT_TRUE(IsTaskId(id)) << id;
  for (const std::string& id : {std::string(), std::string("."), std::string("-a"), std::string("_a"), std::string("a/b"),
                                std::string("a b"), std::string("\xc3\xa4"), std::string(129, 'x')}) {
    EXPECT_FALSE(IsTaskId(id)) << id;
  }
  EXPECT_TRUE(IsName(std::string(63, 'x')));
  EXPECT_FALSE(IsName(std::string(64, 'x')));
}

TEST(TaskIdTest, ATaskThatIsNotThereIsCalledSoByEverybody) {
  EXPECT_EQ(NoTaskError("t"), absl::NotFoundError("there is no task t (any more)"));
}

TEST(TaskIdTest, AGeneratedIdCarriesItsTicket) {
  const std::string id = GeneratedId(0x1f, 0xabc);
  EXPECT_EQ(id, "t000000000000001f-0000000000000abc");
  EXPECT_TRUE(IsTaskId(id));
  EXPECT_EQ(TicketOf(id), 0x1fU);
  EXPECT_LT(GeneratedId(9, ~0ULL), GeneratedId(10, 0));
  EXPECT_LT(GeneratedId(10, 0), GeneratedId(10, 1));
}

TEST(TaskIdTest, AnythingElseIsChosenByItsUser) {
  for (const char* id :
       {"t", "t000000000000001f", "t000000000000001F-0000000000000abc", "t000000000000001f-0000000000000abg",
        "x000000000000001f-0000000000000abc", "t000000000000001f-0000000000000abcd", "t000000000000001f_0000000000000abc"}) {
    EXPECT_FALSE(TicketOf(id).has_value()) << id;
  }
}

TEST(TaskIdTest, LabelsArePrintable) {
  EXPECT_TRUE(IsLabelKey("zone"));
  EXPECT_TRUE(IsLabelKey("example.org/zone"));
  EXPECT_FALSE(IsLabelKey(""));
  EXPECT_FALSE(IsLabelKey("a=b"));
  EXPECT_TRUE(IsLabelValue(""));
  EXPECT_TRUE(IsLabelValue("eu west=1"));
  EXPECT_FALSE(IsLabelValue("a\nb"));
  EXPECT_FALSE(IsLabelValue(std::string(64, 'x')));
}

}  // namespace
}  // namespace drover::records
