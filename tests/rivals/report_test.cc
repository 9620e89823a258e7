#include "tests/rivals/report.h"

#include <gtest/gtest.h>

namespace drover::rivals {
namespace {

using base::Zxid;
using recipes::Rule;

TEST(Report, ComesBackAsItWasSaid) {
  for (const char* line : {"hello r1\n", "use shard-3 17\n", "share semaphore 9007199254740991\n", "number -4\n",
                           "committed r1-17-2\n", "aborted r1-17-3\n", "claim 1 /locks/rw/w-0000000002 17 19 1\n",
                           "claim 3 /shards/own/5 0 0 2\n", "claim 5 /barrier/in/r1 17 21 3\n"}) {
    const std::string text(line);
    const auto report = DecodeReport(text.substr(0, text.size() - 1));
    ASSERT_TRUE(report.has_value()) << line;
    EXPECT_EQ(EncodeReport(*report), text);
  }
  const recipes::Claim claim{Rule::kPermits, "/locks/s/p-1", Zxid(7), Zxid(8), 2, "who"};
  const auto same = std::get<recipes::Claim>(*DecodeReport("claim 2 /locks/s/p-1 7 8 2"));
  EXPECT_EQ(EncodeReport(claim), EncodeReport(same));
  EXPECT_EQ(same.rule, Rule::kPermits);
  EXPECT_FALSE(std::get<Use>(*DecodeReport("share s 1")).fenced);
}

TEST(Report, AnythingElseIsNone) {
  for (const char* line : {"", "hello", "hello ", "hello a b", "use r", "use r x", "use  1", "use r 1 2", "share r -1", "number",
                           "number 1x", "committed", "aborted ", "committed a b", "claim 6 /p 1 1 1", "claim -1 /p 1 1 1",
                           "claim 0  1 1 1", "claim 0 /p 1 1", "seize r 1"}) {
    EXPECT_FALSE(DecodeReport(line).has_value()) << line;
  }
}

}  // namespace
}  // namespace drover::rivals
