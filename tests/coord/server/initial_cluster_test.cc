#include "coord/server/initial_cluster.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace drover::coord::server {
namespace {

raft::Configuration FoundedWith(const InitialMembers& members) {
  raft::Configuration configuration;
  for (const auto& [id, address] : members) {
    configuration.members.push_back(raft::Member{id, base::Incarnation(7), address, true});
  }
  return configuration;
}

TEST(InitialClusterTest, IsReadInTheOrderOfIdsAndWrittenBack) {
  const absl::StatusOr<InitialMembers> members = ParseInitialCluster("3=c:1,1=a:1,2=[::1]:1");
  ASSERT_TRUE(members.ok()) << members.status();
  EXPECT_EQ(TextOf(*members), "1=a:1,2=[::1]:1,3=c:1");
}

TEST(InitialClusterTest, WhatCannotBeIsRefusedAndNamed) {
  for (const auto& [text, words] : std::map<std::string, std::string>{{"1=a:1,", "\"\" is not ID=HOST:PORT"},
                                                                      {"a:1", "\"a:1\" is not"},
                                                                      {"0=a:1", "\"0=a:1\" is not"},
                                                                      {"-1=a:1", "\"-1=a:1\" is not"},
                                                                      {"1=a", "\"1=a\" is not"},
                                                                      {"1=a:0", "\"1=a:0\" is not"},
                                                                      {"1=a:70000", "\"1=a:70000\" is not"},
                                                                      {"1=a:1,1=b:1", "id 1 is there twice"},
                                                                      {"1=a:1,2=a:1", "address a:1 is there twice"}}) {
    const absl::StatusOr<InitialMembers> members = ParseInitialCluster(text);
    ASSERT_TRUE(absl::IsInvalidArgument(members.status())) << text;
    EXPECT_NE(std::string(members.status().message()).find(words), std::string::npos) << text << ": " << members.status();
  }
}

TEST(InitialClusterTest, AnotherListThanTheFoundersIsRefusedWithBoth) {
  const InitialMembers three = *ParseInitialCluster("1=a:1,2=b:1,3=c:1");
  EXPECT_TRUE(CheckFoundedWith(FoundedWith(three), three).ok());
  for (const std::string other : {"1=a:1", "1=a:1,2=b:1", "1=a:1,2=b:1,4=c:1", "1=a:1,2=b:1,3=elsewhere:1"}) {
    const absl::Status status = CheckFoundedWith(FoundedWith(three), *ParseInitialCluster(other));
    ASSERT_TRUE(absl::IsFailedPrecondition(status)) << other;
    EXPECT_NE(std::string(status.message()).find(other), std::string::npos) << status;
    EXPECT_NE(std::string(status.message()).find("1=a:1,2=b:1,3=c:1"), std::string::npos) << status;
  }
}

TEST(InitialClusterTest, ANodeThatIsAloneMayMove) {
  EXPECT_TRUE(CheckFoundedWith(FoundedWith(*ParseInitialCluster("1=a:1")), *ParseInitialCluster("1=b:2")).ok());
}

}  // namespace
}  // namespace drover::coord::server
