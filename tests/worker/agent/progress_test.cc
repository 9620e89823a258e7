#include "worker/agent/progress.h"

#include <gtest/gtest.h>

#include <string>

#include "master/records/record_limits.h"

namespace drover::worker::agent {
namespace {

TEST(ProgressLine, APercentageAndWords) {
  struct Row {
    const char* line;
    double percent;  // -1: none
    const char* text;
  };
  for (const Row& row : {
           Row{"40", 40, ""},
           Row{"40%", 40, ""},
           Row{" 12.5%  of the files \r", 12.5, "of the files"},
           Row{"100 done", 100, "done"},
           Row{"0", 0, ""},
           Row{"101 dalmatians", -1, "101 dalmatians"},
           Row{"1e1 x", -1, "1e1 x"},
           Row{"-3", -1, "-3"},
           Row{"nan", -1, "nan"},
           Row{"%", -1, "%"},
           Row{"1.2.3", -1, "1.2.3"},
           Row{"loading 40%", -1, "loading 40%"},
       }) {
    task::v1::Progress progress;
    progress.set_percent(7);
    progress.set_text("before");
    EXPECT_TRUE(ReadProgress(row.line, &progress)) << row.line;
    EXPECT_EQ(progress.has_percent() ? progress.percent() : -1, row.percent) << row.line;
    EXPECT_EQ(progress.text(), row.text) << row.line;
  }
}

TEST(ProgressLine, AnEmptyOneSaysNothingNew) {
  task::v1::Progress progress;
  progress.set_percent(7);
  for (const char* line : {"", "  ", "\r"}) EXPECT_FALSE(ReadProgress(line, &progress));
  EXPECT_EQ(progress.percent(), 7);
}

TEST(ProgressLine, IsCutAndHasNoBytesThatAreNoText) {
  task::v1::Progress progress;
  EXPECT_TRUE(ReadProgress("5 " + std::string(500, 'x'), &progress));
  EXPECT_EQ(progress.text().size(), records::kProgressTextBytesMax);
  EXPECT_TRUE(ReadProgress("a\xff\xfe b", &progress));
  EXPECT_EQ(progress.text(), "a b");
}

}  // namespace
}  // namespace drover::worker::agent
