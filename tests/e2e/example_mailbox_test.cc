// The mailbox service of client/examples: servers are killed and paused, and leaders of the core killed, while mail is sent.
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

class MailboxTest : public ExampleTest {
 protected:
  MailboxTest() : ExampleTest("drover-example-mailbox") {}

  void StartServers(const std::vector<std::string>& names) {
    for (const std::string& name : names) StartMember(name, {"serve", "--store", store_dir()});
    ASSERT_TRUE(Await([&] { return Names("/mailbox/servers") == std::set<std::string>(names.begin(), names.end()); }));
  }
  void MakeBoxes(const std::vector<std::string>& boxes) {
    for (const std::string& box : boxes) EXPECT_EQ(Example({"create", box}).exit_code, 0);
    ASSERT_TRUE(Await([&] { return !Contains(Where(), ""); })) << "every mailbox is taken";
  }
  // Mailbox to server; empty: none.
  std::map<std::string, std::string> Where() { return Table(Example({"where"}).out, 1); }
  std::map<std::string, std::string> Addresses() { return Table(Example({"where"}).out, 2); }
  std::vector<std::string> Mail(const std::string& box) {
    const CommandResult read = Example({"read", box});
    EXPECT_EQ(read.exit_code, 0) << read.err;
    return Lines(read.out);
  }
};

TEST_F(MailboxTest, MailComesToWhereItsMailboxIsAndMistakesAreSaid) {
  StartServers({"m1", "m2"});
  MakeBoxes({"ann", "bob"});
  const auto where = Where();
  EXPECT_NE(where.at("ann"), where.at("bob")) << "spread over both";
  EXPECT_EQ(Example({"send", "ann", "good morning"}).exit_code, 0);
  EXPECT_EQ(Example({"send", "ann", "good\nnight"}).exit_code, 0);
  EXPECT_EQ(Example({"read", "ann"}).out, "good morning\ngood\nnight\n");
  EXPECT_EQ(Example({"read", "bob"}).out, "");

  ExpectFailure({"create", "ann"}, 1, "there is a mailbox ann already");
  ExpectFailure({"create", "a/b"}, 2, "can be no name of a mailbox");
  ExpectFailure({"read", "carl"}, 1, "there is no mailbox carl");
  ExpectFailure({"send", "carl", "hello"}, 1, "there is no mailbox carl");
  ExpectFailure({"send", "ann"}, 2, "TEXT is required");
  ExpectFailure({"read", "ann", "bob"}, 2, "argument was not expected: bob");
  ExpectFailure({"read", "ann", "--box=1"}, 2, "argument was not expected: --box=1");
  ExpectFailure({"read", "ann", "--timeout", "soon"}, 2, "--timeout: 'soon' is no time");
  ExpectFailure({"serve", "--name", "m3"}, 2, "--store is required");
  ExpectFailure({"fetch"}, 2, "argument was not expected: fetch");
  ExpectDeadCoreIsSaid({"read", "ann"});
}

TEST_F(MailboxTest, NothingAcknowledgedIsLostThoughServersAndALeaderDie) {
  StartServers({"m1", "m2", "m3"});
  const std::vector<std::string> boxes = {"ann", "bob", "carl", "dora"};
  MakeBoxes(boxes);
  Workload mail(boxes.size(), [&](std::size_t client, int number) {
    return Example({"send", boxes[client], "mail " + std::to_string(number), "--timeout", "100s"}).exit_code == 0;
  });
  ASSERT_TRUE(mail.AwaitMore(1));
  const std::string first = Where().at("ann");
  member(first).Kill();
  ASSERT_TRUE(Await([&] { return !Contains(Where(), first) && !Contains(Where(), ""); })) << "its mailboxes move";
  ASSERT_TRUE(mail.AwaitMore(1));

  const int leader = cluster().AwaitCoordLeader();
  cluster().coord(leader).Kill();
  ASSERT_TRUE(mail.AwaitMore(2)) << "the other coordination nodes go on";
  const std::string second = Where().at("bob");
  member(second).Kill();
  member(first).Start();
  ASSERT_TRUE(Await([&] { return !Contains(Where(), second) && !Contains(Where(), ""); }));
  ASSERT_TRUE(mail.AwaitMore(1));
  cluster().coord(leader).Start();
  const std::vector<int> acknowledged = mail.Finish();

  for (std::size_t i = 0; i < boxes.size(); ++i) {
    std::vector<std::string> expected;
    for (int number = 0; number < acknowledged[i]; ++number) expected.push_back("mail " + std::to_string(number));
    EXPECT_EQ(Mail(boxes[i]), expected) << "each once, in order, of " << boxes[i];
    JudgeHistory(boxes[i]);
  }
}

// A server stands still past its session, with a mail in its hands. When it wakes, its mailbox is another's.
TEST_F(MailboxTest, APausedServersMailIsRefusedByItsToken) {
  StartServers({"m1", "m2"});
  MakeBoxes({"ann"});
  EXPECT_EQ(Example({"send", "ann", "before"}).exit_code, 0);
  const std::string paused = Where().at("ann");
  const std::string address = Addresses().at("ann");
  member(paused).Signal(SIGSTOP);
  auto late = std::async(std::launch::async, [&] {
    return examples::Call(address, "send", {"ann", "an-id", "from the past"}, kDeadline).status();
  });
  ASSERT_TRUE(Await([&] { return !Contains(Where(), paused) && !Contains(Where(), ""); }));
  EXPECT_EQ(Example({"send", "ann", "after"}).exit_code, 0);
  member(paused).Signal(SIGCONT);
  const absl::Status refused = late.get();
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  EXPECT_THAT(Mail("ann"), ElementsAre("before", "after"));
  JudgeHistory("ann");
  EXPECT_TRUE(Await([&] { return Names("/mailbox/servers").count(paused) == 1; })) << "it takes part again, with a new session";
}

TEST_F(MailboxTest, WithoutTheCoreAServerGoesOnWithWhatItHas) {
  StartServers({"m1"});
  MakeBoxes({"ann"});
  const std::string address = Addresses().at("ann");
  for (int i = 0; i < cluster().coords(); ++i) cluster().coord(i).Kill();
  EXPECT_TRUE(examples::Call(address, "send", {"ann", "an-id", "hello"}, kDeadline).ok());
  ExpectFailure({"read", "ann", "--timeout", "1s"}, 1, "no session with the core");
  for (int i = 0; i < cluster().coords(); ++i) cluster().coord(i).Start();
  EXPECT_THAT(Mail("ann"), ElementsAre("hello"));
}

TEST_F(MailboxTest, ThePageIsTrue) {
  RunPage("mailbox");
}

}  // namespace
}  // namespace drover::testing
