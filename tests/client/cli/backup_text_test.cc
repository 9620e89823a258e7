#include "client/cli/backup_text.h"

#include <gtest/gtest.h>

#include "tests/coord/backup/backup_fixture.h"

namespace drover::cli {
namespace {

TEST(BackupTextTest, NumbersThatJsonReadersDoNotKnowExactlyAreStrings) {
  const std::uint64_t exact = std::uint64_t{1} << 53;
  EXPECT_EQ(ExactNumber(7).dump(), "7");
  EXPECT_EQ(ExactNumber(exact).dump(), "9007199254740992");
  EXPECT_EQ(ExactNumber(exact + 1).dump(), "\"9007199254740993\"");
  EXPECT_EQ(ExactNumber(UINT64_MAX).dump(), "\"18446744073709551615\"");
}

TEST(BackupTextTest, SaysAllThatABackupHolds) {
  sim::SimFileSystem files(1);
  const auto state = coord::backup::MakeState();
  const auto backup = coord::backup::ReadBackup(&files, coord::backup::WriteBackup(&files, "backups", state.get()));
  ASSERT_TRUE(backup.ok()) << backup.status();
  const Item item = BackupItem("nightly", *backup);
  EXPECT_EQ(item.cells.size(), BackupNames().size());
  Json json = item.json;
  EXPECT_GT(json.at("bytes").get<int>(), 0);
  EXPECT_GT(json.at("bytes_uncompressed").get<int>(), 0);
  json.erase("bytes");
  json.erase("bytes_uncompressed");
  EXPECT_EQ(
      json.dump(),
      R"({"file":"nightly","cluster_id":"18364758544493064720","taken":"2025-11-25T19:46:40.000Z","zxid":3,"nodes":3,)"
      R"("sessions":1,"ephemerals":1,"index":40,"term":3,"feature_level":1,"members":"1=old-1:7400,2=old-2:7400,3=old-3:7400","format":1})");
}

}  // namespace
}  // namespace drover::cli
