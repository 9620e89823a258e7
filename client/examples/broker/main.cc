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

constexpr int kFailed = 1, kUsage = 2;

int Fail(const std::string& what, const absl::Status& why) {
  std::cerr << what << ": " << (drover::coord::IsOutcomeUnknown(why) ? "it may or may not have been done: " : "") << why.message()
            << std::endl;
  return kFailed;
}

struct Flags {
  std::string name, data, topic, create, group, producer;
  std::uint32_t partitions = 4, timeout_ms = 6000, patience_s = 30;
  bool until_end = false;
};

// Whether SIGTERM or SIGINT, which are blocked, came within a while.
bool ToldToStop(const sigset_t& stop, std::chrono::milliseconds within) {
  const timespec wait{0, std::chrono::nanoseconds(within).count()};
  return sigtimedwait(&stop, nullptr, &wait) >= 0;
}

int RunBroker(BlockingClient& core, const Flags& flags, const sigset_t& stop) {
  std::error_code error;
  std::filesystem::create_directories(flags.data, error);
  if (error) return Fail(flags.data, absl::InternalError(error.message()));
  const auto broker = Broker::Start(&core, flags.name, flags.data);
  if (!broker.ok()) return Fail("broker", broker.status());
  std::cout << "broker " << flags.name << " serves on " << (*broker)->address() << std::endl;
  while (!ToldToStop(stop, std::chrono::milliseconds(100))) {
    if (const absl::Status why = (*broker)->trouble(); !why.ok())
      return Fail("this broker owns nothing any more, start it again", why);
  }
  return 0;
}

int Topics(BlockingClient& core, BrokerCalls& brokers, const Flags& flags) {
  if (!flags.create.empty()) {
    const auto created = core.Create(absl::StrCat(kTopics, "/", flags.create), absl::StrCat(flags.partitions), {.parents = true});
    if (drover::coord::IsNodeExists(created.status())) {
      return Fail(flags.create, absl::AlreadyExistsError("there is a topic of this name already"));
    }
    return created.ok() ? 0 : Fail(flags.create, created.status());
  }
  const auto topics = core.Children(kTopics);
  if (drover::coord::IsNoNode(topics.status())) return 0;
  if (!topics.ok()) return Fail("topics", topics.status());
  for (const std::string& topic : *topics) {
    const auto partitions = PartitionsOf(core, topic);
    if (!partitions.ok()) return Fail(topic, partitions.status());
    for (std::uint32_t partition = 0; partition < *partitions; ++partition) {
      const auto end = brokers.Call(topic, partition, "end");
      if (!end.ok()) return Fail(topic, end.status());
      std::cout << topic << " partition " << partition << " messages " << end->front() << " at "
                << brokers.OwnerOf(topic, partition) << std::endl;
    }
  }
  return 0;
}

// Line n of the input is message n of its producer: its sequence number, by which a broker knows it again. So the same input can
// be sent once more by a producer of the same name, and what is stored already is not stored twice.
int Produce(BlockingClient& core, BrokerCalls& brokers, const Flags& flags) {
  const auto partitions = PartitionsOf(core, flags.topic);
  if (!partitions.ok()) return Fail("produce", partitions.status());
  std::vector<std::uint64_t> last(*partitions);
  for (std::uint32_t partition = 0; partition < *partitions; ++partition) {
    const auto answer = brokers.Call(flags.topic, partition, "last", {flags.producer});
    if (!answer.ok()) return Fail("produce", answer.status());
    if (!absl::SimpleAtoi(answer->front(), &last[partition])) return Fail("produce", absl::InternalError("no number"));
  }
  std::uint64_t sequence = 0;
  for (std::string text; std::getline(std::cin, text);) {
    ++sequence;
    const auto partition = static_cast<std::uint32_t>((sequence - 1) % *partitions);
    if (sequence > last[partition]) {
      const auto stored = brokers.Call(flags.topic, partition, "append", {flags.producer, absl::StrCat(sequence), text});
      if (!stored.ok()) return Fail(absl::StrCat("message ", sequence), stored.status());
    }
    std::cout << "stored " << flags.producer << " " << sequence << " in partition " << partition << std::endl;
  }
  return 0;
}

int Consume(BlockingClient& core, BrokerCalls& brokers, const Flags& flags, const sigset_t& stop) {
  const auto partitions = PartitionsOf(core, flags.topic);
  if (!partitions.ok()) return Fail("consume", partitions.status());
  Consumer consumer(&core, &brokers, flags.topic, *partitions, flags.group, flags.name);
  while (!ToldToStop(stop, std::chrono::milliseconds(20))) {
    const auto printed = consumer.Round();
    if (!printed.ok()) return Fail("consume", printed.status());
    if (*printed > 0 || !flags.until_end) continue;
    const auto at_end = consumer.AtEnd();
    if (!at_end.ok()) return Fail("consume", at_end.status());
    if (*at_end) return 0;
  }
  return 0;
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
  Flags flags;
  flags.name = flags.producer = absl::StrCat("p", std::random_device()());  // but for a broker, whose name is given
  std::string coord;
  app.add_option("--coord", coord, "Coordination nodes: host:port,...")->envname("DROVER_COORD")->required();
  app.add_option("--session-timeout-ms", flags.timeout_ms, "So long after it has fallen silent another one takes its place")
      ->check(CLI::Range(500, 300'000))
      ->capture_default_str();
  app.add_option("--patience-s", flags.patience_s, "How long to wait for the core, and for a broker")->capture_default_str();
  auto* broker = app.add_subcommand("broker", "Runs a broker, until it is stopped");
  broker->add_option("NAME", flags.name, "Of the broker, unique")->required()->check(name);
  broker->add_option("--data", flags.data, "Where the messages are: the same directory for all brokers")->required();
  auto* topics = app.add_subcommand("topics", "Shows what there is, or makes a topic");
  topics->add_option("--create", flags.create)->check(name);
  topics->add_option("--partitions", flags.partitions, "Of the new one")->check(CLI::Range(1, 1000))->capture_default_str();
  auto* produce = app.add_subcommand("produce", "Stores each line of its input as a message");
  produce->add_option("TOPIC", flags.topic)->required()->check(name);
  produce->add_option("--producer", flags.producer, "Who sends it: the same input can be sent again under the same name")
      ->check(name);
  auto* consume = app.add_subcommand("consume", "Prints messages: PARTITION POSITION PRODUCER SEQUENCE TEXT");
  consume->add_option("TOPIC", flags.topic)->required()->check(name);
  consume->add_option("--group", flags.group, "Who consume it together, each message once")->required()->check(name);
  consume->add_flag("--until-end", flags.until_end, "Ends when the group has consumed all that there is");
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

  const std::chrono::seconds patience(flags.patience_s);
  auto core = BlockingClient::Connect({.session = {.endpoints = absl::StrSplit(coord, ','),
                                                   .timeout = std::chrono::milliseconds(flags.timeout_ms),
                                                   .name = "broker"},
                                       .call_timeout = patience});
  if (!core.ok()) return Fail(absl::StrCat("no session with ", coord), core.status());
  if (*broker) return RunBroker(**core, flags, stop);
  BrokerCalls brokers(core->get(), patience);
  if (*topics) return Topics(**core, brokers, flags);
  if (*produce) return Produce(**core, brokers, flags);
  return Consume(**core, brokers, flags, stop);
}
