// The storage cluster of client/examples: region servers, masters and leaders of the core are killed and paused under load.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <future>
#include <memory>
#include <set>

#include "client/examples/rpc/rpc.h"
#include "tests/e2e/e2e.h"
#include "tests/e2e/example.h"

namespace drover::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Key;

class StorageTest : public ExampleTest {
 protected:
  StorageTest() : ExampleTest("drover-example-storage") {}

  void StartMasters(const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      StartMember(names[i], {"master"});
      ASSERT_TRUE(Await([&] { return Names("/storage/masters").size() == i + 1; }));
    }
  }
  void StartServers(const std::vector<std::string>& names) {
    for (const std::string& name : names) StartMember(name, {"server", "--store", store_dir()});
    ASSERT_TRUE(Await([&] { return Names("/storage/servers") == std::set<std::string>(names.begin(), names.end()); }));
  }
  // Region to server; empty: none.
  std::map<std::string, std::string> Where() { return Table(Example({"where", "users"}).out, 1); }
  std::map<std::string, std::string> Addresses() { return Table(Example({"where", "users"}).out, 2); }
  // Every region is somewhere, and at none of these.
  bool AwaitServed(const std::set<std::string>& gone = {}) {
    return Await([&] {
      const auto where = Where();
      return !where.empty() && !Contains(where, "") &&
             std::none_of(gone.begin(), gone.end(), [&](const std::string& name) { return Contains(where, name); });
    });
  }
  bool Logged(const std::string& name, const std::string& words) { return member(name).Log().find(words) != std::string::npos; }
};

TEST_F(StorageTest, RowsAreWhereTheirRegionsAreAndMistakesAreSaid) {
  StartMasters({"m1"});
  StartServers({"s1", "s2"});
  EXPECT_EQ(Example({"create", "users", "h", "p"}).exit_code, 0);
  ASSERT_TRUE(AwaitServed());
  const auto where = Where();
  EXPECT_THAT(where, ElementsAre(Key("users.r-"), Key("users.r-h"), Key("users.r-p")));
  EXPECT_TRUE(Contains(where, "s1") && Contains(where, "s2"));
  for (const char* key : {"ann", "h", "hob", "zoe", "a/b c"})
    EXPECT_EQ(Example({"put", "users", key, std::string("of ") + key}).exit_code, 0);
  EXPECT_EQ(Example({"put", "users", "hob", "another\nvalue"}).exit_code, 0);
  EXPECT_EQ(Example({"get", "users", "hob"}).out, "another\nvalue\n");
  EXPECT_EQ(Example({"scan", "users"}).out, "a/b c of a/b c\nann of ann\nh of h\nhob another\nvalue\nzoe of zoe\n");

  ExpectFailure({"create", "users"}, 1, "there is a table users already");
  ExpectFailure({"create", "a.b"}, 1, "can be no name of a table");
  ExpectFailure({"create", "more", "a/b"}, 1, "can be no first key");
  ExpectFailure({"get", "users", "bob"}, 1, "there is no key bob");
  ExpectFailure({"get", "groups", "bob"}, 1, "there is no table groups");
  ExpectFailure({"where", "gr/oups"}, 1, "there is no table gr/oups");
  ExpectFailure({"put", "users", "bob"}, 2, "VALUE is required");
  ExpectFailure({"server", "--name", "s3"}, 2, "--store is required");
  ExpectFailure({"server", "--name", "a/b", "--store", store_dir()}, 2, "can be no name of a server");
  ExpectDeadCoreIsSaid({"get", "users", "bob"});
  member("m1").Kill();
  ASSERT_TRUE(Await([&] { return Names("/storage/masters").empty(); }));
  ExpectFailure({"create", "more", "--timeout", kPatience}, 1, "there is no master");
  EXPECT_EQ(Example({"get", "users", "zoe"}).out, "of zoe\n") << "rows are served without a master";
}

