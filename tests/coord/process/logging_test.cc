#include "coord/process/logging.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::process {
namespace {

using ::testing::MatchesRegex;

TEST(LogLine, HasTimeLevelComponentMessageAndFields) {
  EXPECT_EQ(FormatLogLine("T", LogLevel::kInfo, "worker.agent", "task started",
                          {{"session", base::Strong<struct AnyTag>(7)}, {"task", "t1"}, {"fence", 12}, {"ok", true}}),
            "T info worker.agent task started session=7 task=t1 fence=12 ok=true");
}

TEST(LogLine, IsAlwaysOneLineWhoseFieldsCanBeCutOut) {
  EXPECT_EQ(FormatLogLine("T", LogLevel::kError, "c", "two\nlines", {{"a", "x y"}, {"b", "q\"=\n"}, {"c", ""}}),
            "T error c two\\nlines a=\"x y\" b=\"q\\\"=\\n\" c=\"\"");
}

TEST(LogLine, CarriesStatuses) {
  EXPECT_EQ(FormatLogLine("T", LogLevel::kWarning, "c", "m", {{"status", absl::NotFoundError("gone")}}),
            "T warning c m status=\"NOT_FOUND: gone\"");
  absl::Status marked = absl::NotFoundError("gone");
  marked.SetPayload("drover/coord/refusal", absl::Cord("x"));
  EXPECT_EQ(FormatLogLine("T", LogLevel::kWarning, "c", "m", {{"status", marked}}), "T warning c m status=\"NOT_FOUND: gone\"");
}

TEST(LogLevels, BelowTheLevelNothingIsWritten) {
  ASSERT_TRUE(SetLogLevel("warning").ok());
  ::testing::internal::CaptureStderr();
  const Logger log("test");
  log.Info("quiet");
  log.Error("loud", {{"n", 1}});
  const std::string written = ::testing::internal::GetCapturedStderr();
  SetLogLevel(LogLevel::kInfo);
  EXPECT_THAT(written, MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{6}Z error test loud n=1\n"));
  EXPECT_FALSE(LogEnabled(LogLevel::kDebug));
  EXPECT_TRUE(LogEnabled(LogLevel::kInfo));
}

TEST(LogLevels, AnUnknownNameIsRefused) {
  EXPECT_FALSE(SetLogLevel("loud").ok());
}

}  // namespace
}  // namespace drover::process
