// A real full disk under the core: a small tmpfs in a mount namespace of this test's own (see CMakeLists.txt).
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

// What a person may wait for an answer.
const std::vector<std::string> kSoon = {"--request-timeout", "3s"};

class FullDiskTest : public ::testing::Test {
 protected:
  FullDiskTest() {
    std::filesystem::create_directory(disk_);
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("disk", disk_.c_str(), "tmpfs", 0, "size=24m") != 0) {
      throw std::runtime_error("needs a mount namespace of its own (see tests/e2e/CMakeLists.txt)");
    }
    Fill("ballast", 8 << 20);
  }
  ~FullDiskTest() override {
    cluster_.reset();
    umount2(disk_.c_str(), MNT_DETACH);
  }

  void Start(int masters) {
    ClusterOptions options;
    options.masters = masters;
    options.workers = masters;
    options.coord_data = [this](int) { return disk_ + "/coord"; };
    cluster_ = std::make_unique<Cluster>(options);
    ASSERT_TRUE(Await([&] { return cluster_->CoordPage("/readyz").first == 200; }));
  }
  // As much of `bytes` as there is space for.
  void Fill(const std::string& name, std::size_t bytes) {
    const int fd = open((disk_ + "/" + name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    const std::string block(4096, 'b');
    ssize_t written = 1;
    for (std::size_t at = 0; at < bytes && written > 0; at += block.size()) written = write(fd, block.data(), block.size());
    close(fd);
  }
  void Free(const std::string& name) { std::filesystem::remove(disk_ + "/" + name); }
  CommandResult Drover(std::vector<std::string> args, const std::string& input = "") {
    args.insert(args.begin(), kSoon.begin(), kSoon.end());
    return cluster_->Drover(args, {.env = {}, .input = input});
  }
  // Sets large values in turn until one is not acknowledged. What it was may show up later, or not.
  void WriteUntilFull() {
    for (int i = 0; i < kNodes; ++i) ASSERT_EQ(Drover({"tree", "create", Path(i), ""}).exit_code, 0);
    for (int i = 0; i < 100; ++i) {
      const std::string value = std::string(900'000, static_cast<char>('a' + i % 26)) + std::to_string(i);
      const CommandResult set = Drover({"tree", "set", Path(i % kNodes), "-"}, value);
      if (set.exit_code != 0) {
        EXPECT_THAT(set.exit_code, AnyOf(7, 8)) << set.err;
        EXPECT_EQ(Lines(set.err).size(), 1U) << set.err;
        unknown_ = {i % kNodes, value};
        return;
      }
      acknowledged_[i % kNodes] = value;
    }
    FAIL() << "the disk does not fill up";
  }
  void ExpectAcknowledged(bool may_show_unknown) {
    for (const auto& [node, value] : acknowledged_) {
      const CommandResult got = Drover({"tree", "get", Path(node)});
      EXPECT_EQ(got.exit_code, 0) << got.err;
      const bool unknown = may_show_unknown && node == unknown_.first && got.out == unknown_.second;
      EXPECT_TRUE(got.out == value || unknown) << Path(node) << ": " << got.out.size() << " bytes";
    }
  }
  void ExpectAStartWithoutSpaceSaysWhatToDo() {
    cluster_->coord().Kill();
    // An attempt that the kill interrupted would be cleared away at the start, and leave space.
    for (const auto& entry : std::filesystem::directory_iterator(disk_ + "/coord")) {
      if (entry.path().extension() == ".tmp") std::filesystem::remove(entry.path());
    }
    Fill("rest", 24 << 20);
    cluster_->coord().Start();
    EXPECT_EQ(cluster_->coord().Wait(), 1);
    EXPECT_THAT(cluster_->coord().Log(), HasSubstr("free some space there, then start this node again"));
    Free("rest");
  }
  static std::string Path(int node) { return "/value-" + std::to_string(node); }

  static constexpr int kNodes = 4;
  TemporaryDirectory dir_;
  const std::string disk_ = dir_ / "disk";
  std::unique_ptr<Cluster> cluster_;
  std::map<int, std::string> acknowledged_;
  std::pair<int, std::string> unknown_;
};

TEST_F(FullDiskTest, TheCoreReadsOnSaysSoAndRecoversWithoutLoss) {
  ASSERT_NO_FATAL_FAILURE(Start(1));
  ASSERT_NO_FATAL_FAILURE(WriteUntilFull());

  ASSERT_TRUE(Await([&] { return cluster_->CoordPage("/readyz").first == 503; }));
  EXPECT_THAT(cluster_->CoordPage("/readyz").second, HasSubstr("disk of this node is full"));
  EXPECT_EQ(cluster_->CoordPage("/healthz").first, 200);
  EXPECT_THAT(cluster_->CoordPage("/metrics").second, HasSubstr("drover_coord_disk_full 1"));
  EXPECT_THAT(cluster_->coord().Log(), HasSubstr("the disk is full"));

  ExpectAcknowledged(false);
  EXPECT_EQ(Drover({"tree", "stat", Path(0)}).exit_code, 0);
  EXPECT_THAT(Drover({"tree", "ls", "/"}).out, HasSubstr("value-0"));
  EXPECT_EQ(Drover({"list"}).exit_code, 0) << "the master reads on, too";

  for (const std::vector<std::string>& write : std::vector<std::vector<std::string>>{
           {"tree", "set", Path(0), "small"}, {"tree", "create", "/more"}, {"tree", "delete", Path(0)}}) {
    const CommandResult refused = Drover(write);
    EXPECT_EQ(refused.exit_code, 8) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("disk of this node is full"));
  }
  const CommandResult submitted = Drover({"submit", "--", "true"});
  EXPECT_THAT(submitted.exit_code, AnyOf(7, 8)) << submitted.err;
  EXPECT_EQ(Lines(submitted.err).size(), 1U) << submitted.err;

  Free("ballast");
  ASSERT_TRUE(Await([&] { return cluster_->CoordPage("/readyz").first == 200; }));
  EXPECT_THAT(cluster_->coord().Log(), HasSubstr("the disk has space again"));
  ExpectAcknowledged(true);
  EXPECT_EQ(Drover({"tree", "set", Path(0), "after"}).exit_code, 0);
  acknowledged_[0] = "after";
  unknown_ = {-1, ""};
  EXPECT_EQ(cluster_->Drover({"run", "--", "echo", "works"}).out, "works\n");

  cluster_->coord().Kill();
  cluster_->coord().Start();
  ASSERT_TRUE(Await([&] { return cluster_->CoordPage("/readyz").first == 200; }));
  EXPECT_EQ(Drover({"tree", "get", Path(0)}).out, "after");
}

TEST_F(FullDiskTest, AStartOnAFullDiskSaysWhatToDoAndLosesNothing) {
  ASSERT_NO_FATAL_FAILURE(Start(0));
  ASSERT_NO_FATAL_FAILURE(WriteUntilFull());
  ExpectAStartWithoutSpaceSaysWhatToDo();
  Free("ballast");
  cluster_->coord().Start();
  ASSERT_TRUE(Await([&] { return cluster_->CoordPage("/readyz").first == 200; }));
  ExpectAcknowledged(true);
}

// Of one of several, whose log is opened on another way.
TEST_F(FullDiskTest, AStartOfOneOfThreeOnAFullDiskSaysWhatToDoToo) {
  ClusterOptions options = CoreAlone(3);
  options.coord_data = [this](int node) { return node == 0 ? disk_ + "/coord" : dir_ / ("coord-" + std::to_string(node + 1)); };
  cluster_ = std::make_unique<Cluster>(options);
  ExpectAStartWithoutSpaceSaysWhatToDo();
  cluster_->coord().Start();
  ASSERT_TRUE(Await([&] { return cluster_->CoordPage("/readyz").first == 200; }));
}

}  // namespace
}  // namespace drover::testing
