#include "coord/server/log_command.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "coord/log/data_directory.h"
#include "coord/log/log.h"
#include "coord/log/snapshot_file.h"
#include "coord/server/rolled_back.h"
#include "coord/server/seed.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/sim/sim_file_system.h"

namespace drover::coord::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class LogCommandTest : public ::testing::Test {
 protected:
  LogCommandTest() : fs_(1) {
    directory_ = log::DataDirectory::Open(&fs_, "data").value();
    EXPECT_TRUE(directory_->CreateIdentity(base::NodeId(2), base::Incarnation(77)).ok());
    log::Options options;
    options.cluster_if_new = base::ClusterId(0xabc);
    options.segment_bytes = 1024;
    options.allocate_first_bytes = 256;
    log_ = log::Log::Open(directory_.get(), options).value();
    Append(1, raft::EntryKind::kNoop, "");
    Append(2, raft::EntryKind::kConfig, "members");
    for (int i = 3; i <= 12; ++i) Append(i, raft::EntryKind::kData, std::string(100, 'd'));
    log::AppendRequest conflict;
    conflict.hard_state = raft::HardState{raft::Term(4), base::NodeId(3)};
    conflict.truncate_from = raft::Index(12);
    EXPECT_TRUE(log_->Append(conflict).ok());
  }
  void Append(std::uint64_t index, raft::EntryKind kind, const std::string& payload) {
    log::AppendRequest request;
    request.hard_state = raft::HardState{raft::Term(3), base::NodeId(2)};
    request.entries = {raft::Entry{raft::Term(3), raft::Index(index), kind, base::Bytes::Copy(payload)}};
    EXPECT_TRUE(log_->Append(request).ok());
  }
  int Dump(LogFormat format) {
    out_.str("");
    err_.str("");
    return DumpLog(&fs_, "data", format, out_, err_);
  }
  int Verify(LogFormat format) {
    out_.str("");
    err_.str("");
    return VerifyLog(&fs_, "data", format, out_, err_);
  }

  sim::SimFileSystem fs_;
  std::unique_ptr<log::DataDirectory> directory_;
  std::unique_ptr<log::Log> log_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(LogCommandTest, VerifySaysOkAndCountsWhileTheNodeRuns) {
  EXPECT_EQ(Verify(LogFormat::kTable), 0);
  EXPECT_THAT(out_.str(), StartsWith("ok: node 2 of cluster 2748, term 4, vote 3\n"));
  EXPECT_THAT(out_.str(), HasSubstr("13 frames, 12 entries written; 11 count: 1 to 11; committed at least to 0\n"));
  EXPECT_THAT(out_.str(), HasSubstr("note: the last frame"));
  EXPECT_EQ(err_.str(), "");
  ASSERT_TRUE(log_->Prove().ok());
  EXPECT_EQ(Verify(LogFormat::kJson), 0);
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["ok"], true);
  EXPECT_EQ(json["last_index"], 11);
  EXPECT_EQ(json["frames"], 14);
  EXPECT_EQ(json["notes"], nlohmann::json::array());
}

TEST_F(LogCommandTest, VerifyNamesFileOffsetAndWhatToDo) {
  const std::string path = "data/segment-0000000001.log";
  fs_.FlipBit(path, fs_.Read(path).find("ddd"), 2);
  EXPECT_EQ(Verify(LogFormat::kTable), 1);
  EXPECT_EQ(out_.str(), "");
  EXPECT_THAT(err_.str(), StartsWith("drover-coord: data/segment-0000000001.log at offset "));
  EXPECT_THAT(err_.str(), HasSubstr("restored from a backup"));
  EXPECT_EQ(Verify(LogFormat::kJsonl), 1);
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["ok"], false);
  EXPECT_THAT(json["error"].get<std::string>(), StartsWith(path));
}

TEST_F(LogCommandTest, VerifyFailsWhereTheNodeWouldNotStart) {
  for (const std::string missing : {"data/segment-0000000001.log", "data/identity"}) {
    const std::string contents = fs_.Read(missing);
    ASSERT_TRUE(fs_.Remove(missing).ok());
    EXPECT_EQ(Verify(LogFormat::kTable), 1) << missing;
    EXPECT_EQ(out_.str(), "");
    EXPECT_THAT(err_.str(), HasSubstr("missing")) << missing;
    EXPECT_THAT(err_.str(), HasSubstr("restored from a backup")) << missing;
    EXPECT_EQ(Verify(LogFormat::kJson), 1) << missing;
    EXPECT_EQ(nlohmann::json::parse(out_.str())["ok"], false);
    fs_.Write(missing, contents);
  }
  EXPECT_EQ(Verify(LogFormat::kTable), 0);
}

