// The example client/examples/broker with real processes: produced and consumed while brokers, a producer, a consumer and a leader
// of the core are killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "client/examples/rpc/rpc.h"
#include "tests/e2e/e2e.h"
#include "tests/e2e/example.h"
#include "tests/support/proxy.h"

namespace drover::testing {
namespace {

using ::testing::HasSubstr;

constexpr int kPartitions = 6;

// The lines that a process has written to its end.
std::vector<std::string> WholeLines(const Process& process) {
  std::string log = process.Log();
  log.resize(log.rfind('\n') + 1);
  return Lines(log);
}

class BrokerTest : public ExampleTest {
 protected:
  BrokerTest() : ExampleTest("drover-example-broker") {}

  // A broker ends with its session: that shall not be over because the machine is busy.
  Process& StartBroker(const std::string& name) { return StartMember(name, {"broker", "--store", store_dir()}, "6s"); }
  Process& StartConsumer(const std::string& name) {
    return StartCommand(name, {"consume", "orders", "--group", "shop", "--timeout", "100s"});
  }
  Process& StartProducer(const std::string& name, int messages) {
    std::string text;
    for (int i = 1; i <= messages; ++i) text += "text " + std::to_string(i) + " of " + name + "\n";
    return StartCommand(name, {"produce", "orders", "--producer", name, "--timeout", "100s"}, text);
  }
  [[nodiscard]] std::vector<std::string> Stored(int partition) const {
    return Lines(ReadFile(store_dir() + "/orders-" + std::to_string(partition) + ".log"));
  }
};

TEST_F(BrokerTest, EveryAcknowledgedMessageIsStoredOnceAndConsumedInOrderWhateverIsKilled) {
  constexpr int kMessages = 600;
  std::vector<Process*> brokers;
  for (const std::string name : {"b0", "b1", "b2"}) brokers.push_back(&StartBroker(name));
  ASSERT_EQ(Example({"topics", "--create", "orders", "--partitions", std::to_string(kPartitions)}).exit_code, 0);
  // All three own something before the first one is killed.
  for (const Process* broker : brokers) {
    ASSERT_TRUE(Await([&] { return broker->Log().find("owns slot") != std::string::npos; })) << broker->Log();
  }
  std::vector<Process*> consumers;
  for (const std::string name : {"c0", "c1"}) consumers.push_back(&StartConsumer(name));
  // And the consumers share what is to come.
  ASSERT_TRUE(Await([&] {
    std::set<std::string> owners;
    for (int partition = 0; partition < kPartitions; ++partition) {
      owners.insert(cluster().Drover({"tree", "get", "/broker/groups/shop/orders/share/own/" + std::to_string(partition)}).out);
    }
    return owners.size() == 2 && owners.count("") == 0;
  }));
  std::vector<Process*> producers;
  for (const std::string name : {"p0", "p1", "p2"}) producers.push_back(&StartProducer(name, kMessages));

  const auto count = [](const std::vector<Process*>& processes) {
    std::size_t lines = 0;
    for (const Process* process : processes) lines += WholeLines(*process).size();
    return lines;
  };
  const auto await_more = [&](std::size_t more) {
    const std::size_t before = count(producers);
    EXPECT_TRUE(Await([&] { return count(producers) >= before + more; })) << count(producers) << " are acknowledged";
  };
  await_more(60);
  EXPECT_TRUE(Await([&] { return WholeLines(*consumers[0]).size() >= 5 && WholeLines(*consumers[1]).size() >= 5; }))
      << "each has its share";
  brokers[0]->Kill();
  await_more(60);
  const int leader = cluster().AwaitCoordLeader();
  cluster().coord(leader).Kill();
  await_more(60);
  producers[2]->Kill();
  consumers[0]->Kill();
  brokers[1]->Kill();
  brokers[0]->Start();
  cluster().coord(leader).Start();
  consumers.push_back(&StartConsumer("c2"));
  await_more(60);
  const std::size_t acknowledged = WholeLines(*producers[2]).size();
  producers[2]->Start();
  for (Process* producer : producers) EXPECT_EQ(producer->Wait(), 0) << producer->Log();
  // What it had said before it was killed was true, and it says so again.
  EXPECT_EQ(WholeLines(*producers[2]).size(), acknowledged + kMessages);

  // The logs: each message once, each producer's in its order, and no token after a higher one.
  std::map<std::string, std::set<std::uint64_t>> stored;
  for (int partition = 0; partition < kPartitions; ++partition) {
    std::uint64_t highest = 0;
    std::map<std::string, std::uint64_t> last;
    for (const std::string& line : Stored(partition)) {
      std::istringstream words(line);
      std::uint64_t token = 0;
      std::string producer;
      std::uint64_t sequence = 0;
      words >> token >> producer >> sequence;
      EXPECT_GE(token, highest) << line;
      highest = token;
      EXPECT_GT(sequence, last[producer]) << line;
      last[producer] = sequence;
      EXPECT_TRUE(stored[producer].insert(sequence).second) << "twice: " << line;
      EXPECT_THAT(line, HasSubstr(" text " + std::to_string(sequence) + " of " + producer));
    }
  }
  for (const auto& [producer, sequences] : stored) EXPECT_EQ(sequences.size(), static_cast<std::size_t>(kMessages)) << producer;
  EXPECT_EQ(stored.size(), 3u);

  // What was consumed: all, at the places where it is stored, and by each consumer in order.
  const auto consumed = [&] {
    std::map<std::pair<int, std::uint64_t>, std::string> messages;
    for (const Process* consumer : consumers) {
      for (const std::string& line : WholeLines(*consumer)) {
        std::istringstream words(line);
        int partition = 0;
        std::uint64_t position = 0;
        words >> partition >> position;
        messages[{partition, position}] = line;
      }
    }
    return messages;
  };
  EXPECT_TRUE(Await([&] { return consumed().size() >= 3u * kMessages; })) << consumed().size();
  const auto messages = consumed();
  EXPECT_EQ(messages.size(), 3u * kMessages);
  for (int partition = 0; partition < kPartitions; ++partition) {
    const std::vector<std::string> lines = Stored(partition);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto message = messages.find({partition, i});
      ASSERT_NE(message, messages.end()) << "not consumed: " << lines[i];
      EXPECT_EQ(message->second, std::to_string(partition) + " " + std::to_string(i) + lines[i].substr(lines[i].find(' ')));
    }
  }
  for (const Process* consumer : consumers) {
    std::map<std::string, std::int64_t> last;
    for (const std::string& line : WholeLines(*consumer)) {
      std::istringstream words(line);
      std::string partition;
      std::int64_t position = 0;
      words >> partition >> position;
      const auto before = last.emplace(partition, -1).first;
      EXPECT_GT(position, before->second) << consumer->log_path() << ": " << line;
      before->second = position;
    }
  }
  // The group's positions are in the core: who comes later has nothing more to do.
  const CommandResult rest = Example({"consume", "orders", "--group", "shop", "--until-end"});
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_EQ(rest.out, "");
  for (const std::size_t i : {1u, 2u}) EXPECT_EQ(consumers[i]->Terminate(), 0) << consumers[i]->Log();
  for (const std::size_t i : {0u, 2u}) EXPECT_EQ(brokers[i]->Terminate(), 0) << brokers[i]->Log();
}

// Cut off from the core alone it does not hear that its session is over, and believes that the partition is its own.
TEST_F(BrokerTest, ABrokerThatIsCutOffFromTheCoreCannotAppendBehindItsSuccessor) {
  const std::string coord = cluster().coord_address(0);
  Proxy proxy(std::stoi(coord.substr(coord.rfind(':') + 1)));
  Process& cut_off = StartMember("b0", {"broker", "--store", store_dir(), "--coord", proxy.address()}, "6s");
  ASSERT_EQ(Example({"topics", "--create", "orders", "--partitions", "1"}).exit_code, 0);
  ASSERT_EQ(Example({"produce", "orders", "--producer", "p"}, "one\n").exit_code, 0);
  const auto append = [](const Process& broker, int sequence) {
    const std::string begin = " serves at ";
    std::string address = broker.Log();
    if (address.find(begin) == std::string::npos) return std::string("not there yet");
    address = Lines(address.substr(address.find(begin) + begin.size())).front();
    const auto answer =
        examples::Call(address, "append", {"orders", "0", "p", std::to_string(sequence), "text"}, std::chrono::seconds(60));
    return answer.ok() ? answer->front() : answer.status().ToString();
  };
  proxy.Cut();
  EXPECT_EQ(append(cut_off, 2), "ok") << "nobody has taken its place yet";
  Process& next = StartBroker("b1");
  EXPECT_TRUE(Await([&] { return append(next, 3) == "ok"; })) << next.Log();
  EXPECT_EQ(append(cut_off, 4), "moved");
  ASSERT_EQ(Stored(0).size(), 3u);
  EXPECT_THAT(Stored(0)[2], HasSubstr(" p 3 text"));
  proxy.Heal();
  EXPECT_EQ(cut_off.Wait(), 1) << "its session is over";
  EXPECT_THAT(cut_off.Log(), HasSubstr("start it again"));
}

TEST_F(BrokerTest, ErrorsSayWhatIsWrong) {
  ExpectFailure({}, 2, "A subcommand is required");
  ExpectFailure({"fly"}, 2, "argument was not expected: fly");
  ExpectFailure({"broker", "--name", "b0"}, 2, "--store is required");
  ExpectFailure({"broker", "--name", "a/b", "--store", store_dir()}, 2, "'a/b' can be no name of a broker");
  ExpectFailure({"produce"}, 2, "TOPIC is required");
  ExpectFailure({"produce", "orders", "--producer", "a b"}, 2, "'a b' can be no name of a producer");
  ExpectFailure({"consume", "orders"}, 2, "--group is required");
  ExpectFailure({"consume", "orders", "--group", "g", "--until-end=yes"}, 2, "until-end was given a disallowed flag override");
  ExpectFailure({"topics", "--create", "a/b"}, 2, "'a/b' can be no name of a topic");
  for (const char* number : {"0", "1001", "-1", "many"}) {
    ExpectFailure({"topics", "--create", "orders", "--partitions", number}, 2,
                  std::string("--partitions: Value ") + number + " not in range 1 to 1000");
  }
  ExpectFailure({"topics", "--fast"}, 2, "argument was not expected: --fast");
  ExpectFailure({"topics", "--coord", ""}, 2, "--coord: it is empty");
  ExpectFailure({"topics", "--timeout", "5"}, 2, "--timeout: '5' is no time");
  ExpectFailure({"produce", "orders"}, 1, "there is no topic orders");
  ExpectFailure({"consume", "orders", "--group", "g"}, 1, "there is no topic orders");
  EXPECT_EQ(Example({"topics", "--create", "orders"}).exit_code, 0);
  ExpectFailure({"topics", "--create", "orders"}, 1, "there is a topic orders already");
  ExpectFailure({"topics", "--timeout", kPatience}, 1, "no broker serves partition 0 of orders");
  ExpectDeadCoreIsSaid({"topics"});
}

TEST_F(BrokerTest, HelpNamesCommandsAndFlags) {
  const CommandResult all = Example({"--help"});
  EXPECT_EQ(all.exit_code, 0) << all.err;
  for (const char* command : {"broker", "topics", "produce", "consume"}) {
    EXPECT_THAT(all.out, HasSubstr(std::string("\n  ") + command));
  }
  const CommandResult one = Example({"consume", "--help"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  for (const char* words : {"TOPIC", "--group TEXT REQUIRED", "Env:DROVER_COORD", "--timeout TIME=30s", "--until-end"}) {
    EXPECT_THAT(one.out, HasSubstr(words));
  }
}

TEST_F(BrokerTest, ThePageIsTrue) {
  RunPage("broker", "me 12 12");
}

}  // namespace
}  // namespace drover::testing
