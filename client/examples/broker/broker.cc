#include "client/examples/broker/broker.h"

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/examples/broker/broker_calls.h"
#include "client/examples/broker/partition_log.h"
#include "client/examples/program/command_line.h"
#include "client/examples/rpc/rpc.h"
#include "drover/recipes/service.h"
#include "drover/recipes/shard_map.h"

namespace drover::examples::broker {
namespace {

// A partition belongs to a slot by its name, for ever; so the tokens of successive owners of a partition grow.
constexpr std::uint32_t kSlots = 16;
constexpr std::size_t kTextMax = 64 << 10;
constexpr std::uint64_t kReadMax = 100;
constexpr base::Duration kLook = std::chrono::milliseconds(100);

// The recipes live on the client's loop; calls are answered by threads of the server.
class Broker final : public recipes::ShardObserver, public recipes::MemberObserver {
 public:
  Broker(coord::BlockingClient* core, std::string name, std::string store)
      : core_(core), name_(std::move(name)), store_(std::move(store)) {}
  ~Broker() {
    server_ = nullptr;
    core_->OnLoop([this](coord::Session&) {
      here_ = nullptr;
      slots_ = nullptr;
      brokers_ = nullptr;
    });
  }

  absl::Status Start() {
    std::error_code error;
    std::filesystem::create_directories(store_, error);
    if (error) return absl::InternalError(absl::StrCat(store_, ": ", error.message()));
    core_->OnLoop([&](coord::Session& session) {
      brokers_ = std::make_unique<recipes::ServiceDirectory>(&session, kRoot, kBrokers, nullptr);
      recipes::ShardOptions options{.path = absl::StrCat(kRoot, "/slots"), .name = name_, .shards = kSlots};
      slots_ = std::make_unique<recipes::ShardMap>(session.loop(), &session, std::move(options), this);
    });
    auto server = Server::Start([this](const std::string& method, const Lines& arguments) { return Answer(method, arguments); });
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    core_->OnLoop([&](coord::Session& session) {
      const recipes::ServiceInstance instance{.id = name_, .address = server_->address()};
      here_ = std::make_unique<recipes::ServiceRegistration>(
          session.loop(), &session, recipes::ServiceOptions{.path = kRoot, .service = kBrokers}, instance, this);
    });
    std::cerr << name_ << " serves at " << server_->address() << "\n";
    return absl::OkStatus();
  }

  // Why this process must end: its session is over.
  absl::Status trouble() {
    absl::Status trouble;
    core_->OnLoop([&](coord::Session&) { trouble = trouble_; });
    return trouble;
  }

 private:
  // Nothing has to be read or opened: a log refuses whoever had the slot before as soon as this broker has appended to it.
  void OnAcquired(std::uint32_t slot, const recipes::LockGrant& grant) override {
    std::cerr << name_ << " owns slot " << slot << ", token " << grant.token << "\n";
  }
  void OnRevoked(std::uint32_t slot) override { slots_->Release(slot); }
  void OnLost(std::uint32_t slot, const absl::Status& why) override {
    std::cerr << name_ << " has lost slot " << slot << ": " << why.message() << "\n";
  }
  void OnShardsEnded(const absl::Status& why) override { trouble_ = why; }
  void OnRegistered(base::Zxid /*incarnation*/) override {}
  void OnNameTaken(const coord::Node& /*holder*/) override {
    std::cerr << "another broker has the name " << name_ << "; waiting for it to go\n";
  }
  void OnLost(const absl::Status& why) override { trouble_ = why; }

  // Who serves a partition: this broker, with a token, or whoever has that address; empty: nobody at the moment.
  struct Owner {
    std::optional<std::uint64_t> token;
    std::string address;
  };
  Owner OwnerOf(const std::string& partition) {
    Owner owner;
    core_->OnLoop([&](coord::Session&) {
      const std::uint32_t slot = slots_->ShardOf(partition);
      const auto mine = slots_->owned().find(slot);
      if (mine != slots_->owned().end()) owner.token = mine->second.token.value;
      for (const recipes::ServiceInstance& broker : brokers_->instances()) {
        if (broker.id == slots_->OwnerOf(slot)) owner.address = broker.address;
      }
    });
    return owner;
  }