TEST_F(LogCommandTest, VerifyFailsWhereALeaderHasSaidThatTheDirectoryIsRolledBack) {
  ASSERT_TRUE(MarkRolledBack(&fs_, "data", "entry 40").ok());
  EXPECT_EQ(Verify(LogFormat::kTable), 1);
  EXPECT_EQ(out_.str(), "");
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("has lost what node 2 had acknowledged: entry 40"), HasSubstr("member readmit 2")));
  EXPECT_EQ(Verify(LogFormat::kJson), 1);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["ok"], false);
  // It says so first, whatever else is wrong: with a damaged snapshot alone the node could start.
  const std::string damaged = "data/" + log::SnapshotName(raft::Index(3));
  const auto file = base::CreateAnew(&fs_, damaged);
  ASSERT_TRUE(file.ok() && (*file)->WriteAt(0, "no snapshot").ok());
  EXPECT_EQ(Verify(LogFormat::kTable), 1);
  EXPECT_THAT(err_.str(), HasSubstr("has lost what node 2 had acknowledged"));
}

TEST_F(LogCommandTest, VerifyReadsTheSnapshotsFromWhichTheLogLeadsOn) {
  const auto snapshot = [&](std::uint64_t index) {
    const raft::SnapshotPoint at{raft::Index(index), raft::Term(3), raft::Index(2), base::Bytes::Copy("members")};
    auto writer = log::SnapshotWriter::Begin(&fs_, "data", {base::ClusterId(0xabc), 5, at, base::Bytes::Copy("members")}, {});
    ASSERT_TRUE(writer.ok() && (*writer)->Add("a part").ok() && (*writer)->Finish().ok());
  };
  snapshot(8);
  snapshot(9);
  ASSERT_TRUE(log_->Compact(raft::Index(9)).ok());
  ASSERT_GT(log_->first_index(), raft::Index(1));
  EXPECT_EQ(Verify(LogFormat::kTable), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("snapshot up to entry 9: "));
  EXPECT_EQ(Verify(LogFormat::kJson), 0);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["snapshots"][0]["index"], 8);
  // One is damaged: that is said, and that the other one is there. Both: the node would not start.
  const std::string newest = "data/" + log::SnapshotName(raft::Index(9));
  fs_.FlipBit(newest, 100, 1);
  EXPECT_EQ(Verify(LogFormat::kTable), 1);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr(newest), HasSubstr("can start all the same"), Not(HasSubstr("log is damaged"))));
  fs_.FlipBit("data/" + log::SnapshotName(raft::Index(8)), 100, 1);
  EXPECT_EQ(Verify(LogFormat::kTable), 1);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr(".snap"), HasSubstr("readmit"), Not(HasSubstr("can start all the same"))));
}

TEST_F(LogCommandTest, VerifyKnowsWhatARestoreHasMadeAndReadsItThrough) {
  log_.reset();
  directory_.reset();
  for (const std::string& path : fs_.Paths()) fs_.Delete(path);
  EXPECT_EQ(Verify(LogFormat::kTable), 1);
  base::SeededRandom random(1);
  tree::StateMachine state;
  const Seed seed{base::ClusterId(77), {{base::NodeId(1), "a:1"}, {base::NodeId(2), "b:1"}}};
  ASSERT_TRUE(WriteSeed(&fs_, &random, "data", seed, &state, base::WallTime()).ok());
  EXPECT_EQ(Verify(LogFormat::kTable), 0) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("ok: restored for the new cluster 77 of the members 1=a:1,2=b:1"));
  EXPECT_EQ(Verify(LogFormat::kJson), 0);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["restored"], true);
  fs_.FlipBit("data/founding.snap", fs_.Read("data/founding.snap").size() / 2, 1);
  EXPECT_EQ(Verify(LogFormat::kTable), 1);
  EXPECT_THAT(err_.str(), HasSubstr("restore again"));
}

TEST_F(LogCommandTest, DumpHasALineForEachFrameAndEntry) {
  EXPECT_EQ(Dump(LogFormat::kJsonl), 0);
  std::vector<nlohmann::json> entries;
  std::vector<nlohmann::json> frames;
  std::size_t segments = 0;
  std::istringstream lines(out_.str());
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json["what"] == "entry") {
      entries.push_back(json);
    } else if (json["what"] == "segment") {
      ++segments;
    } else {
      frames.push_back(json);
    }
  }
  EXPECT_EQ(segments, log_->segments());
  ASSERT_EQ(frames.size(), 13u);
  ASSERT_EQ(entries.size(), 12u);
  EXPECT_EQ(entries[0]["kind"], "noop");
  EXPECT_EQ(entries[1]["kind"], "config");
  EXPECT_EQ(entries[1]["bytes"], 7);
  EXPECT_EQ(entries[11]["index"], 12);
  EXPECT_EQ(entries[11]["term"], 3);
  EXPECT_EQ(frames[0]["offset"], 136);
  EXPECT_EQ(frames[12]["truncates"], true);
  EXPECT_EQ(frames[12]["first_index"], 12);
  EXPECT_EQ(frames[12]["vote"], 3);
  EXPECT_EQ(frames[12]["proven"], false);
  EXPECT_THAT(err_.str(), HasSubstr("may not have been synced"));
}

