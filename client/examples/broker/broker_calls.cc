#include "client/examples/broker/broker_calls.h"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "drover/coord/status.h"

namespace drover::examples {
namespace {

constexpr std::chrono::milliseconds kPause{50};
constexpr std::chrono::seconds kCallTimeout{3};  // a broker may stand still, and another one have its slots

}  // namespace

absl::StatusOr<std::uint32_t> PartitionsOf(coord::BlockingClient& core, const std::string& topic) {
  const auto got = core.Get(absl::StrCat(kTopics, "/", topic));
  if (coord::IsNoNode(got.status())) return absl::NotFoundError(absl::StrCat("there is no topic ", topic));
  if (!got.ok()) return got.status();
  std::uint32_t partitions = 0;
  if (!absl::SimpleAtoi(got->node.data, &partitions)) return absl::DataLossError(absl::StrCat(got->node.path, " holds no number"));
  return partitions;
}

BrokerCalls::BrokerCalls(coord::BlockingClient* core, base::Duration patience) : core_(core), patience_(patience) {
  core_->OnLoop([this](coord::Session& session) {
    brokers_ = std::make_unique<recipes::ServiceDirectory>(&session, kRoot, kBrokers, nullptr);
  });
}
BrokerCalls::~BrokerCalls() {
  core_->OnLoop([this](coord::Session&) { brokers_ = nullptr; });
}

absl::StatusOr<Lines> BrokerCalls::Call(const std::string& topic, std::uint32_t partition, const std::string& method,
                                        Lines arguments) {
  arguments.insert(arguments.begin(), {topic, absl::StrCat(partition)});
  std::string& owner = owners_[{topic, partition}];
  std::string why = "there is none";
  const auto until = std::chrono::steady_clock::now() + patience_;
  while (std::chrono::steady_clock::now() < until) {
    if (owner.empty()) {
      core_->OnLoop([&](coord::Session&) {
        const std::optional<recipes::ServiceInstance> any = brokers_->PickNext();
        if (any) owner = any->address;
      });
    }
    if (!owner.empty()) {
      absl::StatusOr<Lines> answer = examples::Call(owner, method, arguments, kCallTimeout);
      if (answer.ok() && !answer->empty() && answer->front() == "ok") {
        answer->erase(answer->begin());
        return answer;
      }
      if (answer.ok()) {
        why = absl::StrCat(owner, " does not own it");
        owner = answer->size() == 2 ? (*answer)[1] : "";
        if (!owner.empty()) continue;
      } else if (absl::IsUnavailable(answer.status()) || absl::IsDeadlineExceeded(answer.status())) {
        why = absl::StrCat(owner, ": ", answer.status().message());
        owner.clear();
      } else {
        return answer.status();
      }
    }
    std::this_thread::sleep_for(kPause);
  }
  return absl::UnavailableError(absl::StrCat("no broker serves partition ", partition, " of ", topic, ": ", why));
}

}  // namespace drover::examples
