// deploy/OPERATIONS.md is true: the lines of every recipe are run as they stand, in the situation that it is for, and what the page
// quotes of the programs was said by them.
//
// A recipe's test has the name of its heading. Runs in a mount namespace of its own (see CMakeLists.txt): one disk is full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "tests/e2e/e2e.h"
#include "tests/support/ledger.h"
#include "tests/support/page.h"
#include "tests/support/site.h"
#include "tests/support/stalled_disk.h"

namespace drover::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kFirst[] = "Before the night";
constexpr char kSymptoms[] = "What you see";

const std::vector<Section>& Page() {
  static const std::vector<Section> kPage = SectionsOf(ReadFile(std::string(DROVER_SOURCE_DIR) + "/deploy/OPERATIONS.md"));
  return kPage;
}

const Section& SectionOf(const std::string& title) {
  for (const Section& section : Page()) {
    if (section.title == title) return section;
  }
  throw std::runtime_error("the page has no \"" + title + "\"");
}

// "1. A host is dead" -> AHostIsDead; empty: no recipe.
std::string TestOf(const Section& section) {
  if (section.title.empty() || std::isdigit(static_cast<unsigned char>(section.title[0])) == 0) return "";
  std::string name;
  bool begins = true;
  for (const char c : section.title) {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      name += static_cast<char>(begins ? std::toupper(static_cast<unsigned char>(c)) : c);
      begins = false;
    } else {
      begins = true;
    }
  }
  return name;
}

// Quoted words that a program says, unlike commands, files and options that the reader is told of.
std::vector<std::string> Sayings(const std::string& cell) {
  std::vector<std::string> sayings;
  for (const std::string& quoted : Quoted(cell)) {
    if (quoted.find(' ') != std::string::npos || std::isupper(static_cast<unsigned char>(quoted[0])) != 0)
      sayings.push_back(quoted);
  }
  return sayings;
}

