// A publish-subscribe broker (README.md):
//
//   drover-example-broker broker b1 --data DIR &
//   drover-example-broker topics --create orders --partitions 4
//   seq 1 10 | drover-example-broker produce orders
//   drover-example-broker consume orders --group shop --until-end
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/examples/broker/broker.h"
#include "client/examples/broker/broker_calls.h"
#include "client/examples/broker/consumer.h"
#include "drover/coord/blocking.h"
#include "drover/coord/status.h"

namespace {

using drover::coord::BlockingClient;
using namespace drover::examples;  // NOLINT: it is this program's own

constexpr int kUsage = 2;

// The exit code; where it is not 0, says why.
int Exit(const std::string& what, const absl::Status& status) {
  if (status.ok()) return 0;
  const bool unknown = drover::coord::IsOutcomeUnknown(status);
  std::cerr << what << ": " << (unknown ? "it may or may not have been done: " : "") << status.message() << std::endl;
  return 1;
}

absl::Status CreateTopic(BlockingClient& core, const std::string& topic, std::uint32_t partitions) {
  const auto created = core.Create(absl::StrCat(kTopics, "/", topic), absl::StrCat(partitions), {.parents = true});
  if (!drover::coord::IsNodeExists(created.status())) return created.status();
  return absl::AlreadyExistsError("there is a topic of this name already");
}

absl::Status ShowTopics(BlockingClient& core, BrokerCalls& brokers) {
  const auto topics = core.Children(kTopics);
  if (drover::coord::IsNoNode(topics.status())) return absl::OkStatus();
  if (!topics.ok()) return topics.status();
  for (const std::string& topic : *topics) {
    const auto partitions = PartitionsOf(core, topic);
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
absl::Status Produce(BlockingClient& core, BrokerCalls& brokers, const std::string& topic, const std::string& producer) {
  const auto partitions = PartitionsOf(core, topic);
  if (!partitions.ok()) return partitions.status();
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

}  // namespace

int main(int argc, char** argv) {
  const CLI::Validator name(
      [](const std::string& text) {
        const auto good = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; };
        if (!text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), good)) return std::string();
        return absl::StrCat("\"", text, "\" is no name: 1 to 100 letters, digits, '_' and '-'");
      },
      "NAME");
  CLI::App app("A publish-subscribe broker");
  app.require_subcommand(1);
  std::string coord, broker_name, data, new_topic, topic;
  std::string producer = absl::StrCat("p", std::random_device()());
  ConsumeOptions consumption{.name = absl::StrCat("c", std::random_device()())};
  std::uint32_t partitions = 4, timeout_ms = 6000, patience_s = 30;
  app.add_option("--coord", coord, "Coordination nodes: host:port,...")->envname("DROVER_COORD")->required();
  app.add_option("--session-timeout-ms", timeout_ms, "So long after it has fallen silent another one takes its place")
      ->check(CLI::Range(500, 300'000))
      ->capture_default_str();
  app.add_option("--patience-s", patience_s, "How long to wait for the core, and for a broker")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  auto* broker = app.add_subcommand("broker", "Runs a broker, until it is stopped");
  broker->add_option("NAME", broker_name, "Of the broker, unique")->required()->check(name);
  broker->add_option("--data", data, "Where the messages are: the same directory for all brokers")->required();
  auto* topics = app.add_subcommand("topics", "Shows what there is, or makes a topic");
  topics->add_option("--create", new_topic)->check(name);
  topics->add_option("--partitions", partitions, "Of the new one")->check(CLI::Range(1, 1000))->capture_default_str();
  auto* produce = app.add_subcommand("produce", "Stores each line of its input as a message");
  produce->add_option("TOPIC", topic)->required()->check(name);
  produce->add_option("--producer", producer, "Who sends it: the same input can be sent again under the same name")->check(name);
  auto* consume = app.add_subcommand("consume", "Prints messages: PARTITION POSITION PRODUCER SEQUENCE TEXT");
  consume->add_option("TOPIC", consumption.topic)->required()->check(name);
  consume->add_option("--group", consumption.group, "Who consume it together, each message once")->required()->check(name);
  consume->add_flag("--until-end", consumption.until_end, "Ends when the group has consumed all that there is");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  }

  sigset_t stop;  // blocked before there are other threads
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  if (*broker || *consume) pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  const std::chrono::seconds patience(patience_s);
  auto core = BlockingClient::Connect(
      {.session = {.endpoints = absl::StrSplit(coord, ','), .timeout = std::chrono::milliseconds(timeout_ms), .name = "broker"},
       .call_timeout = patience});
  if (!core.ok()) return Exit(absl::StrCat("no session with ", coord), core.status());
  if (*broker) {
    std::error_code error;
    std::filesystem::create_directories(data, error);
    if (error) return Exit(data, absl::InternalError(error.message()));
    return Exit("this broker owns nothing any more, start it again", RunBroker(**core, broker_name, data, stop));
  }
  if (!new_topic.empty()) return Exit(new_topic, CreateTopic(**core, new_topic, partitions));
  BrokerCalls brokers(core->get(), patience);
  if (*topics) return Exit("topics", ShowTopics(**core, brokers));
  if (*produce) return Exit("produce", Produce(**core, brokers, topic, producer));
  return Exit("consume", RunConsumer(**core, brokers, consumption, stop));
}
