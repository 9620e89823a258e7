#include "coord/log/data_directory.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "coord/base/checksum.h"
#include "coord/base/disk_version.h"
#include "coord/log/frame.h"
#include "gtest/gtest.h"
#include "tests/sim/sim_file_system.h"

namespace drover::coord::log {
namespace {

using absl::StatusCode;
using sim::SimFileSystem;
using sim::Survival;

constexpr Identity kNew{base::NodeId(3), base::Incarnation(12345), base::ClusterId(0)};
constexpr Identity kMember{base::NodeId(3), base::Incarnation(12345), base::ClusterId(9)};

TEST(DataDirectory, AnIdentityIsChosenOnceAndKept) {
  SimFileSystem fs(1);
  {
    const auto directory = DataDirectory::Open(&fs, "a/b/c").value();
    EXPECT_FALSE(directory->identity());
    EXPECT_EQ(directory->AdoptCluster(kMember.cluster).code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(directory->CreateIdentity(base::NodeId(0), kNew.incarnation).code(), StatusCode::kInvalidArgument);
    ASSERT_TRUE(directory->CreateIdentity(kNew.node, kNew.incarnation).ok());
    EXPECT_EQ(directory->identity(), kNew);
    EXPECT_EQ(directory->CreateIdentity(kNew.node, kNew.incarnation).code(), StatusCode::kFailedPrecondition);
  }
  fs.Crash(Survival::kNothing);
  {
    const auto directory = DataDirectory::Open(&fs, "a/b/c").value();
    EXPECT_EQ(directory->identity(), kNew);
    ASSERT_TRUE(directory->AdoptCluster(kMember.cluster).ok());
    ASSERT_TRUE(directory->AdoptCluster(kMember.cluster).ok());
    EXPECT_EQ(directory->AdoptCluster(base::ClusterId(10)).code(), StatusCode::kFailedPrecondition);
  }
  fs.Crash(Survival::kNothing);
  EXPECT_EQ(DataDirectory::Open(&fs, "a/b/c").value()->identity(), kMember);
}

TEST(DataDirectory, APromiseIsKeptAndNeverGrowsLess) {
  SimFileSystem fs(1);
  {
    const auto directory = DataDirectory::Open(&fs, "d").value();
    EXPECT_EQ(directory->Promise(base::FeatureLevel(2)).code(), StatusCode::kFailedPrecondition) << "who promises?";
    ASSERT_TRUE(directory->CreateIdentity(kNew.node, kNew.incarnation).ok());
    ASSERT_TRUE(directory->Promise(base::FeatureLevel(1)).ok());
    EXPECT_EQ(fs.Read("d/identity"), EncodeIdentity(kNew)) << "as ever";
    ASSERT_TRUE(directory->Promise(base::FeatureLevel(3)).ok());
    ASSERT_TRUE(directory->Promise(base::FeatureLevel(2)).ok());
  }
  fs.Crash(Survival::kNothing);
  Identity promised = kNew;
  promised.promised = base::FeatureLevel(3);
  const auto directory = DataDirectory::Open(&fs, "d").value();
  EXPECT_EQ(directory->identity(), promised);
  ASSERT_TRUE(directory->AdoptCluster(kMember.cluster).ok());
  promised.cluster = kMember.cluster;
  EXPECT_EQ(*DecodeIdentity(fs.Read("d/identity")), promised) << "a cluster is adopted without forgetting it";
}

TEST(DataDirectory, APromiseIsAFormatThatProgramsWithoutLevelsRefuse) {
  Identity promised = kMember;
  EXPECT_EQ(EncodeIdentity(promised)[8], 1);
  promised.promised = base::FeatureLevel(2);
  EXPECT_EQ(EncodeIdentity(promised)[8], 2);
  EXPECT_EQ(base::kDiskVersion, 2u) << "what drover version tells is what is refused beyond";
}

TEST(DataDirectory, OneProcessAtATime) {
  SimFileSystem fs(1);
  auto first = DataDirectory::Open(&fs, "d");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(DataDirectory::Open(&fs, "d").status().code(), StatusCode::kFailedPrecondition);
  first->reset();
  EXPECT_TRUE(DataDirectory::Open(&fs, "d").ok());
}

TEST(DataDirectory, TheLockGoesWithTheProcessThatHeldIt) {
  std::string path = ::testing::TempDir() + "drover-lock-XXXXXX";
  ASSERT_NE(::mkdtemp(path.data()), nullptr);
  const auto fs = base::NewRealFileSystem();
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto directory = DataDirectory::Open(fs.get(), path);
    const char byte = directory.ok() ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) == 1) ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  const absl::Status status = DataDirectory::Open(fs.get(), path).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find(path + "/LOCK: another process holds it"), absl::string_view::npos) << status;
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(DataDirectory::Open(fs.get(), path).ok());
  ::close(ready[0]);
  ::close(ready[1]);
  std::filesystem::remove_all(path);
}