// A disk of 24 MiB at `path`, as long as it lives.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("disk", path_.c_str(), "tmpfs", 0, "size=24m") != 0) {
      throw std::runtime_error("needs a mount namespace of its own (see tests/e2e/CMakeLists.txt)");
    }
  }
  ~SmallDisk() { umount2(path_.c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  const std::string path_;
};

class OperationsTest : public ::testing::Test {
 protected:
  OperationsTest() {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    for (const Section& section : Page()) {
      if (TestOf(section) == name) recipe_ = &section;
    }
    if (recipe_ == nullptr) throw std::runtime_error("the page has no recipe " + name);
  }

  // What the page promises of this recipe as a whole.
  void TearDown() override {
    if (HasFailure()) {
      std::cerr << site_.Said();
      return;
    }
    EXPECT_EQ(next_, recipe_->shell.size()) << "not every block was run";
    for (const std::string& text : recipe_->texts) {
      for (const std::string& line : Lines(text)) EXPECT_TRUE(site_.WasSaid(line)) << line << "\n" << site_.Said();
    }
    for (const std::vector<std::string>& row : recipe_->tables) {
      if (row.back().rfind('[', 0) == 0) continue;  // another recipe's
      for (const std::string& quoted : Quoted(row.front())) {
        EXPECT_TRUE(site_.WasSaid(quoted)) << quoted << "\n" << site_.Said();
      }
    }
    for (const std::vector<std::string>& row : SectionOf(kSymptoms).tables) {
      if (row.size() != 3 || row[2].find("(" + recipe_->anchor() + ")") == std::string::npos) continue;
      for (const std::string& saying : Sayings(row[1])) EXPECT_TRUE(site_.WasSaid(saying)) << saying << "\n" << site_.Said();
    }
  }

  // The next block of the recipe; what it printed.
  CommandResult RunNext() {
    if (next_ == recipe_->shell.size()) throw std::runtime_error("there is no further block");
    CommandResult result = site_.Run(recipe_->shell.at(next_++));
    EXPECT_EQ(result.exit_code, 0) << "block " << next_ << "\n" << result.out << result.err;
    return result;
  }

  // core1, core2 and core3, or the first of them alone.
  void StartCore(const std::string& more = "") {
    for (const char* host : {"core1", "core2", "core3"}) {
      site_.Configure(host, more);
      site_.Start(host);
    }
    ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  }
  void StartMastersAndWorkers() {
    for (const char* host : {"m1", "w1"}) {
      site_.Configure(host, std::string(host) == "w1" ? "death-report-patience = \"1m\"\n" : "");
      site_.Start(host);
    }
    ASSERT_TRUE(Await([&] { return Run({"run", "--", "true"}).exit_code == 0; }));
  }
  CommandResult Run(const std::vector<std::string>& args) { return site_.Drover(args); }
  nlohmann::json Json(std::vector<std::string> args) {
    args.insert(args.begin(), {"-o", "json", "--request-timeout", "5s"});
    const CommandResult result = Run(args);
    return result.exit_code == 0 ? nlohmann::json::parse(result.out) : nlohmann::json();
  }
  // These and no others are voters, and they serve.
  bool AwaitVoters(const std::set<int>& ids) {
    return Await([&] {
      std::set<int> found;
      for (const nlohmann::json& node : Json({"cluster", "status"})) {
        if (node.value("serving", false) && node.at("role") != "learner") found.insert(node.at("id").get<int>());
      }
      std::set<int> members;
      for (const nlohmann::json& member : Json({"cluster", "member", "list"})) {
        if (member.at("voter").get<bool>()) members.insert(member.at("id").get<int>());
      }
      return found == ids && members == ids;
    });
  }
  int Leader() {
    int leader = 0;
    EXPECT_TRUE(Await([&] {
      for (const nlohmann::json& member : Json({"cluster", "member", "list"})) {
        if (member.at("role") == "leader") leader = member.at("id").get<int>();
      }
      return leader != 0;
    }));
    return leader;
  }
  void MakeLeader(int id) {
    EXPECT_TRUE(Await([&] { return Run({"cluster", "transfer-leader", std::to_string(id)}).exit_code == 0; }));
    EXPECT_EQ(Leader(), id);
  }
  // Something to lose.
  void Mark(const std::string& path = "/mark") { ASSERT_EQ(Run({"tree", "create", path, "kept"}).exit_code, 0); }
  void ExpectKept(const std::string& path = "/mark") { EXPECT_EQ(Run({"tree", "get", path}).out, "kept"); }
  std::string CoordData(const std::string& host) { return site_.Here(host, "/var/lib/drover/coord"); }
  // Of a series of a node's /metrics; 0 where it is not there.
  double ValueOf(const std::string& host, const std::string& series) {
    for (const std::string& line : Lines(site_.Http(host, "/metrics"))) {
      if (line.rfind(series + " ", 0) == 0) return std::stod(line.substr(series.size() + 1));
    }
    return 0;
  }
  std::string StateOf(const std::string& task) {
    const nlohmann::json status = Json({"status", task});
    return status.is_object() ? status.at("state").get<std::string>() : "";
  }
  bool AwaitSaid(const std::string& text) {
    return Await([&] { return site_.WasSaid(text); });
  }
  bool AwaitReadyz(const std::string& host, const std::string& text) {
    return Await([&] { return site_.Http(host, "/readyz").find(text) != std::string::npos; });
  }

  const Section* recipe_ = nullptr;
  std::size_t next_ = 0;
  Site site_;
};

TEST(RunbookTest, EveryRecipeHasATestAndEveryRowARecipe) {
  std::set<std::string> tests;
  const ::testing::UnitTest* all = ::testing::UnitTest::GetInstance();
  for (int i = 0; i < all->total_test_suite_count(); ++i) {
    const ::testing::TestSuite* suite = all->GetTestSuite(i);
    if (suite->name() != std::string("OperationsTest")) continue;
    for (int j = 0; j < suite->total_test_count(); ++j) tests.insert(suite->GetTestInfo(j)->name());
  }
  std::set<std::string> anchors;
  for (const Section& section : Page()) {
    const std::string test = TestOf(section);
    if (test.empty()) {
      EXPECT_TRUE(section.shell.empty() || section.title == kFirst) << section.title << " has lines that no test runs";
      continue;
    }
    EXPECT_TRUE(tests.contains(test)) << "no test for " << section.title;
    EXPECT_FALSE(section.shell.empty()) << section.title;
    anchors.insert(section.anchor());
  }
  EXPECT_GE(anchors.size(), 12u);
  const std::vector<std::vector<std::string>>& rows = SectionOf(kSymptoms).tables;
  EXPECT_GE(rows.size(), 15u);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), 3u) << rows[i][0];
    const std::size_t begin = rows[i][2].find('(');
    ASSERT_NE(begin, std::string::npos) << rows[i][2];
    EXPECT_TRUE(anchors.contains(rows[i][2].substr(begin + 1, rows[i][2].size() - begin - 2))) << rows[i][2];
  }
}

