#include "client/examples/broker/broker_calls.h"

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/examples/program/command_line.h"
#include "drover/coord/status.h"

namespace drover::examples::broker {
namespace {

// One attempt of a call: a broker may stand still, and another one have its slots.
constexpr base::Duration kAttempt = std::chrono::seconds(3);

}  // namespace

absl::StatusOr<std::uint32_t> PartitionsOf(coord::BlockingClient* core, const std::string& topic) {
  const auto got = core->Get(absl::StrCat(kTopics, "/", topic));
  if (coord::IsNoNode(got.status())) return absl::NotFoundError(absl::StrCat("there is no topic ", topic));
  if (!got.ok()) return got.status();
  std::uint32_t partitions = 0;
  if (!absl::SimpleAtoi(got->node.data, &partitions)) return absl::DataLossError(absl::StrCat(got->node.path, " holds no number"));
  return partitions;
}

BrokerCalls::BrokerCalls(coord::BlockingClient* core, base::Duration timeout) : core_(core), timeout_(timeout) {
  core_->OnLoop([this](coord::Session& session) {
    brokers_ = std::make_unique<recipes::ServiceDirectory>(&session, kRoot, kBrokers, nullptr);
  });
}
BrokerCalls::~BrokerCalls() {
  core_->OnLoop([this](coord::Session&) { brokers_ = nullptr; });
}

absl::StatusOr<Lines> BrokerCalls::AskOne(std::string* owner, const std::string& method, const Lines& arguments) {
  if (owner->empty()) {
    core_->OnLoop([&](coord::Session&) {
      if (const std::optional<recipes::ServiceInstance> any = brokers_->PickNext()) *owner = any->address;
    });
  }
  if (owner->empty()) return absl::UnavailableError("there is none");
  absl::StatusOr<Lines> answer = examples::Call(*owner, method, arguments, kAttempt);
  if (answer.ok() && !answer->empty() && answer->front() == "ok") {
    answer->erase(answer->begin());
    return answer;
  }
  const std::string asked = std::exchange(*owner, answer.ok() && answer->size() == 2 ? answer->back() : "");
  if (answer.ok()) return absl::UnavailableError(absl::StrCat(asked, " does not own it"));
  return absl::Status(answer.status().code(), absl::StrCat(asked, ": ", answer.status().message()));
}

absl::StatusOr<Lines> BrokerCalls::Call(const std::string& topic, std::uint32_t partition, const std::string& method,
                                        Lines arguments) {
  arguments.insert(arguments.begin(), {topic, absl::StrCat(partition)});
  std::string& owner = owners_[{topic, partition}];
  absl::StatusOr<Lines> answer;
  const absl::Status asked = TryUntil(timeout_, [&] {
    answer = AskOne(&owner, method, arguments);
    // Who was named instead is asked at once.
    if (!answer.ok() && !owner.empty()) answer = AskOne(&owner, method, arguments);
    return answer.status();
  });
  if (absl::IsUnavailable(asked) || absl::IsDeadlineExceeded(asked)) {
    return absl::UnavailableError(absl::StrCat("no broker serves partition ", partition, " of ", topic, ": ", asked.message()));
  }
  return answer;
}

}  // namespace drover::examples::broker
