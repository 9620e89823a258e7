// FORMAT.md is a promise: its examples are what is written, and what was written by them can be read.
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

constexpr base::ClusterId kExampleCluster{0x0123456789abcdef};

// The bytes of the example with this name.
std::string Example(const std::string& name) {
  std::ifstream in(std::string(DROVER_SOURCE_DIR) + "/coord/log/FORMAT.md");
  std::stringstream text;
  text << in.rdbuf();
  const std::string page = text.str();
  const std::string begin = absl::StrCat("<!-- example: ", name, " -->");
  const std::size_t from = page.find(begin);
  EXPECT_NE(from, std::string::npos) << "no example of " << name;
  const std::string dump = page.substr(from + begin.size(), page.find("<!-- end -->", from) - from - begin.size());
  std::string bytes;
  std::optional<std::size_t> at;  // of the first byte, in the file
  for (const absl::string_view line : absl::StrSplit(dump, '\n', absl::SkipWhitespace())) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (!at) at = std::stoul(words[0], nullptr, 16);
    EXPECT_EQ(std::stoul(words[0], nullptr, 16), *at + bytes.size()) << line;
    for (std::size_t i = 1; i < words.size(); ++i) bytes.push_back(static_cast<char>(std::stoul(words[i], nullptr, 16)));
  }
  return bytes;
}

Options ExampleOptions() {
  Options options;
  options.cluster_if_new = kExampleCluster;
  options.allocate_first_bytes = 512;
  return options;
}

AppendRequest ExampleRequest() {
  AppendRequest request;
  request.hard_state = MakeHardState(5, 1);
  request.entries = {MakeEntry(5, 1, "", raft::EntryKind::kNoop), MakeEntry(5, 2, "hello")};
  return request;
}

TEST(Format, TheExamplesAreWhatIsWritten) {
  sim::SimFileSystem fs(1);
  const auto process = Process::Start(&fs, ExampleOptions());
  ASSERT_TRUE(process.ok()) << process.status();
  ASSERT_TRUE((*process)->log->Append(ExampleRequest()).ok());
  ASSERT_TRUE((*process)->log->Prove().ok());
  std::string segment = Example("segment-0000000001.log");
  EXPECT_EQ(segment.size(), 0x120u);
  segment.resize(512, '\0');
  EXPECT_EQ(fs.Read("data/segment-0000000001.log"), segment);
  EXPECT_EQ(fs.Read("data/identity"), Example("identity"));
  ASSERT_TRUE((*process)->directory->Promise(base::FeatureLevel(2)).ok());
  EXPECT_EQ(fs.Read("data/identity"), Example("identity with a promise"));
}

// A vote, a conflict and a snapshot behind the first example, in the frames that the second one shows.
std::vector<AppendRequest> LaterRequests() {
  std::vector<AppendRequest> requests(3);
  requests[0].hard_state = MakeHardState(6, 2);
  requests[1].hard_state = MakeHardState(6, 2);
  requests[1].truncate_from = raft::Index(2);
  requests[1].entries = {MakeEntry(6, 2, "world")};
  requests[2].restart = Restart{raft::Index(40), raft::Term(6), raft::Index(7), base::Bytes::Copy("members")};
  return requests;
}

TEST(Format, TheExampleOfVoteConflictAndRestartIsWhatIsWritten) {
  sim::SimFileSystem fs(1);
  const auto process = Process::Start(&fs, ExampleOptions());
  ASSERT_TRUE(process.ok()) << process.status();
  ASSERT_TRUE((*process)->log->Append(ExampleRequest()).ok());
  ASSERT_TRUE((*process)->log->Prove().ok());
  const std::string before = Example("segment-0000000001.log");
  for (const AppendRequest& request : LaterRequests()) ASSERT_TRUE((*process)->log->Append(request).ok());
  std::string frames = before + Example("later frames");
  EXPECT_GT(frames.size(), 0x120u + 3 * 56);
  frames.resize(fs.Read("data/segment-0000000001.log").size(), '\0');
  EXPECT_EQ(absl::BytesToHexString(fs.Read("data/segment-0000000001.log")), absl::BytesToHexString(frames));
}

TEST(Format, TheExampleOfVoteConflictAndRestartCanBeRead) {
  sim::SimFileSystem fs(1);
  fs.Write("data/segment-0000000001.log", Example("segment-0000000001.log") + Example("later frames"));
  fs.Write("data/identity", Example("identity"));
  Options options = ExampleOptions();
  options.snapshot_index = raft::Index(40);
  const auto process = Process::Start(&fs, options);
  ASSERT_TRUE(process.ok()) << process.status();
  Model model;
  model.Apply(ExampleRequest());
  for (const AppendRequest& request : LaterRequests()) model.Apply(request);
  EXPECT_EQ(ReadAll((*process)->log.get()).value(), model);
  EXPECT_EQ((*process)->log->configurations().at(raft::Index(7)).view(), "members");
}

TEST(Format, TheExamplesCanBeRead) {
  sim::SimFileSystem fs(1);
  fs.Write("data/segment-0000000001.log", Example("segment-0000000001.log"));
  fs.Write("data/identity", Example("identity"));
  const auto process = Process::Start(&fs, ExampleOptions());
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ((*process)->directory->identity(), (Identity{base::NodeId(1), base::Incarnation(77), kExampleCluster}));
  Model model;
  model.Apply(ExampleRequest());
  EXPECT_EQ(ReadAll((*process)->log.get()).value(), model);
}

}  // namespace
}  // namespace drover::coord::log