// Crashes before, between and after the steps of both writes: the identity is the old one or the new one, never half.
TEST(DataDirectory, AnIdentityIsWholeAfterAnyCrash) {
  for (const Survival survival : {Survival::kNothing, Survival::kEverything, Survival::kRandom}) {
    bool reached = true;
    for (std::uint64_t n = 1; reached; ++n) {
      SimFileSystem fs(n);
      fs.StopAtCall(n);
      bool created = false;
      bool adopted = false;
      if (const auto directory = DataDirectory::Open(&fs, "d"); directory.ok()) {
        created = (*directory)->CreateIdentity(kNew.node, kNew.incarnation).ok();
        adopted = created && (*directory)->AdoptCluster(kMember.cluster).ok();
      }
      reached = fs.fault_reached();
      fs.Crash(survival);
      const auto directory = DataDirectory::Open(&fs, "d");
      ASSERT_TRUE(directory.ok()) << "call " << n << ": " << directory.status();
      const std::optional<Identity> identity = (*directory)->identity();
      if (adopted) {
        EXPECT_EQ(identity, kMember) << "call " << n;
      } else if (created) {
        EXPECT_TRUE(identity == kNew || identity == kMember) << "call " << n;
      } else {
        EXPECT_TRUE(!identity || identity == kNew) << "call " << n;
        // It can still become a member.
        EXPECT_TRUE(identity || (*directory)->CreateIdentity(kNew.node, kNew.incarnation).ok());
        EXPECT_TRUE((*directory)->AdoptCluster(kMember.cluster).ok());
      }
    }
  }
}

TEST(DataDirectory, ATruncatedIdentityIsRefusedAndLeftAsItIs) {
  const std::string whole = EncodeIdentity(kMember);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SimFileSystem fs(1);
    fs.Write("d/identity", whole.substr(0, size));
    const absl::Status status = DataDirectory::Open(&fs, "d").status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << size << ": " << status;
    EXPECT_NE(status.message().find("restored from a backup"), absl::string_view::npos) << status;
    EXPECT_EQ(fs.Read("d/identity"), whole.substr(0, size));
  }
}

TEST(DataDirectory, AnIdentityOfALaterFormatIsRefusedByItsVersion) {
  SimFileSystem fs(1);
  std::string later = EncodeIdentity(kMember);
  later[8] = 3;
  fs.Write("d/identity", later + "and more");
  const absl::Status status = DataDirectory::Open(&fs, "d").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_NE(status.message().find("use the newer program"), absl::string_view::npos) << status;
}

// A log without an identity has lost it: a new one would make this another node with the old one's votes.
TEST(DataDirectory, AnIdentityOfNoVersionAndAPromiseOfNothingAreDamage) {
  Identity promised = kMember;
  promised.promised = base::FeatureLevel(2);
  for (const auto& [at, value] : {std::pair(8, 0), std::pair(12, 1), std::pair(12, 0)}) {
    std::string contents = EncodeIdentity(promised);
    contents[at] = static_cast<char>(value);
    contents.resize(contents.size() - 8);
    PutU64(base::Checksum(contents), &contents);
    EXPECT_TRUE(absl::IsDataLoss(DecodeIdentity(contents).status())) << at << ": " << value;
  }
}

TEST(DataDirectory, NoIdentityIsMadeBesideALog) {
  SimFileSystem fs(1);
  fs.Write("d/segment-0000000004.log", "anything");
  {
    const auto directory = DataDirectory::Open(&fs, "d").value();
    const absl::Status status = directory->CreateIdentity(kNew.node, kNew.incarnation);
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_NE(status.message().find("d/identity is missing"), absl::string_view::npos) << status;
  }
  EXPECT_FALSE(fs.Exists("d/identity"));
}

// Fails the n-th call, for every n: the identity is whole all the same, and what was reported as done is there.
TEST(DataDirectory, EveryFailingCallLeavesAWholeIdentity) {
  for (const absl::Status& error : {absl::InternalError("EIO"), absl::ResourceExhaustedError("ENOSPC")}) {
    bool reached = true;
    for (std::uint64_t n = 1; reached; ++n) {
      SimFileSystem fs(n);
      fs.FailCall(n, error);
      bool created = false;
      bool adopted = false;
      if (const auto directory = DataDirectory::Open(&fs, "d"); directory.ok()) {
        created = (*directory)->CreateIdentity(kNew.node, kNew.incarnation).ok();
        adopted = created && (*directory)->AdoptCluster(kMember.cluster).ok();
      }
      reached = fs.fault_reached();
      fs.Crash(Survival::kNothing);
      const auto directory = DataDirectory::Open(&fs, "d");
      ASSERT_TRUE(directory.ok()) << "call " << n << ": " << directory.status();
      const std::optional<Identity> identity = (*directory)->identity();
      if (adopted) {
        EXPECT_EQ(identity, kMember) << "call " << n;
      } else if (created) {
        EXPECT_TRUE(identity == kNew || identity == kMember) << "call " << n;
      } else {
        EXPECT_TRUE(!identity || identity == kNew) << "call " << n;
      }
    }
  }
}

TEST(DataDirectory, ADamagedIdentityIsRefused) {
  SimFileSystem fs(1);
  const std::string whole = EncodeIdentity(kMember);
  for (std::size_t byte = 0; byte < whole.size(); ++byte) {
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 4);
    fs.Write("d/identity", damaged);
    const absl::Status status = DataDirectory::Open(&fs, "d").status();
    // In the version field it may look like a newer format.
    EXPECT_TRUE(absl::IsDataLoss(status) || (absl::IsFailedPrecondition(status) && byte >= 8 && byte < 12))
        << byte << ": " << status;
    EXPECT_NE(status.message().find("d/identity"), absl::string_view::npos);
  }
  fs.Write("d/identity", whole + "x");
  EXPECT_TRUE(absl::IsDataLoss(DataDirectory::Open(&fs, "d").status()));
  fs.Write("d/identity", "");
  EXPECT_TRUE(absl::IsDataLoss(DataDirectory::Open(&fs, "d").status()));
}

}  // namespace
}  // namespace drover::coord::log
