#include "client/cli/output.h"

#include <gtest/gtest.h>

#include <sstream>

#include "client/cli/exit_code.h"

namespace drover::cli {
namespace {

class OutputTest : public ::testing::Test {
 protected:
  Output Make(Format format) { return Output(format, &out_, &err_); }
  static std::vector<Item> Two() {
    return {{"a", {{"id", "a"}, {"n", 1}}, {"a", "1", ""}}, {"long-id", {{"id", "long-id"}, {"n", 22}}, {"long-id", "22", "x"}}};
  }
  std::ostringstream out_, err_;
};

TEST_F(OutputTest, ATableIsAlignedAndHasNoTrailingBlanks) {
  Make(Format::kTable).List({"ID", "N", "MORE"}, Two());
  EXPECT_EQ(out_.str(), "ID       N   MORE\na        1\nlong-id  22  x\n");
}

TEST_F(OutputTest, AnEmptyTableIsItsHeader) {
  Make(Format::kTable).List({"ID", "N"}, {});
  EXPECT_EQ(out_.str(), "ID  N\n");
}

TEST_F(OutputTest, AListIsOneArray) {
  Make(Format::kJson).List({"ID", "N", "MORE"}, Two());
  EXPECT_EQ(out_.str(), "[{\"id\":\"a\",\"n\":1},{\"id\":\"long-id\",\"n\":22}]\n");
}

TEST_F(OutputTest, AnEmptyListIsAnEmptyArray) {
  Make(Format::kJson).List({"ID"}, {});
  EXPECT_EQ(out_.str(), "[]\n");
}

TEST_F(OutputTest, JsonlIsOneObjectALine) {
  Make(Format::kJsonl).List({}, Two());
  EXPECT_EQ(out_.str(), "{\"id\":\"a\",\"n\":1}\n{\"id\":\"long-id\",\"n\":22}\n");
}

TEST_F(OutputTest, IdsAreOneALine) {
  Make(Format::kId).List({}, Two());
  EXPECT_EQ(out_.str(), "a\nlong-id\n");
}

TEST_F(OutputTest, OneThingIsLinesOfNamesAndWhatIsEmptyIsLeftOut) {
  Make(Format::kTable).One({"id", "n", "more"}, Two()[0]);
  EXPECT_EQ(out_.str(), "id    a\nn     1\n");
}

TEST_F(OutputTest, ErrorsAreOneLineOnStandardErrorWithTheirExitCode) {
  Output output = Make(Format::kTable);
  EXPECT_EQ(output.Fail(absl::NotFoundError("no task\nt")), kNotFound);
  EXPECT_EQ(output.Fail(kTimedOut, absl::DeadlineExceededError("late")), kTimedOut);
  EXPECT_EQ(err_.str(), "drover: no task t\ndrover: late\n");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(OutputTest, ErrorsAreObjectsInJson) {
  Make(Format::kJson).Fail(absl::NotFoundError("no \"task\""));
  EXPECT_EQ(err_.str(), "{\"error\":{\"code\":\"NOT_FOUND\",\"message\":\"no \\\"task\\\"\"}}\n");
}

TEST_F(OutputTest, NotesStayOutOfJson) {
  Make(Format::kJson).Note("hello");
  EXPECT_EQ(err_.str(), "");
  Make(Format::kId).Note("hello");
  EXPECT_EQ(err_.str(), "drover: hello\n");
}

TEST_F(OutputTest, BrokenTextIsMendedAndControlCharactersMakeNoLines) {
  EXPECT_EQ(Dump(Json("a\xff")), "\"a\xef\xbf\xbd\"");
  Make(Format::kTable).List({"ID"}, {{"x", {}, {"two\nlines\x1b[2J"}}});
  EXPECT_EQ(out_.str(), "ID\ntwo lines [2J\n");
}

}  // namespace
}  // namespace drover::cli