TEST_F(StorageTest, NothingAcknowledgedIsLostThoughServersMastersAndALeaderDie) {
  StartMasters({"m1", "m2"});
  StartServers({"s1", "s2", "s3"});
  EXPECT_EQ(Example({"create", "users", "b", "c", "d"}).exit_code, 0);
  ASSERT_TRUE(AwaitServed());
  const std::vector<std::string> prefixes = {"a", "b", "c", "d"};
  Workload rows(prefixes.size(), [&](std::size_t client, int number) {
    const std::string key = prefixes[client] + std::to_string(number);
    if (Example({"put", "users", key, "of " + key, "--timeout", "100s"}).exit_code != 0) return false;
    return Example({"get", "users", key, "--timeout", "100s"}).out == "of " + key + "\n";
  });
  ASSERT_TRUE(rows.AwaitMore(1));
  const std::string first = Where().at("users.r-");
  member(first).Kill();
  ASSERT_TRUE(AwaitServed({first})) << "the master gives its regions to others";
  ASSERT_TRUE(rows.AwaitMore(1));

  // The master and a server at once: only the next master can give the regions away.
  const std::string second = Where().at("users.r-b");
  member("m1").Kill();
  member(second).Kill();
  ASSERT_TRUE(AwaitServed({first, second})) << member("m2").Log();
  EXPECT_TRUE(Logged("m2", "is the master"));
  ASSERT_TRUE(rows.AwaitMore(1));

  const int leader = cluster().AwaitCoordLeader();
  cluster().coord(leader).Kill();
  ASSERT_TRUE(rows.AwaitMore(1));
  member(first).Start();
  member("m1").Start();
  ASSERT_TRUE(Await([&] { return Contains(Where(), first); })) << "a server that is back gets regions";
  ASSERT_TRUE(rows.AwaitMore(1));
  cluster().coord(leader).Start();
  const std::vector<int> acknowledged = rows.Finish();

  std::set<std::string> expected;
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    for (int number = 0; number < acknowledged[i]; ++number) {
      const std::string key = prefixes[i] + std::to_string(number);
      expected.insert(key + " of " + key);
    }
  }
  const std::vector<std::string> scanned = Lines(Example({"scan", "users"}).out);
  EXPECT_EQ(std::set<std::string>(scanned.begin(), scanned.end()), expected);
  EXPECT_EQ(scanned.size(), expected.size());
  for (const auto& [region, server] : Where()) JudgeHistory(region);
}

// A server stands still past its session, with a row in its hands. When it wakes, its region is another's.
TEST_F(StorageTest, APausedServersRowIsRefusedByItsToken) {
  StartMasters({"m1"});
  StartServers({"s1", "s2"});
  EXPECT_EQ(Example({"create", "users"}).exit_code, 0);
  EXPECT_EQ(Example({"put", "users", "ann", "before"}).exit_code, 0);
  const std::string paused = Where().at("users.r-");
  const std::string address = Addresses().at("users.r-");
  member(paused).Signal(SIGSTOP);
  auto put = std::async(std::launch::async, [&] {
    return examples::Call(address, "put", {"users.r-", "an-id", "ann", "from the past"}, kDeadline).status();
  });
  auto get = std::async(std::launch::async, [&] {
    return examples::Call(address, "get", {"users.r-", "ann"}, kDeadline).status();
  });
  ASSERT_TRUE(AwaitServed({paused}));
  EXPECT_EQ(Example({"put", "users", "ann", "after"}).exit_code, 0);
  member(paused).Signal(SIGCONT);
  for (const absl::Status& refused : {put.get(), get.get()}) EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  EXPECT_EQ(Example({"get", "users", "ann"}).out, "after\n");
  JudgeHistory("users.r-");
}

// A master stands still past its session: when it wakes, nothing that it wants happens, and it stands again as the last.
TEST_F(StorageTest, APausedMasterChangesNothingMore) {
  StartMasters({"m1", "m2"});
  StartServers({"s1", "s2"});
  EXPECT_EQ(Example({"create", "users", "m"}).exit_code, 0);
  ASSERT_TRUE(AwaitServed());
  const std::set<std::string> candidates = Names("/storage/masters");
  member("m1").Signal(SIGSTOP);
  ASSERT_TRUE(Await([&] { return Logged("m2", "is the master"); }));
  member("s1").Kill();
  ASSERT_TRUE(AwaitServed({"s1"}));
  const std::string before = Example({"where", "users"}).out;
  member("m1").Signal(SIGCONT);
  ASSERT_TRUE(Await([&] { return Names("/storage/masters").size() == 2; }));
  EXPECT_EQ(Names("/storage/masters").count(*candidates.begin()), 0u) << "it is another candidate now";
  EXPECT_EQ(Example({"where", "users"}).out, before);
  EXPECT_EQ(Example({"create", "groups"}).exit_code, 0) << "by the master that there is";
  EXPECT_EQ(Example({"put", "groups", "a", "b"}).exit_code, 0);
}

TEST_F(StorageTest, ThePageIsTrue) {
  RunPage("storage");
}

}  // namespace
}  // namespace drover::testing
