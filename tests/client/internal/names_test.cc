#include <gtest/gtest.h>

#include "drover/client/task.h"
#include "drover/task/v1/task.pb.h"

namespace drover::client {
namespace {

TEST(NamesTest, StatesAndReasonsAreCalledAsInTheService) {
  for (int i = 0; i <= task::v1::State_MAX; ++i) {
    EXPECT_EQ(StateName(static_cast<State>(i)), task::v1::State_Name(static_cast<task::v1::State>(i)));
  }
  for (int i = 0; i <= task::v1::Reason_MAX; ++i) {
    EXPECT_EQ(ReasonName(static_cast<Reason>(i)), task::v1::Reason_Name(static_cast<task::v1::Reason>(i)));
  }
}

TEST(NamesTest, AStateIsFoundByItsName) {
  EXPECT_EQ(ParseState("RUNNING"), State::kRunning);
  EXPECT_EQ(ParseState("running"), std::nullopt);
  EXPECT_EQ(ParseState("STATE_UNSPECIFIED"), std::nullopt);
}

TEST(NamesTest, FourStatesAreTerminal) {
  int terminal = 0;
  for (int i = 0; i <= task::v1::State_MAX; ++i) terminal += IsTerminal(static_cast<State>(i)) ? 1 : 0;
  EXPECT_EQ(terminal, 4);
  EXPECT_TRUE(IsTerminal(State::kLost));
  EXPECT_FALSE(IsTerminal(State::kRunning));
}

}  // namespace
}  // namespace drover::client
