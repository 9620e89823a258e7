#include "coord/process/file_limit.h"

#include <sys/resource.h>

#include "gtest/gtest.h"

namespace drover::process {
namespace {

class FileLimitTest : public ::testing::Test {
 protected:
  FileLimitTest() { EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &found_), 0); }
  ~FileLimitTest() override { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &found_), 0); }

  const Logger log_{"test"};
  rlimit found_{};
};

TEST_F(FileLimitTest, TheSoftLimitBecomesTheHardOne) {
  rlimit low = found_;
  low.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const FileLimit raised = RaiseFileLimit(log_);
  EXPECT_EQ(raised.before, 64U);
  EXPECT_EQ(raised.now, found_.rlim_max);
  EXPECT_EQ(raised.hard, found_.rlim_max);
  rlimit now{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(now.rlim_cur, found_.rlim_max);
}

TEST_F(FileLimitTest, OneThatIsThereAlreadyStays) {
  RaiseFileLimit(log_);
  const FileLimit again = RaiseFileLimit(log_);
  EXPECT_EQ(again.before, again.hard);
  EXPECT_EQ(again.now, again.hard);
}

}  // namespace
}  // namespace drover::process
