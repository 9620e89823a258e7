// `drover cluster snapshot inspect|restore`, and what all of it refuses before anybody is asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "client/cli/app.h"
#include "coord/server/seed.h"
#include "tests/coord/backup/backup_fixture.h"

namespace drover::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Ran {
  int code;
  std::string out;
  std::string err;
};

class SnapshotCommandTest : public ::testing::Test {
 protected:
  SnapshotCommandTest() : directory_(::testing::TempDir() + "/snapshot_command." + std::to_string(getpid())) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    const auto state = coord::backup::MakeState();
    file_ = coord::backup::WriteBackup(files_.get(), directory_, state.get());
  }
  ~SnapshotCommandTest() override { std::filesystem::remove_all(directory_); }

  static Ran Snapshot(std::vector<std::string> args) {
    args.insert(args.begin(), {"cluster", "snapshot"});
    std::ostringstream out, err;
    const int code = Main(
        args, [](const std::string&) { return std::nullopt; }, out, err);
    return {code, out.str(), err.str()};
  }
  Ran Restore(const std::string& id, const std::string& members) {
    return Snapshot({"restore", file_, "--data", directory_ + "/data", "--id", id, "--initial-cluster", members, "-o", "json"});
  }

  const std::string directory_;
  const std::unique_ptr<base::FileSystem> files_ = base::NewRealFileSystem();
  std::string file_;
};

TEST_F(SnapshotCommandTest, InspectSaysWhatABackupHolds) {
  const Ran table = Snapshot({"inspect", file_});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, AllOf(HasSubstr("cluster       18364758544493064720\n"), HasSubstr("znodes        3\n"),
                               HasSubstr("taken         2025-11-25T19:46:40.000Z\n"), HasSubstr("ephemerals    1\n"),
                               HasSubstr("level         1\n")));
  const Ran json = Snapshot({"inspect", file_, "-o", "json"});
  EXPECT_EQ(Json::parse(json.out).at("cluster_id"), "18364758544493064720");
  EXPECT_EQ(Json::parse(json.out).at("feature_level"), 1);
}

TEST_F(SnapshotCommandTest, InspectRefusesWhatIsNoWholeBackup) {
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) - 1);
  const Ran cut = Snapshot({"inspect", file_});
  EXPECT_EQ(cut.code, 1);
  EXPECT_EQ(cut.out, "");
  EXPECT_THAT(cut.err, AllOf(HasSubstr("at offset "), HasSubstr("use another one")));
  EXPECT_EQ(Snapshot({"inspect", directory_ + "/none"}).code, 6);
}

TEST_F(SnapshotCommandTest, RestoreMakesADirectoryAndSaysWhatIsNext) {
  const Ran restored = Restore("1", "1=a:1,2=b:1");
  EXPECT_EQ(restored.code, 0) << restored.err;
  const Json json = Json::parse(restored.out);
  EXPECT_EQ(json.at("sessions_ended"), 1);
  EXPECT_EQ(json.at("nodes"), 2);
  EXPECT_EQ(json.at("members"), "1=a:1,2=b:1");
  const auto seed = coord::server::FindSeed(files_.get(), directory_ + "/data");
  ASSERT_TRUE(seed.ok() && seed->has_value());
  const std::string cluster =
      json.at("cluster_id").is_string() ? json.at("cluster_id").get<std::string>() : json.at("cluster_id").dump();
  EXPECT_EQ(std::to_string((*seed)->cluster.value), cluster);
  const Ran again = Restore("1", "1=a:1,2=b:1");
  EXPECT_EQ(again.code, 8);
  EXPECT_THAT(again.err, HasSubstr("is not empty"));
}

