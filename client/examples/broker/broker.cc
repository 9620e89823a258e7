#include "client/examples/broker/broker.h"

#include <future>
#include <iostream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "drover/coord/status.h"

namespace drover::examples {

absl::StatusOr<std::uint32_t> PartitionsOf(coord::BlockingClient& core, const std::string& topic) {
  const auto got = core.Get(absl::StrCat(kTopics, "/", topic));
  if (coord::IsNoNode(got.status())) return absl::NotFoundError(absl::StrCat("there is no topic ", topic));
  if (!got.ok()) return got.status();
  std::uint32_t partitions = 0;
  if (!absl::SimpleAtoi(got->node.data, &partitions)) return absl::DataLossError(absl::StrCat(got->node.path, " holds no number"));
  return partitions;
}

absl::StatusOr<std::unique_ptr<Broker>> Broker::Start(coord::BlockingClient* core, const std::string& name,
                                                      const std::string& directory) {
  std::unique_ptr<Broker> broker(new Broker(core, directory));
  Broker* const self = broker.get();
  core->OnLoop([&](coord::Session& session) {
    self->brokers_ = std::make_unique<recipes::ServiceDirectory>(&session, kRoot, kBrokers, nullptr);
    self->slots_ = std::make_unique<recipes::ShardMap>(
        session.loop(), &session, recipes::ShardOptions{.path = absl::StrCat(kRoot, "/slots"), .name = name, .shards = kSlots},
        self);
  });
  auto server = Server::Start(
      [self](const std::string& method, const std::vector<std::string>& arguments) { return self->Answer(method, arguments); });
  if (!server.ok()) return server.status();
  self->server_ = *std::move(server);
  core->OnLoop([&](coord::Session& session) {
    self->here_ = std::make_unique<recipes::ServiceRegistration>(
        session.loop(), &session, recipes::ServiceOptions{.path = kRoot, .service = kBrokers},
        recipes::ServiceInstance{.id = name, .address = self->address()}, self);
  });
  return broker;
}

Broker::~Broker() {
  const auto left = std::make_shared<std::promise<void>>();
  const bool alive = trouble().ok();
  core_->OnLoop([&](coord::Session&) { slots_->Leave([left](const absl::Status&) { left->set_value(); }); });
  if (alive) left->get_future().wait_for(std::chrono::seconds(5));
  server_.reset();
  core_->OnLoop([this](coord::Session&) {
    here_.reset();
    slots_.reset();
    brokers_.reset();
  });
}

absl::Status Broker::trouble() {
  absl::Status trouble;
  core_->OnLoop([&](coord::Session&) { trouble = trouble_; });
  return trouble;
}

// Nothing has to be read: the log is, when it is first asked for, and refuses whoever had the slot before from the first append on.
void Broker::OnAcquired(std::uint32_t slot, const recipes::LockGrant& grant) {
  std::cout << "owns slot " << slot << ", token " << grant.token.value << std::endl;
}
void Broker::OnLost(std::uint32_t slot, const absl::Status& why) {
  std::cout << "has lost slot " << slot << ": " << why.message() << std::endl;
}
void Broker::OnNameTaken(const coord::Node& /*holder*/) {
  std::cerr << "another broker has this name; waiting until it has gone" << std::endl;
}

Broker::Owner Broker::OwnerOf(const std::string& partition) {
  Owner owner;
  core_->OnLoop([&](coord::Session&) {
    const std::uint32_t slot = slots_->ShardOf(partition);
    if (const auto mine = slots_->owned().find(slot); mine != slots_->owned().end()) {
      owner.token = mine->second.token.value;
      return;
    }
    for (const recipes::ServiceInstance& broker : brokers_->instances()) {
      if (broker.id == slots_->OwnerOf(slot)) owner.address = broker.address;
    }
  });
  return owner;
}

absl::StatusOr<PartitionLog*> Broker::LogOf(const std::string& topic, const std::string& partition) {
  const std::string name = absl::StrCat(topic, "-", partition);
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (const auto log = logs_.find(name); log != logs_.end()) return log->second.get();
  }
  const auto partitions = PartitionsOf(*core_, topic);
  if (!partitions.ok()) return partitions.status();
  std::uint32_t number = 0;
  if (!absl::SimpleAtoi(partition, &number) || number >= *partitions || absl::StrCat(number) != partition) {
    return absl::NotFoundError(absl::StrCat("topic ", topic, " has no partition ", partition));
  }
  auto opened = PartitionLog::Open(absl::StrCat(directory_, "/", name, ".log"));
  if (!opened.ok()) return opened.status();
  const std::lock_guard<std::mutex> lock(mu_);
  return logs_.emplace(name, *std::move(opened)).first->second.get();  // another call may have been faster
}

absl::StatusOr<Lines> Broker::Answer(const std::string& method, const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) return absl::InvalidArgumentError("which partition?");
  const Owner owner = OwnerOf(absl::StrCat(arguments[0], "-", arguments[1]));
  if (!owner.token) return Lines{"moved", owner.address};
  const absl::StatusOr<PartitionLog*> log = LogOf(arguments[0], arguments[1]);
  if (!log.ok()) return log.status();

  std::uint64_t number = 0;
  if (method == "append" && arguments.size() == 5 && absl::SimpleAtoi(arguments[3], &number)) {
    const absl::Status appended = (*log)->Append(*owner.token, arguments[2], number, arguments[4]);
    if (absl::IsAborted(appended)) return Lines{"moved", ""};  // another one owns it, which this broker has yet to hear
    if (!appended.ok()) return appended;
    return Lines{"ok"};
  }
  if (method == "last" && arguments.size() == 3) {
    const auto last = (*log)->LastOf(arguments[2]);
    if (!last.ok()) return last.status();
    return Lines{"ok", absl::StrCat(*last)};
  }
  if (method == "end" && arguments.size() == 2) {
    const auto end = (*log)->End();
    if (!end.ok()) return end.status();
    return Lines{"ok", absl::StrCat(*end)};
  }
  if (method == "read" && arguments.size() == 3 && absl::SimpleAtoi(arguments[2], &number)) {
    auto records = (*log)->Read(number, /*max=*/100);
    if (!records.ok()) return records.status();
    records->insert(records->begin(), "ok");
    return records;
  }
  return absl::InvalidArgumentError(absl::StrCat("no call of this kind: ", method));
}

}  // namespace drover::examples