TEST_F(OperationsTest, AHostIsDead) {
  ASSERT_NO_FATAL_FAILURE(StartCore());
  ASSERT_NO_FATAL_FAILURE(StartMastersAndWorkers());
  EXPECT_EQ(site_.Run(SectionOf(kFirst).shell[0]).exit_code, 0);
  Mark();
  site_.services().Lose("core1");
  EXPECT_THAT(Run({"cluster", "status"}).out, HasSubstr("UNREACHABLE"));
  site_.CopyConfiguration("core2", "core4");
  RunNext();
  ASSERT_TRUE(AwaitVoters({2, 3, 4}));
  RunNext();
  EXPECT_EQ(Run({"run", "--", "echo", "works"}).out, "works\n");
  // The dead one comes back, is told, and is ended for good.
  site_.Start("core1");
  ASSERT_TRUE(AwaitSaid("node 1 was removed from cluster"));
  RunNext();
  EXPECT_EQ(site_.services().PidOf("core1", "drover-coord"), 0);
  // It counts: another one may go.
  site_.services().Lose("core2");
  ASSERT_TRUE(Await([&] { return Run({"tree", "get", "/mark"}).out == "kept"; }));
  EXPECT_EQ(Run({"tree", "create", "/after"}).exit_code, 0);
}

TEST_F(OperationsTest, ANodeLostItsDirectory) {
  ASSERT_NO_FATAL_FAILURE(StartCore());
  Mark();
  const std::string data = CoordData("core2");
  site_.services().Lose("core2");
  std::filesystem::rename(data, data + ".true");
  site_.Start("core2");
  ASSERT_TRUE(AwaitSaid("its own was lost or replaced"));
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  EXPECT_THAT(site_.Http("core" + std::to_string(Leader()), "/metrics"), HasSubstr("drover_coord_strangers_total"));
  site_.services().Lose("core3");
  ASSERT_TRUE(Await([&] { return Run({"tree", "get", "/mark"}).out == "kept"; })) << "it counts again";
  site_.Start("core3");
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  // The earlier copy is recognised from now on, and the same recipe helps.
  site_.services().Systemctl("core2", {"stop", "drover-coord"});
  std::filesystem::rename(data, data + ".readmitted");
  std::filesystem::rename(data + ".true", data);
  site_.Start("core2");
  ASSERT_TRUE(AwaitSaid("which has taken the place of this one"));
  next_ = 0;
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  // A copy of the directory that it has now, to which it has written since.
  const auto copy = [&](const std::string& from, const std::string& to) {
    site_.services().Systemctl("core2", {"stop", "drover-coord"});
    if (std::filesystem::exists(to)) std::filesystem::rename(to, to + ".now");
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
    site_.Start("core2");
  };
  copy(data, data + ".copy");
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  ASSERT_NO_FATAL_FAILURE(MakeLeader(1));
  Mark("/since");
  ASSERT_TRUE(Await([&] { return Run({"--coord", site_.Addresses({2}), "tree", "get", "/since"}).out == "kept"; }));
  copy(data + ".copy", data);
  ASSERT_TRUE(AwaitSaid("has lost what node 2 had acknowledged"));
  next_ = 0;
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  ExpectKept("/since");
  // As other recipes leave its file: with an empty directory it waits to be added, which it is not.
  site_.services().Systemctl("core2", {"stop", "drover-coord"});
  std::filesystem::rename(data, data + ".once-more");
  ASSERT_EQ(site_
                .Run("# on core2\nsed -i 's/^initial-cluster = .*/join = true/' /etc/drover/coord.toml\n"
                     "echo 'advertise = \"core2:7400\"' >> /etc/drover/coord.toml\n")
                .exit_code,
            0);
  site_.Start("core2");
  ASSERT_TRUE(AwaitSaid("is a member of cluster ... with another data directory"));
  EXPECT_THAT(Run({"cluster", "status"}).out, AllOf(HasSubstr("joining"), HasSubstr("drover cluster member readmit 2")));
  ASSERT_TRUE(AwaitReadyz("core2", "drover cluster member readmit 2"));
  for (const std::string command : {"add 2=core2:7400", "promote 2"}) {
    const CommandResult refused = site_.Run("drover cluster member " + command + "\n");
    EXPECT_EQ(refused.exit_code, 8) << command;
    EXPECT_THAT(refused.err, HasSubstr("drover cluster member readmit 2"));
  }
  next_ = 0;
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
}

