// A publish-subscribe broker: topics of partitions, each served by one of several brokers, and groups of consumers.
//
//   drover-example-broker broker --name b1 --store DIR
//   drover-example-broker topics --create orders --partitions 4
//   seq 1 10 | drover-example-broker produce orders
//   drover-example-broker consume orders --group shop --until-end
//   drover-example-broker topics
#include <iostream>

#include "absl/strings/numbers.h"
#include "client/examples/broker/broker.h"
#include "client/examples/broker/broker_calls.h"
#include "client/examples/broker/consumer.h"
#include "client/examples/program/command_line.h"
#include "drover/coord/status.h"

namespace drover::examples::broker {
namespace {

absl::Status Serve(const CommandLine& line) {
  const std::string& name = line.Flag("name");
  if (absl::Status named = CheckName(name, "broker"); !named.ok()) return named;
  Stop stop;
  return RunBroker(CoreOptions(line), name, line.Flag("store"), &stop);
}

absl::Status CreateTopic(const CommandLine& line) {
  const std::string& topic = line.Flag("create");
  if (absl::Status named = CheckName(topic, "topic"); !named.ok()) return named;
  const auto core = ConnectToCore(CoreOptions(line));
  if (!core.ok()) return core.status();
  const absl::Status made =
      (*core)->Create(absl::StrCat(kTopics, "/", topic), absl::StrCat(line.Number("partitions")), {.parents = true}).status();
  return coord::IsNodeExists(made) ? absl::AlreadyExistsError(absl::StrCat("there is a topic ", topic, " already")) : made;
}

absl::Status Topics(const CommandLine& line) {
  if (!line.Flag("create").empty()) return CreateTopic(line);
  const auto core = ConnectToCore(CoreOptions(line));
  if (!core.ok()) return core.status();
  const auto topics = (*core)->Children(kTopics);
  if (coord::IsNoNode(topics.status())) return absl::OkStatus();
  if (!topics.ok()) return topics.status();
  BrokerCalls brokers(core->get(), line.Time("timeout"));
  for (const std::string& topic : *topics) {
    const auto partitions = PartitionsOf(core->get(), topic);
    if (!partitions.ok()) return partitions.status();
    for (std::uint32_t partition = 0; partition < *partitions; ++partition) {
      const auto summary = brokers.Call(topic, partition, "summarize", {""});
      if (!summary.ok()) return summary.status();
      std::cout << topic << " partition " << partition << " messages " << summary->front() << " at "
                << brokers.OwnerOf(topic, partition) << std::endl;
    }
  }
  return absl::OkStatus();
}

// Line n of the input is message n of its producer: its sequence number, by which a broker knows it again. So the same input can
// be sent once more by a producer of the same name, and what is stored already is not stored twice.
absl::Status Produce(const CommandLine& line) {
  const std::string& topic = line.arguments[0];
  const std::string producer = line.Flag("producer").empty() ? NewId() : line.Flag("producer");
  if (absl::Status named = CheckName(topic, "topic"); !named.ok()) return named;
  if (absl::Status named = CheckName(producer, "producer"); !named.ok()) return named;
  const auto core = ConnectToCore(CoreOptions(line));
  if (!core.ok()) return core.status();
  const auto partitions = PartitionsOf(core->get(), topic);
  if (!partitions.ok()) return partitions.status();
  BrokerCalls brokers(core->get(), line.Time("timeout"));
  std::vector<std::uint64_t> last(*partitions);
  for (std::uint32_t partition = 0; partition < *partitions; ++partition) {
    const auto summary = brokers.Call(topic, partition, "summarize", {producer});
    if (!summary.ok()) return summary.status();
    if (!absl::SimpleAtoi(summary->back(), &last[partition])) return absl::InternalError("a broker gave no number");
  }
  std::uint64_t sequence = 0;
  for (std::string text; std::getline(std::cin, text);) {
    const auto partition = static_cast<std::uint32_t>(sequence++ % *partitions);
    if (sequence > last[partition]) {
      const auto stored = brokers.Call(topic, partition, "append", {producer, absl::StrCat(sequence), text});
      if (!stored.ok()) return stored.status();
    }
    std::cout << "stored " << producer << " " << sequence << " in partition " << partition << std::endl;
  }
  return absl::OkStatus();
}

absl::Status Consume(const CommandLine& line) {
  const ConsumeOptions options{
      .topic = line.arguments[0], .group = line.Flag("group"), .name = NewId(), .until_end = line.Given("until-end")};
  if (absl::Status named = CheckName(options.topic, "topic"); !named.ok()) return named;
  if (absl::Status named = CheckName(options.group, "group"); !named.ok()) return named;
  Stop stop;
  const auto core = ConnectToCore(CoreOptions(line));
  if (!core.ok()) return core.status();
  BrokerCalls brokers(core->get(), line.Time("timeout"));
  return RunConsumer(core->get(), &brokers, options, &stop);
}

}  // namespace
}  // namespace drover::examples::broker

int main(int argc, char** argv) {
  using namespace drover::examples;          // NOLINT
  using namespace drover::examples::broker;  // NOLINT
  return RunProgram(
      argc, argv, "A publish-subscribe broker: messages stored once, and consumed by groups.",
      {{"broker", {}, ServerFlags({{"store", kRequired}}), "A broker; --store: the directory that all of them share", Serve},
       {"topics", {}, ClientFlags({{"create", ""}, {"partitions", "4"}}), "Prints all topics; --create: makes one", Topics},
       {"produce",
        {"TOPIC"},
        ClientFlags({{"producer", ""}}),
        "Stores each line of its input; --producer: under this name the same input can be sent again",
        Produce},
       {"consume",
        {"TOPIC"},
        ClientFlags({{"group", kRequired}, {"until-end", kSwitch}, {"session-timeout", "6s"}}),
        "Prints messages, each to one consumer of the group; --until-end: until there are no more",
        Consume}});
}
