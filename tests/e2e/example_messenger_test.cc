// The messenger of client/examples: application servers are killed and paused, and leaders of the core killed, while users write.
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
using ::testing::SizeIs;

class MessengerTest : public ExampleTest {
 protected:
  MessengerTest() : ExampleTest("drover-example-messenger") {}

  void StartServers(const std::vector<std::string>& names) {
    for (const std::string& name : names) StartMember(name, {"serve", "--store", store_dir()});
    ASSERT_TRUE(Await([&] { return Names("/messenger/services/app") == std::set<std::string>(names.begin(), names.end()); }));
    ASSERT_TRUE(AwaitSpread(names.size()));
  }
  // Every one of the 16 shards is owned, by so many servers.
  bool AwaitSpread(std::size_t servers, const std::string& gone = "") {
    return Await([&] {
      const std::map<std::string, std::string> owners = Owners();
      std::set<std::string> names;
      for (const auto& [shard, owner] : owners) names.insert(owner);
      return owners.size() == 16 && names.size() == servers && names.count(gone) == 0;
    });
  }
  std::map<std::string, std::string> Owners() {
    std::map<std::string, std::string> owners;
    for (const std::string& shard : Names("/messenger/shards/own")) {
      const CommandResult owner = cluster().Drover({"tree", "get", "/messenger/shards/own/" + shard});
      if (owner.exit_code == 0) owners[shard] = Trimmed(owner.out);
    }
    return owners;
  }
  std::string ServerOf(const std::string& user) { return Table(Example({"where", user}).out, 2)[user]; }
  std::vector<std::string> Messages(const std::string& user) {
    const CommandResult read = Example({"read", user});
    EXPECT_EQ(read.exit_code, 0) << read.err;
    return Lines(read.out);
  }
};

TEST_F(MessengerTest, MessagesAreInBothLogsWhoeverIsAskedAndMistakesAreSaid) {
  StartServers({"a1", "a2"});
  EXPECT_THAT(Lines(Example({"servers"}).out), SizeIs(2));
  const std::vector<std::string> users = {"ann", "bob", "carl", "dora"};
  std::set<std::string> servers;
  for (const std::string& user : users) servers.insert(ServerOf(user));
  EXPECT_THAT(servers, SizeIs(2)) << "the users are spread";
  EXPECT_EQ(Example({"send", "ann", "bob", "hello"}).exit_code, 0);
  EXPECT_EQ(Example({"send", "bob", "ann", "hello\nyourself"}).exit_code, 0);
  EXPECT_EQ(Example({"send", "carl", "carl", "not to be forgotten"}).exit_code, 0);
  for (const char* user : {"ann", "bob"}) {
    EXPECT_EQ(Example({"read", user}).out, "ann to bob: hello\nbob to ann: hello\nyourself\n");
  }
  EXPECT_THAT(Messages("carl"), ElementsAre("carl to carl: not to be forgotten"));
  EXPECT_THAT(Messages("dora"), SizeIs(0));
  // Whichever server is asked.
  for (const std::string& line : Lines(Example({"servers"}).out)) {
    const auto read = examples::Call(line.substr(line.find(' ') + 1), "read", {"ann"}, kDeadline);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_THAT(*read, SizeIs(2));
  }

  ExpectFailure({"send", "ann", "b/b", "hello"}, 1, "can be no name of a user");
  ExpectFailure({"send", "a/a", "bob", "hello"}, 1, "can be no name of a user");
  ExpectFailure({"send", "ann", "bob"}, 2, "TEXT is required");
  ExpectFailure({"serve", "--store", store_dir()}, 2, "--name is required");
  ExpectDeadCoreIsSaid({"read", "ann"});
  member("a1").Terminate();
  EXPECT_TRUE(AwaitSpread(1, "a1")) << "who is told to stop gives everything back";
  member("a2").Terminate();
  ASSERT_TRUE(Await([&] { return Names("/messenger/services/app").empty(); }));
  ExpectFailure({"read", "ann", "--timeout", kPatience}, 1, "no server is registered");
}

TEST_F(MessengerTest, NothingAcknowledgedIsLostThoughServersAndALeaderDie) {
  StartServers({"a1", "a2", "a3"});
  const std::vector<std::string> users = {"ann", "bob", "carl", "dora"};
  // Each writes to the next one.
  const auto next = [&](std::size_t user) { return users[(user + 1) % users.size()]; };
  const auto text = [](int number) { return "message " + std::to_string(number); };
  Workload messages(users.size(), [&](std::size_t user, int number) {
    return Example({"send", users[user], next(user), text(number), "--timeout", "100s"}).exit_code == 0;
  });
  ASSERT_TRUE(messages.AwaitMore(1));
  const std::string first = ServerOf("ann");
  member(first).Kill();
  ASSERT_TRUE(AwaitSpread(2, first)) << "its users move";
  ASSERT_TRUE(messages.AwaitMore(1));

  const int leader = cluster().AwaitCoordLeader();
  cluster().coord(leader).Kill();
  ASSERT_TRUE(messages.AwaitMore(1));
  const std::string second = ServerOf("bob");
  member(second).Kill();
  member(first).Start();
  ASSERT_TRUE(AwaitSpread(2, second));
  ASSERT_TRUE(messages.AwaitMore(1));
  cluster().coord(leader).Start();
  member(second).Start();
  ASSERT_TRUE(AwaitSpread(3));
  ASSERT_TRUE(messages.AwaitMore(1));
  const std::vector<int> acknowledged = messages.Finish();

  for (std::size_t i = 0; i < users.size(); ++i) {
    // In the logs of both, each once, in the order sent.
    std::vector<std::string> expected;
    for (int number = 0; number < acknowledged[i]; ++number) {
      expected.push_back(users[i] + " to " + next(i) + ": " + text(number));
    }
    for (const std::string& log : {users[i], next(i)}) {
      std::vector<std::string> found = Messages(log);
      const std::string prefix = users[i] + " to ";
      found.erase(std::remove_if(found.begin(), found.end(), [&](const std::string& line) { return line.rfind(prefix, 0) != 0; }),
                  found.end());
      EXPECT_EQ(found, expected) << "from " << users[i] << ", in the log of " << log;
    }
    JudgeHistory(users[i]);
  }
}

// A server stands still past its session, with a message in its hands. When it wakes, its users are another's.
TEST_F(MessengerTest, APausedServersMessageIsRefusedByItsToken) {
  StartServers({"a1", "a2"});
  EXPECT_EQ(Example({"send", "ann", "ann", "before"}).exit_code, 0);
  const CommandResult where = Example({"where", "ann"});
  const std::string paused = Table(where.out, 2)["ann"];
  const std::string address = Table(where.out, 3)["ann"];
  member(paused).Signal(SIGSTOP);
  auto keep = std::async(std::launch::async, [&] {
    return examples::Call(address, "keep", {"ann", "an-id", "from the past"}, kDeadline).status();
  });
  ASSERT_TRUE(AwaitSpread(1, paused));
  EXPECT_EQ(Example({"send", "ann", "ann", "after"}).exit_code, 0);
  member(paused).Signal(SIGCONT);
  const absl::Status refused = keep.get();
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  ASSERT_TRUE(AwaitSpread(2)) << "it takes part again, with a new session";
  EXPECT_THAT(Messages("ann"), ElementsAre("ann to ann: before", "ann to ann: after"));
  JudgeHistory("ann");
}

TEST_F(MessengerTest, ThePageIsTrue) {
  RunPage("messenger");
}

}  // namespace
}  // namespace drover::testing
