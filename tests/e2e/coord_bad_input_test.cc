// What an operator can do wrong with a coordination node, as the process answers it: one sentence, an exit code, and a data
// directory that keeps what it holds. Damage inside of a log at every place is told in tests/coord/log (scan_test,
// data_directory_test), a full disk in full_disk_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

// Of every file, what is in it.
std::map<std::string, std::string> Contents(const std::string& directory) {
  std::map<std::string, std::string> contents;
  if (!std::filesystem::exists(directory)) return contents;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    contents[entry.path().filename().string()] = ReadFile(entry.path().string());
  }
  return contents;
}

class CoordBadInputTest : public ::testing::Test {
 protected:
  static std::string Loopback(int port) { return "127.0.0.1:" + std::to_string(port); }

  CommandResult Run(const std::string& data, int id, std::vector<std::string> more = {}) {
    std::vector<std::string> argv = {Binary("drover-coord"), "--id", std::to_string(id), "--data", data};
    if (std::find(more.begin(), more.end(), "--listen") == more.end()) more.insert(more.end(), {"--listen", "127.0.0.1:0"});
    argv.insert(argv.end(), more.begin(), more.end());
    CommandOptions options;
    options.deadline_seconds = 20;
    return RunCommand(argv, options);
  }
  // The process ends with `exit_code` and one line with all of `words`.
  static void ExpectRefused(const CommandResult& result, int exit_code, const std::vector<std::string>& words) {
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(Lines(result.err).size(), 1u) << result.err;
    for (const std::string& word : words) EXPECT_THAT(result.err, HasSubstr(word));
  }
  // A cluster of one that has written over several segments and several starts, and is stopped.
  std::string MakeDirectory() {
    const std::string data = dir_ / "made";
    for (int i = 0; i < 3; ++i) {
      ClusterOptions options = CoreAlone(1);
      options.coord_data = [data](int) { return data; };
      options.coord_flags = {"--segment-bytes", "65536"};
      Cluster cluster(options);
      for (int j = 0; j < 3; ++j) {
        CommandOptions value;
        value.input = std::string(40'000, static_cast<char>('a' + j));
        const std::string path = "/n" + std::to_string(i) + std::to_string(j);
        const CommandResult made = cluster.Drover({"tree", "create", path, "-"}, value);
        EXPECT_EQ(made.exit_code, 0) << made.err;
      }
      cluster.coord().Kill();
    }
    return data;
  }
  static std::vector<std::string> Segments(const std::string& data) {
    std::vector<std::string> names;
    for (const auto& [name, contents] : Contents(data)) {
      if (name.rfind("segment-", 0) == 0) names.push_back(data + "/" + name);
    }
    return names;
  }
  static void Flip(const std::string& path, std::size_t at) {
    std::string contents = ReadFile(path);
    contents.at(at) = static_cast<char>(contents.at(at) ^ 1);
    WriteFile(path, contents);
  }

  TemporaryDirectory dir_;
};

TEST_F(CoordBadInputTest, AMemberListThatCannotBeIsRefusedBeforeAnythingIsMade) {
  const std::string data = dir_ / "x";
  const std::vector<std::pair<std::string, std::string>> table = {
      {"1=127.0.0.1:7401,2=127.0.0.1:7402", "does not name this node's id 3"},
      {"1=127.0.0.1:7401,3=127.0.0.1:7401", "address 127.0.0.1:7401 is there twice"},
      {"3=127.0.0.1:7401,3=127.0.0.1:7402", "id 3 is there twice"},
      {"1=core-1,3=127.0.0.1:7402", "\"1=core-1\" is not ID=HOST:PORT"},
      {"1=127.0.0.1:0,3=127.0.0.1:7402", "\"1=127.0.0.1:0\" is not ID=HOST:PORT"},
      {"core-1:7400,3=127.0.0.1:7402", "\"core-1:7400\" is not ID=HOST:PORT"},
      {"1=127.0.0.1:7401,", "\"\" is not ID=HOST:PORT"},
  };
  for (const auto& [list, words] : table) {
    SCOPED_TRACE(list);
    ExpectRefused(Run(data, 3, {"--initial-cluster", list}), 2, {"--initial-cluster", words, "--help"});
  }
  ExpectRefused(Run(data, 3, {"--initial-cluster", "3=127.0.0.1:7402", "--advertise", "127.0.0.1:7403"}), 2,
                {"127.0.0.1:7402", "127.0.0.1:7403"});
  EXPECT_FALSE(std::filesystem::exists(data));
}

TEST_F(CoordBadInputTest, OfNodesThatWereToldDifferentMembersTheLaterOneEndsAndBothSaySo) {
  const int ports[] = {FreePort(), FreePort(), FreePort()};
  const std::string two = "1=" + Loopback(ports[0]) + ",2=" + Loopback(ports[1]);
  const std::string three = two + ",3=" + Loopback(ports[2]);
  const auto both_lists = AllOf(HasSubstr(two), HasSubstr(three), HasSubstr("give all nodes the same list"));
  for (int first = 0; first < 2; ++first) {
    const auto start = [&](int i) {
      const std::string name = std::to_string(first) + std::to_string(i);
      auto node = std::make_unique<Process>(
          std::vector<std::string>{Binary("drover-coord"), "--id", std::to_string(i + 1), "--data", dir_ / ("n" + name), "--listen",
                                   Loopback(ports[i]), "--initial-cluster", i == 0 ? two : three},
          std::map<std::string, std::string>{}, dir_ / ("log" + name));
      node->Start();
      return node;
    };
    const auto early = start(first);
    ASSERT_TRUE(Await([&] { return early->Log().find("listening") != std::string::npos; }));
    const auto late = start(1 - first);
    EXPECT_EQ(late->Wait(), 1);
    EXPECT_THAT(Lines(late->Log()).back(), both_lists);
    EXPECT_TRUE(early->running()) << "it waits for a node of its own list";
    EXPECT_THAT(Lines(early->Log()), Contains(both_lists));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(Segments(dir_ / ("n" + std::to_string(first) + std::to_string(i))).empty());
  }
}

TEST_F(CoordBadInputTest, ADirectoryOfAnotherNodeOrClusterIsRefusedAndKept) {
  const std::string data = MakeDirectory();
  const auto before = Contents(data);
  ExpectRefused(Run(data, 2), 1, {data, "is that of node 1, not of node 2", "give that id, or another directory"});
  EXPECT_EQ(Contents(data), before);

  // It began as a cluster of its own: among others it would go on as that, and clients could not tell.
  const std::string address = Loopback(FreePort());
  const std::string list = "1=" + address + ",2=" + Loopback(FreePort());
  ExpectRefused(Run(data, 1, {"--listen", address, "--initial-cluster", list}), 1,
                {data, "was founded with the members 1=", "--initial-cluster is " + list, "or another directory"});
  // Recovery begins a segment of its own; what there was stays as it is.
  for (const auto& [name, contents] : Contents(data)) {
    const auto kept = before.find(name);
    EXPECT_TRUE(kept == before.end() || kept->second == contents) << name;
  }
}

TEST_F(CoordBadInputTest, ASegmentOfAnotherClusterIsRefused) {
  const std::string data = MakeDirectory();
  const std::string newest = Segments(data).back();
  std::filesystem::rename(data, dir_ / "theirs");
  MakeDirectory();
  std::filesystem::copy(dir_ / "theirs" / std::filesystem::path(newest).filename(), newest,
                        std::filesystem::copy_options::overwrite_existing);
  const auto before = Contents(data);
  ExpectRefused(Run(data, 1), 1, {newest, "belongs to cluster", "holds files of two clusters; put back the right ones"});
  EXPECT_EQ(Contents(data), before);
}

TEST_F(CoordBadInputTest, DamageIsRefusedWithItsPlaceAndNothingIsChanged) {
  const std::string made = MakeDirectory();
  const std::vector<std::string> segments = Segments(made);
  ASSERT_GE(segments.size(), 3u);
  const auto name = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
  const std::string closed = name(segments[1]);
  const std::string last = name(segments.back());
  const std::string kCopy = "Keep a copy of the directory";
  const std::string kLater = "use the newer program";
  struct Case {
    std::string what;
    std::function<void(const std::string&)> harm;
    std::vector<std::string> words;
  };
  const std::vector<Case> table = {
      {"a flipped bit in the identity", [&](const auto& d) { Flip(d + "/identity", 20); }, {"identity", "damaged", "backup"}},
      {"a truncated identity", [&](const auto& d) { std::filesystem::resize_file(d + "/identity", 11); }, {"identity", "damaged"}},
      {"an empty identity", [&](const auto& d) { WriteFile(d + "/identity", ""); }, {"identity", "damaged"}},
      {"a missing identity", [&](const auto& d) { std::filesystem::remove(d + "/identity"); }, {"identity is missing", "backup"}},
      {"a later identity",
       [&](const auto& d) {
         std::string identity = ReadFile(d + "/identity");
         identity.at(8) = 3;
         WriteFile(d + "/identity", identity);
       },
       {"identity format version 3", "reads versions up to 2", kLater}},
      {"a flipped bit in a closed segment", [&](const auto& d) { Flip(d + "/" + closed, 300); }, {closed + " at offset", kCopy}},
      {"a truncated closed segment",
       [&](const auto& d) { std::filesystem::resize_file(d + "/" + closed, 300); },
       {closed + " at offset", kCopy}},
      {"a closed segment cut within its header",
       [&](const auto& d) { std::filesystem::resize_file(d + "/" + closed, 30); },
       {closed + " at offset 0", "cut short", kCopy}},
      {"a missing closed segment", [&](const auto& d) { std::filesystem::remove(d + "/" + closed); }, {"segment-", kCopy}},
      {"a flipped bit in the last header",
       [&](const auto& d) { Flip(d + "/" + last, 70); },
       {last + " at offset 0", "damaged", kCopy}},
      {"an empty last segment", [&](const auto& d) { WriteFile(d + "/" + last, ""); }, {last + " at offset 0", kCopy}},
      {"no log at all",
       [&](const auto& d) {
         for (const std::string& segment : segments) std::filesystem::remove(d + "/" + name(segment));
       },
       {"this node has had a log, and it is gone", kCopy}},
  };
  for (const Case& c : table) {
    SCOPED_TRACE(c.what);
    const std::string data = dir_ / "harmed";
    std::filesystem::remove_all(data);
    std::filesystem::copy(made, data);
    c.harm(data);
    const auto before = Contents(data);
    std::vector<std::string> words = c.words;
    words.push_back(data);
    ExpectRefused(Run(data, 1), 1, words);
    EXPECT_EQ(Contents(data), before);
  }
}

// The lists of both are the same, so nothing at the start tells: the node learns it from the others.
TEST_F(CoordBadInputTest, ANodeWithADirectoryOfAnotherClusterOfTheSameMembersEndsAndTheOthersGoOn) {
  Cluster cluster(CoreAlone());
  ASSERT_EQ(cluster.Drover({"tree", "create", "/theirs"}).exit_code, 0);
  for (int i = 0; i < 3; ++i) cluster.coord(i).Kill();
  std::filesystem::rename(cluster.coord_data(2), dir_ / "old");
  for (int i = 0; i < 2; ++i) std::filesystem::remove_all(cluster.coord_data(i));
  for (int i = 0; i < 3; ++i) cluster.coord(i).Start();
  cluster.AwaitCoordsServing();
  ASSERT_EQ(cluster.Drover({"tree", "create", "/ours"}).exit_code, 0);

  cluster.coord(2).Kill();
  std::filesystem::remove_all(cluster.coord_data(2));
  std::filesystem::rename(dir_ / "old", cluster.coord_data(2));
  const auto kept = Contents(cluster.coord_data(2));
  cluster.coord(2).Start();
  EXPECT_EQ(cluster.coord(2).Wait(), 1);
  EXPECT_THAT(
      Lines(cluster.coord(2).Log()).back(),
      AllOf(HasSubstr("data directory " + cluster.coord_data(2) + " is of cluster "), HasSubstr("nodes 1, 2 of its 3 members"),
            HasSubstr("with the members 1=" + cluster.coord_address(0)), HasSubstr("give this node its directory of that")));
  EXPECT_THAT(cluster.coord(0).Log() + cluster.coord(1).Log(), HasSubstr("it is of another cluster"));
  for (const auto& [name, contents] : kept) EXPECT_TRUE(Contents(cluster.coord_data(2)).contains(name)) << name;
  EXPECT_EQ(cluster.Drover({"tree", "stat", "/ours"}).exit_code, 0);
  EXPECT_NE(cluster.Drover({"tree", "stat", "/theirs"}).exit_code, 0);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(cluster.coord(i).running());
}

TEST_F(CoordBadInputTest, AStrangerIsCountedAndNamedInOneLineAndToldWhoTheMembersAre) {
  Cluster cluster(CoreAlone());
  const std::string address = Loopback(FreePort());
  const std::string list = "1=" + cluster.coord_address(0) + ",4=" + address;
  Process stranger(
      {Binary("drover-coord"), "--id", "4", "--data", dir_ / "stranger", "--listen", address, "--initial-cluster", list}, {},
      dir_ / "stranger.log");
  for (int i = 0; i < 3; ++i) {
    stranger.Start();
    EXPECT_EQ(stranger.Wait(), 1);
    EXPECT_THAT(Lines(stranger.Log()).back(),
                AllOf(HasSubstr("node 1 refuses this one"), HasSubstr("with the members 1=" + cluster.coord_address(0)),
                      HasSubstr(list + ", is none of them"), HasSubstr("give it the list of its own cluster")));
  }
  const std::string metrics = cluster.CoordPage("/metrics", 0).second;
  const std::size_t at = metrics.find("\ndrover_coord_strangers_total ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_GE(std::stod(metrics.substr(metrics.find(' ', at))), 3);
  std::vector<std::string> named;
  for (const std::string& line : Lines(cluster.coord(0).Log())) {
    if (line.find("is not listened to") != std::string::npos) named.push_back(line);
  }
  ASSERT_EQ(named.size(), 1u) << cluster.coord(0).Log();
  EXPECT_THAT(named[0],
              AllOf(HasSubstr("from=4"), HasSubstr("127.0.0.1"), HasSubstr(list), HasSubstr("no member of this cluster")));
  EXPECT_TRUE(Segments(dir_ / "stranger").empty()) << "it founds nothing";
}

TEST_F(CoordBadInputTest, FilesThatMeanNothingDoNotMatter) {
  Cluster cluster(CoreAlone(1));
  ASSERT_EQ(cluster.Drover({"tree", "create", "/kept", "value"}).exit_code, 0);
  cluster.coord().Kill();
  WriteFile(cluster.coord_data(0) + "/spare-0000000009.log", "no zeros");
  WriteFile(cluster.coord_data(0) + "/spare-0000000010.log", "");
  WriteFile(cluster.coord_data(0) + "/segment-0000000009.log.tmp", "half");
  WriteFile(cluster.coord_data(0) + "/identity.tmp", "half");
  cluster.coord().Start();
  EXPECT_EQ(cluster.Drover({"tree", "get", "/kept"}).out, "value");
}

TEST_F(CoordBadInputTest, AnAddressInUseOrADirectoryInUseChangesNothing) {
  Cluster cluster(CoreAlone(1));
  ASSERT_EQ(cluster.Drover({"tree", "create", "/kept"}).exit_code, 0);
  const std::string data = dir_ / "new";
  const std::string taken = cluster.coord_address();
  const std::vector<std::string> words = {"cannot listen on " + taken, "in use", "give another address"};
  ExpectRefused(Run(data, 1, {"--listen", taken}), 1, words);
  ExpectRefused(Run(data, 1, {"--http", taken}), 1, words);
  EXPECT_FALSE(std::filesystem::exists(data)) << "it would have founded a cluster there";

  const std::string running = cluster.coord_data(0);
  const auto before = Contents(running);
  ExpectRefused(Run(running, 1), 1, {running, "another process holds it", "give this one another directory"});
  for (const auto& [name, contents] : before) EXPECT_TRUE(Contents(running).contains(name)) << name;
  EXPECT_EQ(Contents(running).size(), before.size());
  EXPECT_EQ(cluster.Drover({"tree", "get", "/kept"}).exit_code, 0);

  WriteFile(dir_ / "file", "mine");
  ExpectRefused(Run(dir_ / "file", 1), 1, {dir_ / "file", "a file is in its place"});
  EXPECT_EQ(ReadFile(dir_ / "file"), "mine");
}

}  // namespace
}  // namespace drover::testing