TEST_F(LogCommandTest, DumpAsJsonIsOneArrayAndAsTableItHasColumns) {
  EXPECT_EQ(Dump(LogFormat::kJson), 0);
  EXPECT_EQ(nlohmann::json::parse(out_.str()).size(), 25 + log_->segments());
  EXPECT_EQ(Dump(LogFormat::kTable), 0);
  EXPECT_THAT(out_.str(), StartsWith("SEGMENT OFFSET    WHAT    INDEX      TERM   VOTE  BYTES    NOTES\n"
                                     "1       0         segment 0          0      0     -        cluster 2748, commit 0\n"
                                     "1       136       batch   1          3      2     72       1 entries\n"
                                     "1                 entry   1          3            0        noop\n"));
  EXPECT_THAT(out_.str(), HasSubstr("voids entries from 12 on"));
}

TEST_F(LogCommandTest, DumpShowsWhatLiesBeforeTheDamage) {
  const std::string path = "data/segment-0000000001.log";
  fs_.FlipBit(path, fs_.Read(path).find("ddd"), 2);
  EXPECT_EQ(Dump(LogFormat::kJson), 1);
  EXPECT_EQ(nlohmann::json::parse(out_.str()).size(), 5u) << "a header, two frames, two entries";
  EXPECT_THAT(err_.str(), HasSubstr("at offset"));
}

TEST_F(LogCommandTest, ARestartIsShown) {
  log::AppendRequest request;
  request.restart = log::Restart{raft::Index(40), raft::Term(4), raft::Index(7), base::Bytes::Copy("members")};
  ASSERT_TRUE(log_->Append(request).ok());
  // All is shown, and then that the snapshot is missing.
  EXPECT_EQ(Dump(LogFormat::kJsonl), 1);
  EXPECT_THAT(err_.str(), HasSubstr("the log begins with entry 41"));
  EXPECT_THAT(out_.str(), HasSubstr("\"snapshot_index\":40,\"snapshot_term\":4,\"configuration_index\":7"));
  EXPECT_EQ(Dump(LogFormat::kTable), 1);
  EXPECT_THAT(out_.str(), HasSubstr("after a snapshot up to entry 40 of term 4"));
}

TEST_F(LogCommandTest, NoLogAndNoDirectoryAreSaid) {
  out_.str("");
  EXPECT_EQ(VerifyLog(&fs_, "nowhere", LogFormat::kTable, out_, err_), 1);
  EXPECT_THAT(err_.str(), HasSubstr("nowhere"));
  ASSERT_TRUE(fs_.MakeDirectory("empty").ok());
  EXPECT_EQ(DumpLog(&fs_, "empty", LogFormat::kJsonl, out_, err_), 1);
  EXPECT_THAT(err_.str(), HasSubstr("empty holds no log"));
}

TEST_F(LogCommandTest, ANameThatIsNoUtf8IsShownInJsonAllTheSame) {
  fs_.Write("data/segment-\xff.log.tmp", "");
  EXPECT_EQ(Verify(LogFormat::kJson), 0);
  EXPECT_THAT(nlohmann::json::parse(out_.str())["notes"].dump(), HasSubstr("segment-\xef\xbf\xbd.log.tmp is superseded"));
}

TEST_F(LogCommandTest, OutputThatCannotBeWrittenIsNoSuccess) {
  std::ostringstream closed;
  closed.setstate(std::ios::badbit);
  EXPECT_EQ(DumpLog(&fs_, "data", LogFormat::kTable, closed, err_), 1);
  EXPECT_EQ(VerifyLog(&fs_, "data", LogFormat::kTable, closed, err_), 1);
  EXPECT_THAT(err_.str(), HasSubstr("could not be written"));
}

TEST(LogCommandLine, UsageErrorsExitWithTwo) {
  for (const std::vector<const char*>& args : {std::vector<const char*>{"log"},
                                               {"log", "dump"},
                                               {"log", "mend", "d"},
                                               {"log", "verify", "-o", "xml", "d"},
                                               {"log", "verify", "d", "e"}}) {
    EXPECT_EQ(LogCommand(static_cast<int>(args.size()), args.data()), 2) << args.back();
  }
  const std::vector<const char*> missing = {"log", "verify", "/nonexistent/drover"};
  EXPECT_EQ(LogCommand(3, missing.data()), 1);
}

}  // namespace
}  // namespace drover::coord::server