  absl::StatusOr<PartitionLog*> LogOf(const std::string& topic, const std::string& partition) {
    const std::string name = absl::StrCat(topic, "-", partition);
    {
      const std::lock_guard<std::mutex> lock(mu_);
      if (const auto log = logs_.find(name); log != logs_.end()) return log->second.get();
    }
    const auto partitions = PartitionsOf(core_, topic);
    if (!partitions.ok()) return partitions.status();
    std::uint32_t number = 0;
    if (!absl::SimpleAtoi(partition, &number) || number >= *partitions || absl::StrCat(number) != partition) {
      return absl::NotFoundError(absl::StrCat("topic ", topic, " has no partition ", partition));
    }
    auto opened = PartitionLog::Open(absl::StrCat(store_, "/", name, ".log"));
    if (!opened.ok()) return opened.status();
    const std::lock_guard<std::mutex> lock(mu_);
    return logs_.emplace(name, *std::move(opened)).first->second.get();  // another call may have been faster
  }

  // "ok", then the answer; or "moved" and where to.
  absl::StatusOr<Lines> Answer(const std::string& method, const Lines& arguments) {
    if (arguments.size() < 3) return absl::InvalidArgumentError("too few arguments");
    const Owner owner = OwnerOf(absl::StrCat(arguments[0], "-", arguments[1]));
    if (!owner.token) return Lines{"moved", owner.address};
    const absl::StatusOr<PartitionLog*> log = LogOf(arguments[0], arguments[1]);
    if (!log.ok()) return log.status();
    std::uint64_t number = 0;
    if (method == "append" && arguments.size() == 5 && absl::SimpleAtoi(arguments[3], &number)) {
      const std::string &producer = arguments[2], &text = arguments[4];
      if (text.size() > kTextMax) return absl::InvalidArgumentError(absl::StrCat("a message has at most ", kTextMax, " bytes"));
      if (producer.find_first_of(" \n") != std::string::npos || text.find('\n') != std::string::npos) {
        return absl::InvalidArgumentError("a message is one line, and the name of a producer one word");
      }
      const absl::Status appended = (*log)->Append(*owner.token, producer, number, text);
      if (absl::IsAborted(appended)) return Lines{"moved", ""};  // another one owns it, which this broker has yet to hear
      if (!appended.ok()) return appended;
      return Lines{"ok"};
    }
    if (method == "summarize") {
      const auto summary = (*log)->Summarize(arguments[2]);
      if (!summary.ok()) return summary.status();
      return Lines{"ok", absl::StrCat(summary->end), absl::StrCat(summary->last)};
    }
    if (method == "read" && absl::SimpleAtoi(arguments[2], &number)) {
      auto records = (*log)->Read(number, kReadMax);
      if (records.ok()) records->insert(records->begin(), "ok");
      return records;
    }
    return absl::InvalidArgumentError(absl::StrCat("no call of this kind: ", method));
  }

  coord::BlockingClient* const core_;
  const std::string name_;
  const std::string store_;
  std::mutex mu_;                                              // of the next one
  std::map<std::string, std::unique_ptr<PartitionLog>> logs_;  // by partition, as far as they were asked for
  // The loop's.
  absl::Status trouble_;
  std::unique_ptr<recipes::ServiceDirectory> brokers_;
  std::unique_ptr<recipes::ShardMap> slots_;
  std::unique_ptr<recipes::ServiceRegistration> here_;

  std::unique_ptr<Server> server_;
};

}  // namespace

absl::Status RunBroker(const coord::BlockingOptions& options, const std::string& name, const std::string& store, Stop* stop) {
  const auto core = ConnectToCore(options);
  if (!core.ok()) return core.status();
  Broker broker(core->get(), name, store);
  if (absl::Status started = broker.Start(); !started.ok()) return started;
  while (!stop->AskedWithin(kLook)) {
    if (const absl::Status why = broker.trouble(); !why.ok()) {
      return absl::Status(why.code(), absl::StrCat(name, " owns nothing any more, start it again: ", why.message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace drover::examples::broker