TEST_F(OperationsTest, FilesAreDamaged) {
  ASSERT_NO_FATAL_FAILURE(StartCore("segment-bytes = 65536\nscrub-every = \"500ms\"\nsnapshot-bytes = 1048576\n"));
  Mark();
  const auto fill = [this](const std::string& path) {
    ASSERT_EQ(Run({"tree", "create", path, std::string(100'000, 'x')}).exit_code, 0);
  };
  for (int i = 0; i < 4; ++i) ASSERT_NO_FATAL_FAILURE(fill("/n" + std::to_string(i)));
  const std::string data = CoordData("core2");
  const auto damage = [&data] {
    std::set<std::string> segments;
    for (const auto& file : std::filesystem::directory_iterator(data)) {
      if (file.path().extension() == ".log") segments.insert(file.path());
    }
    ASSERT_GE(segments.size(), 3u);
    std::fstream file(*std::next(segments.begin()), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(300);
    file.put('!');
  };
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  ASSERT_NO_FATAL_FAILURE(damage());
  ASSERT_TRUE(Await([&] { return ValueOf("core2", "drover_coord_damaged") == 1; }));
  RunNext();

  // Met at a start it is refused.
  for (int i = 4; i < 12; ++i) ASSERT_NO_FATAL_FAILURE(fill("/n" + std::to_string(i)));
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  site_.services().Lose("core2");
  ASSERT_NO_FATAL_FAILURE(damage());
  site_.Start("core2");
  ASSERT_TRUE(AwaitSaid("a frame is damaged that was synced before the next segment began"));
  EXPECT_THAT(RunNext().out, HasSubstr("damaged\n"));
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  ExpectKept();
}

TEST_F(OperationsTest, ADiskIsFull) {
  const std::string disk = site_.Here("core1", "/var/lib/drover");
  const std::string second = site_.Here("core2", "/var/lib/drover");
  const SmallDisk mounted(disk);
  const SmallDisk mounted_second(second);
  // A disk of this size has a smaller reserve.
  const auto smaller = [](std::string block) {
    const std::size_t at = block.find("256M");
    return at == std::string::npos ? block : block.replace(at, 4, "8M");
  };
  EXPECT_EQ(site_.Run(smaller(SectionOf(kFirst).shell[1])).exit_code, 0);
  ASSERT_NO_FATAL_FAILURE(StartCore());
  ASSERT_NO_FATAL_FAILURE(MakeLeader(1));
  Mark();
  const auto fill_one = [](const std::string& path) {
    std::ofstream file(path + "/other", std::ios::binary);
    const std::string block(4096, 'b');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  };
  const auto fill = [&] { fill_one(disk); };
  fill();
  ASSERT_TRUE(Await([&] {
    Run({"--request-timeout", "2s", "tree", "set", "/mark", std::string(100'000, 'x')});
    return site_.Http("core1", "/readyz").find("the disk of this node is full") != std::string::npos;
  }));
  EXPECT_THAT(site_.Http("core1", "/metrics"), HasSubstr("drover_coord_disk_full 1"));
  EXPECT_THAT(Run({"cluster", "status"}).out, HasSubstr("the disk of this node is full"));
  EXPECT_NE(Leader(), 1) << "another one leads, and writes go on";
  EXPECT_EQ(Run({"--coord", site_.Addresses({2, 3}), "tree", "create", "/meanwhile", "kept"}).exit_code, 0);
  // A start on it fails, and is tried again.
  site_.services().Systemctl("core1", {"stop", "drover-coord"});
  for (const auto& entry : std::filesystem::directory_iterator(disk + "/coord")) {
    if (entry.path().extension() == ".tmp") std::filesystem::remove(entry.path());
  }
  std::filesystem::remove(disk + "/other");
  fill();
  site_.Start("core1");
  ASSERT_TRUE(AwaitSaid("free some space there, then start this node again"));
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  ExpectKept("/meanwhile");
  // Full while it runs, it goes on by itself.
  ASSERT_NO_FATAL_FAILURE(fill());
  ASSERT_TRUE(Await([&] {
    Run({"--request-timeout", "2s", "tree", "set", "/mark", std::string(100'000, 'y')});
    return site_.Http("core1", "/readyz").find("the disk of this node is full") != std::string::npos;
  }));
  std::filesystem::remove(disk + "/other");
  ASSERT_TRUE(AwaitSaid("the disk has space again"));
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  EXPECT_EQ(site_.Run(smaller(recipe_->shell.back())).exit_code, 0);
  // Most disks are full, and the leader's is not.
  ASSERT_NO_FATAL_FAILURE(MakeLeader(3));
  Mark("/kept");
  fill_one(disk);
  fill_one(second);
  const auto says_full = [this](const std::string& host) {
    return site_.Http(host, "/readyz").find("the disk of this node is full") != std::string::npos;
  };
  ASSERT_TRUE(Await([&] {
    Run({"--request-timeout", "1s", "tree", "set", "/mark", std::string(100'000, 'z')});
    return says_full("core1") && says_full("core2");
  }));
  const CommandResult stuck = Run({"cluster", "status"});
  EXPECT_EQ(stuck.exit_code, 7);
  EXPECT_THAT(stuck.err, HasSubstr("the core takes no writes: the disks of nodes 1 and 2 are full"));
  ASSERT_TRUE(AwaitReadyz("core3", "most nodes have written down nothing"));
  ExpectKept("/kept");
  EXPECT_EQ(Run({"--request-timeout", "1s", "tree", "create", "/no"}).exit_code, 7);
  // A leader is to be elected, and cannot be.
  site_.services().Lose("core3");
  site_.Start("core3");
  ASSERT_TRUE(AwaitReadyz("core1", "it can neither vote nor lead"));
  ASSERT_TRUE(AwaitReadyz("core2", "it can neither vote nor lead"));
  ASSERT_TRUE(AwaitReadyz("core3", "no leader is known to this node"));
  const CommandResult none = Run({"cluster", "status"});
  EXPECT_EQ(none.exit_code, 7);
  EXPECT_THAT(none.out, HasSubstr("the disk of this node is full"));
  EXPECT_THAT(none.err, HasSubstr("the disks of nodes 1 and 2 are full, and none can be elected until there is space"));
  EXPECT_NE(Run({"--request-timeout", "2s", "tree", "get", "/kept"}).exit_code, 0);
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  ExpectKept("/kept");
  EXPECT_EQ(Run({"tree", "create", "/after"}).exit_code, 0);
  ++next_;  // was run: the reserve had to be there again
}

TEST_F(OperationsTest, MostNodesAreLostForGood) {
  ASSERT_NO_FATAL_FAILURE(StartCore());
  ASSERT_NO_FATAL_FAILURE(StartMastersAndWorkers());
  ASSERT_EQ(site_.Run("drover cluster snapshot save /var/backups/drover/newest.snapshot\n").exit_code, 0);
  Mark();
  // The third has it all.
  ASSERT_TRUE(Await([&] { return Run({"--coord", site_.Addresses({3}), "tree", "get", "/mark"}).out == "kept"; }));
  for (const char* host : {"core1", "core2"}) {
    site_.services().Lose(host);
    std::filesystem::remove_all(CoordData(host));
  }
  ASSERT_TRUE(AwaitReadyz("core3", "no leader is known"));
  EXPECT_EQ(site_.Run("drover cluster status\n").exit_code, 7);
  EXPECT_THAT(RunNext().out, AllOf(HasSubstr("zxid"), HasSubstr("ok: node 3")));
  EXPECT_THAT(RunNext().out, HasSubstr("kept aside"));
  ASSERT_TRUE(AwaitVoters({3}));
  ExpectKept();
  // Where it had died between its two renames.
  site_.services().Systemctl("core3", {"stop", "drover-coord"});
  std::filesystem::rename(CoordData("core3"), CoordData("core3") + ".recovering");
  site_.Start("core3");
  ASSERT_TRUE(AwaitSaid("drover-coord recover was interrupted"));
  site_.services().Systemctl("core3", {"stop", "drover-coord"});
  std::filesystem::remove_all(CoordData("core3"));
  std::filesystem::rename(CoordData("core3") + ".recovering", CoordData("core3"));
  site_.Start("core3");
  ASSERT_TRUE(AwaitVoters({3}));
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  site_.services().Lose("core3");
  ASSERT_TRUE(Await([&] { return Run({"tree", "get", "/mark"}).out == "kept"; }));
  EXPECT_EQ(Run({"run", "--", "echo", "works"}).out, "works\n");
}

TEST_F(OperationsTest, BackupsTakenCheckedRestored) {
  ASSERT_NO_FATAL_FAILURE(StartCore());
  Mark();
  RunNext();
  // As cron does: the variable, then the words behind the user, with \% as %.
  const std::vector<std::string> table = Lines(ReadFile(site_.Here("m1", "/etc/cron.d/drover-backup")));
  ASSERT_EQ(table.size(), 2u);
  const std::string marker = "* * * * drover ";
  std::string job = table[1].substr(table[1].find(marker) + marker.size());
  for (std::size_t at = 0; (at = job.find("\\%", at)) != std::string::npos;) job.erase(at, 1);
  ASSERT_EQ(site_.Run("# on m1\nexport " + table[0] + "\n" + job + "\n").exit_code, 0);
  EXPECT_THAT(RunNext().out, HasSubstr("zxid"));
  Mark("/after");
  // All that the nodes have is lost.
  const std::string earlier = site_.Here("core2", "/var/lib/drover/coord.earlier");
  for (const char* host : {"core1", "core2", "core3"}) {
    site_.services().Lose(host);
    if (host == std::string("core2")) std::filesystem::copy(CoordData(host), earlier, std::filesystem::copy_options::recursive);
    if (host != std::string("core1")) std::filesystem::remove_all(CoordData(host));
  }
  // A first attempt at it was killed.
  std::filesystem::rename(CoordData("core1"), CoordData("core1") + ".lost");
  std::filesystem::create_directory(CoordData("core1"));
  WriteFile(CoordData("core1") + "/restoring", "");
  site_.Start("core1");
  ASSERT_TRUE(AwaitSaid("was interrupted, and no node starts there"));
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  ExpectKept();
  EXPECT_EQ(Run({"tree", "get", "/after"}).exit_code, 6);
  site_.services().Lose("core1");
  ASSERT_TRUE(Await([&] { return Run({"tree", "get", "/mark"}).out == "kept"; })) << "it stands on a majority";
  // Once more, and one of the others is started with what it had before.
  for (const char* host : {"core2", "core3"}) site_.services().Lose(host);
  std::filesystem::remove_all(CoordData("core1"));
  std::filesystem::remove_all(CoordData("core2"));
  std::filesystem::rename(earlier, CoordData("core2"));
  const std::string restore =
      "drover cluster snapshot restore \"$(ls -t /var/backups/drover/*.snapshot | head -n 1)\" --data /var/lib/drover/coord --id 1 "
      "--initial-cluster 1=core1:7400,2=core2:7400,3=core3:7400\n";
  ASSERT_EQ(site_.Run("# on core1\n" + restore).exit_code, 0);
  for (const char* host : {"core1", "core2"}) site_.Start(host);
  ASSERT_TRUE(AwaitSaid("the data directory of node 2 is of another cluster"));
  ASSERT_TRUE(AwaitSaid("node 2 is of cluster"));
}

TEST_F(OperationsTest, MoreNodesFewerNodesAnotherAddress) {
  // As deploy/README.md says of a node that is alone.
  site_.Configure("core1");
  ASSERT_EQ(
      site_.Run("# on core1\nsed -i 's/^initial-cluster = .*/advertise = \"core1:7400\"/' /etc/drover/coord.toml\n").exit_code, 0);
  site_.Start("core1");
  ASSERT_TRUE(AwaitVoters({1}));
  Ledger ledger(site_.Addresses({1, 2, 3}), 2);
  ASSERT_TRUE(ledger.AwaitMore(20));
  for (const char* host : {"core2", "core3", "core4", "core5"}) site_.CopyConfiguration("core1", host);
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3, 4, 5}));
  ASSERT_TRUE(ledger.AwaitMore(20));
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  site_.CopyConfiguration("core1", "core6");
  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  EXPECT_THAT(Run({"cluster", "member", "list"}).out, HasSubstr(site_.Addresses({6})));
  ASSERT_TRUE(ledger.AwaitMore(20));
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
  // Its old directory is started as well.
  std::filesystem::rename(CoordData("core3") + ".moved", CoordData("core3"));
  site_.Start("core3");
  ASSERT_TRUE(AwaitSaid("of which this one has a copy"));
  const CommandResult both = Run({"--coord", site_.Addresses({1, 2, 3}), "cluster", "status"});
  EXPECT_THAT(both.err, HasSubstr("two processes say that they are node 3"));
  EXPECT_THAT(both.out, AllOf(HasSubstr(site_.Addresses({3})), HasSubstr(site_.Addresses({6}))));
  site_.services().Systemctl("core3", {"disable", "--now", "drover-coord"});
  // The one that moved counts.
  site_.services().Lose("core2");
  ASSERT_TRUE(Await([&] { return Run({"tree", "create", "/after", "kept"}).exit_code == 0; }));
}

TEST_F(OperationsTest, AllNodesAreRestarted) {
  ASSERT_NO_FATAL_FAILURE(StartCore());
  ASSERT_NO_FATAL_FAILURE(MakeLeader(1));
  std::map<std::string, pid_t> before;
  for (const std::string host : {"core1", "core2", "core3"}) before[host] = site_.services().PidOf(host, "drover-coord");
  Ledger ledger(site_.Addresses({1, 2, 3}), 2);
  ASSERT_TRUE(ledger.AwaitMore(20));
  RunNext();
  RunNext();
  EXPECT_NE(Leader(), 1);
  ASSERT_TRUE(ledger.AwaitMore(20));
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
  EXPECT_EQ(ledger.unknown(), 0u) << "no session was lost";
  for (const auto& [host, pid] : before) EXPECT_NE(site_.services().PidOf(host, "drover-coord"), pid) << host;
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
}

TEST_F(OperationsTest, NoLeader) {
  ASSERT_NO_FATAL_FAILURE(StartCore());
  Mark();
  site_.services().Systemctl("core1", {"kill", "-s", "STOP", "drover-coord"});
  site_.services().Lose("core2");
  ASSERT_TRUE(AwaitReadyz("core3", "no leader is known to this node"));
  EXPECT_EQ(Run({"--request-timeout", "1s", "cluster", "member", "list"}).exit_code, 7);
  const CommandResult first = RunNext();
  EXPECT_THAT(first.err, HasSubstr("cannot connect: Connection refused"));
  EXPECT_THAT(first.out, HasSubstr("read on"));
  EXPECT_THAT(RunNext().out, HasSubstr("serves"));
  ASSERT_TRUE(Await([&] { return Run({"tree", "get", "/mark"}).out == "kept"; }));
}

TEST_F(OperationsTest, ANodeIsSlow) {
  StalledDisk disk(site_.Here("core1", "/var/lib/drover/slow"));
  site_.services().SetEnvironment("core1", "drover-coord", disk.environment());
  ASSERT_NO_FATAL_FAILURE(StartCore());
  ASSERT_NO_FATAL_FAILURE(MakeLeader(1));
  Ledger ledger(site_.Addresses({1, 2, 3}), 2);
  ASSERT_TRUE(ledger.AwaitMore(5));
  disk.Slow(std::chrono::milliseconds(300));
  ASSERT_TRUE(Await([&] { return ValueOf("core1", "drover_coord_disk_busy_seconds") > 0.1; }));
  const CommandResult metrics = RunNext();
  EXPECT_THAT(metrics.out, AllOf(HasSubstr("drover_coord_is_leader 1"), HasSubstr("drover_coord_peer_lag_entries{peer=\"1\"}"),
                                 HasSubstr("drover_coord_fsync_seconds_sum")));
  EXPECT_THAT(RunNext().out, HasSubstr("core2:7400"));
  EXPECT_EQ(Leader(), 2);
  ASSERT_TRUE(Await([&] { return ValueOf("core2", "drover_coord_peer_lag_entries{peer=\"1\"}") > 0; })) << "who lags is seen";
  disk.GoOn();
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
}

TEST_F(OperationsTest, ANodeRefusesToStart) {
  ASSERT_NO_FATAL_FAILURE(StartCore());
  Services& services = site_.services();
  const auto stop_all = [&] {
    for (const char* host : {"core1", "core2", "core3"}) services.Systemctl(host, {"stop", "drover-coord"});
  };
  // As left behind by an earlier cluster of the same hosts.
  stop_all();
  for (const char* host : {"core1", "core2", "core3"}) std::filesystem::rename(CoordData(host), CoordData(host) + ".earlier");
  for (const char* host : {"core1", "core2", "core3"}) site_.Start(host);
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  Mark();
  const std::string data = CoordData("core2");
  services.Systemctl("core2", {"stop", "drover-coord"});
  std::filesystem::rename(data, data + ".own");
  std::filesystem::rename(data + ".earlier", data);
  site_.Start("core2");
  ASSERT_TRUE(AwaitSaid("of its 3 members refuse this one"));
  services.Systemctl("core2", {"stop", "drover-coord"});
  std::filesystem::rename(data, data + ".earlier");
  std::filesystem::rename(data + ".own", data);

  // What may be wrong with the file, and what it says.
  const std::pair<const char*, const char*> mistakes[] = {
      {"s/^id = .*/id = 3/", "is that of node 2, not of node 3"},
      {"s/^initial-cluster = .*/initial-cluster = \"1=core1:7400,2=core2:7400\"/", "its cluster was founded with the members"},
      {"s/^id = .*/id = 7/", "does not name this node's id"},
      {"s/^listen = .*/listen = \"core1:7400\"/", ": Address already in use"},
  };
  for (const auto& [mistake, sentence] : mistakes) {
    ASSERT_EQ(site_.Run("# on core2\nsed -i '" + std::string(mistake) + "' /etc/drover/coord.toml\n").exit_code, 0);
    site_.Start("core2");
    EXPECT_TRUE(AwaitSaid(sentence)) << mistake;
    services.Systemctl("core2", {"stop", "drover-coord"});
    site_.Configure("core2");
  }
  // Written by a program that is newer.
  const std::string identity = ReadFile(data + "/identity");
  std::string newer = identity;
  newer[8] = 9;
  WriteFile(data + "/identity", newer);
  site_.Start("core2");
  EXPECT_TRUE(AwaitSaid("identity format version 9"));
  EXPECT_THAT(RunNext().out, HasSubstr("use the newer program"));
  services.Systemctl("core2", {"stop", "drover-coord"});
  WriteFile(data + "/identity", identity);

  RunNext();
  ASSERT_TRUE(AwaitVoters({1, 2, 3}));
  ExpectKept();
  const CommandResult second =
      site_.Run("# on core2\ndrover-coord --config /etc/drover/coord.toml --listen core5:7400 --http core6:7400\n");
  EXPECT_EQ(second.exit_code, 1) << "its directory is in use";

  // A new cluster whose nodes were given different lists.
  for (const std::string id : {"4", "5"}) {
    site_.Configure("core" + id);
    const std::string list = "4=core4:7400,5=core5:7400" + std::string(id == "5" ? ",6=core6:7400" : "");
    ASSERT_EQ(site_
                  .Run("# on core" + id + "\nsed -i 's/^initial-cluster = .*/initial-cluster = \"" + list +
                       "\"/' /etc/drover/coord.toml\n")
                  .exit_code,
              0);
    site_.Start("core" + id);
  }
  EXPECT_TRUE(AwaitSaid("was started with"));
}

TEST_F(OperationsTest, TasksDoNotMove) {
  ASSERT_NO_FATAL_FAILURE(StartCore());
  ASSERT_NO_FATAL_FAILURE(StartMastersAndWorkers());
  const std::string starts = site_.Here("desk", "/var/lib/drover/starts");
  const std::string task = "echo $DROVER_WORKER >> " + starts + "; exec sleep 1000";
  const std::string running = Trimmed(Run({"submit", "--", "sh", "-c", task}).out);
  ASSERT_TRUE(Await([&] { return Lines(ReadFile(starts)).size() == 1; }));
  // Nobody decides.
  site_.services().Systemctl("m1", {"stop", "drover-master"});
  EXPECT_THAT(RunNext().out, HasSubstr("no master\n"));
  EXPECT_THAT(RunNext().out, HasSubstr("yes"));
  // Nobody works.
  site_.services().Lose("w1");
  ASSERT_TRUE(Await([&] { return Json({"worker", "list"}) == nlohmann::json::array(); }));
  ASSERT_TRUE(Await([&] { return StateOf(running) == "READY"; }));
  EXPECT_THAT(RunNext().out, HasSubstr(running));
  EXPECT_THAT(RunNext().out, HasSubstr("w1"));
  ASSERT_TRUE(Await([&] { return Lines(ReadFile(starts)).size() == 2; })) << "it moves";
  // One that does not get on.
  ASSERT_TRUE(Await([&] { return StateOf(running) == "RUNNING"; }));
  const pid_t stuck = site_.services().PidOf("w1", "drover-worker");
  RunNext();
  ASSERT_TRUE(Await([&] {
    const pid_t now = site_.services().PidOf("w1", "drover-worker");
    return now != 0 && now != stuck;
  }));
  ASSERT_TRUE(Await([&] { return Lines(ReadFile(starts)).size() == 3; })) << "it runs again";
  EXPECT_EQ(Run({"cancel", running}).exit_code, 0);
  EXPECT_EQ(Run({"run", "--", "echo", "works"}).out, "works\n");
}

TEST_F(OperationsTest, TheProgramIsUpgraded) {
  const std::string older = "feature-level-max = 3\n";
  ASSERT_NO_FATAL_FAILURE(StartCore(older));
  const auto levels = [this] {
    std::set<std::string> all;
    for (const nlohmann::json& node : Json({"cluster", "status"})) {
      if (node.at("reachable").get<bool>()) all.insert(node.at("feature_level").dump());
    }
    return all;
  };
  ASSERT_TRUE(Await([&] { return levels() == std::set<std::string>{"3"}; }));
  Ledger ledger(site_.Addresses({1, 2, 3}), 2);
  ASSERT_TRUE(ledger.AwaitMore(20));
  // The new program is installed: without the line it is what it is.
  for (const char* host : {"core1", "core2", "core3"}) site_.Configure(host);
  RunNext();
  RunNext();
  ASSERT_TRUE(ledger.AwaitMore(20));
  EXPECT_THAT(Run({"cluster", "status"}).out, HasSubstr("3/3"));
  EXPECT_EQ(levels(), std::set<std::string>{"3"}) << "the way back is kept";
  RunNext();
  EXPECT_THAT(RunNext().out, AllOf(HasSubstr("4/4"), Not(HasSubstr("3/3"))));
  EXPECT_EQ(levels(), std::set<std::string>{"4"});
  ASSERT_TRUE(ledger.AwaitMore(20));
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
  EXPECT_EQ(ledger.unknown(), 0u) << "no call failed";
  // There is no way back.
  site_.services().Systemctl("core2", {"stop", "drover-coord"});
  site_.Configure("core2", older);
  site_.Start("core2");
  ASSERT_TRUE(AwaitSaid("is at feature level 4, and this program knows levels up to 3"));
}

}  // namespace
}  // namespace drover::testing
