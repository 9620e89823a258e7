#include "client/cli/line_source.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace drover::cli {
namespace {

class LineSourceTest : public ::testing::Test {
 protected:
  LineSourceTest() {
    EXPECT_EQ(pipe(pipe_), 0);
    news_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lines_ = LinesOf(pipe_[0], {.news_fd = news_, .on_news = [this] {
                                  std::uint64_t count = 0;
                                  (void)!read(news_, &count, sizeof count);
                                  ++shown_;
                                  return interrupted_;
                                }});
  }
  ~LineSourceTest() override {
    close(pipe_[0]);
    close(pipe_[1]);
    close(news_);
  }
  void Type(const std::string& text) { ASSERT_EQ(write(pipe_[1], text.data(), text.size()), static_cast<ssize_t>(text.size())); }
  void Tell() {
    const std::uint64_t one = 1;
    ASSERT_EQ(write(news_, &one, sizeof one), static_cast<ssize_t>(sizeof one));
  }
  LineOutcome Read() { return lines_->Read("", &line_); }

  int pipe_[2] = {-1, -1};
  int news_ = -1;
  int shown_ = 0;
  bool interrupted_ = false;
  std::string line_;
  std::unique_ptr<LineSource> lines_;
};

TEST_F(LineSourceTest, LinesComeOneByOneAndTheLastNeedsNoEnd) {
  Type("one\n\ntwo");
  close(pipe_[1]);
  EXPECT_EQ(Read(), LineOutcome::kLine);
  EXPECT_EQ(line_, "one");
  EXPECT_EQ(Read(), LineOutcome::kLine);
  EXPECT_EQ(line_, "");
  EXPECT_EQ(Read(), LineOutcome::kLine);
  EXPECT_EQ(line_, "two");
  EXPECT_EQ(Read(), LineOutcome::kEnd);
}

TEST_F(LineSourceTest, NewsAreShownWhileItWaits) {
  Tell();
  Type("one\n");
  EXPECT_EQ(Read(), LineOutcome::kLine);
  EXPECT_EQ(shown_, 1);
}

TEST_F(LineSourceTest, CtrlCEndsTheWait) {
  interrupted_ = true;
  Tell();
  EXPECT_EQ(Read(), LineOutcome::kInterrupted);
}

}  // namespace
}  // namespace drover::cli