TEST_F(SnapshotCommandTest, RestoreRefusesWhatIsMissingOrWrongAndTouchesNothing) {
  EXPECT_EQ(Snapshot({"restore", file_, "--id", "1", "--initial-cluster", "1=a:1"}).code, 2);
  EXPECT_EQ(Snapshot({"restore", file_, "--data", directory_ + "/data", "--initial-cluster", "1=a:1"}).code, 2);
  EXPECT_EQ(Snapshot({"restore", file_, "--data", directory_ + "/data", "--id", "1"}).code, 2);
  EXPECT_EQ(Restore("1", "1=nowhere").code, 2);
  EXPECT_EQ(Restore("3", "1=a:1,2=b:1").code, 2);
  const Ran higher = Restore("2", "1=a:1,2=b:1");
  EXPECT_EQ(higher.code, 2);
  EXPECT_THAT(higher.err, HasSubstr("with the lowest id, 1"));
  file_ += "x";
  EXPECT_EQ(Restore("1", "1=a:1").code, 6);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/data"));
}

TEST_F(SnapshotCommandTest, ADamagedBackupIsNotRestored) {
  std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-30, std::ios::end);
  file.put('x');
  file.close();
  const Ran refused = Restore("1", "1=a:1");
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/data"));
  std::filesystem::create_directory(directory_ + "/data");
  EXPECT_EQ(Restore("1", "1=a:1").code, 1);
  EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/data"));
}

TEST_F(SnapshotCommandTest, AnInterruptedRestoreIsRepeatedByTheSameCommand) {
  ASSERT_TRUE(coord::server::MarkRestore(files_.get(), directory_ + "/data").ok());
  const std::string whole = std::exchange(file_, file_ + "x");
  EXPECT_EQ(Restore("1", "1=a:1").code, 6);
  EXPECT_FALSE(coord::server::CheckRestoreEnded(files_.get(), directory_ + "/data").ok()) << "the mark of the first one stays";
  file_ = whole;
  EXPECT_EQ(Restore("1", "1=a:1").code, 0);
  EXPECT_TRUE(coord::server::FindSeed(files_.get(), directory_ + "/data")->has_value());
}

TEST_F(SnapshotCommandTest, WhatIsNoRegularFileIsRefusedAtOnce) {
  const std::string pipe = directory_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const Ran inspected = Snapshot({"inspect", pipe});
  EXPECT_EQ(inspected.code, 1);
  EXPECT_THAT(inspected.err, HasSubstr("open " + pipe + ": it is a pipe, no regular file"));
  EXPECT_THAT(Snapshot({"inspect", directory_}).err, HasSubstr("it is a directory, no regular file"));
  EXPECT_THAT(Snapshot({"inspect", "/dev/null"}).err, HasSubstr("it is a device, no regular file"));
  file_ = pipe;
  EXPECT_EQ(Restore("1", "1=a:1").code, 8);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/data"));
}

TEST_F(SnapshotCommandTest, SaveDoesNotReplaceAFileAndAsksNobody) {
  const Ran refused = Snapshot({"save", file_, "--coord", "127.0.0.1:1"});
  EXPECT_EQ(refused.code, 8);
  EXPECT_THAT(refused.err, HasSubstr("is there already"));
}

TEST_F(SnapshotCommandTest, SaveToStandardOutputIsRefusedForItWouldBeAFile) {
  const Ran refused = Snapshot({"save", "-", "--coord", "127.0.0.1:1"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("give the name of a file"));
}

TEST_F(SnapshotCommandTest, SaveWithoutACoreLeavesNoFileAndSaysSo) {
  const std::string name = directory_ + "/new";
  const Ran failed = Snapshot({"save", name, "--coord", "127.0.0.1:1", "--request-timeout", "10ms"});
  EXPECT_EQ(failed.code, 7);
  EXPECT_THAT(failed.err, HasSubstr("nothing was saved: no coordination node serves"));
  EXPECT_FALSE(std::filesystem::exists(name));
  EXPECT_FALSE(std::filesystem::exists(name + ".incoming"));
}

}  // namespace
}  // namespace drover::cli
