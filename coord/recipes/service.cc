#include "drover/recipes/service.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/recipes/rendezvous.h"

namespace drover::recipes {
namespace {

// Who may be picked, and how often.
std::uint64_t WeightOf(const ServiceInstance& instance) {
  return instance.healthy ? instance.weight : 0;
}

}  // namespace

std::string EncodeInstance(const ServiceInstance& instance) {
  nlohmann::ordered_json json = {{"address", instance.address}, {"weight", instance.weight}, {"healthy", instance.healthy}};
  json["tags"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : instance.tags) json["tags"][name] = value;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::optional<ServiceInstance> DecodeInstance(const std::string& id, absl::string_view data) {
  const nlohmann::json json = nlohmann::json::parse(data.begin(), data.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("address") || !json["address"].is_string()) return std::nullopt;
  ServiceInstance instance;
  instance.id = id;
  instance.address = json["address"];
  if (json.contains("weight") && json["weight"].is_number_unsigned()) {
    instance.weight = static_cast<std::uint32_t>(std::min(json["weight"].get<std::uint64_t>(), std::uint64_t{UINT32_MAX}));
  }
  if (json.contains("healthy") && json["healthy"].is_boolean()) instance.healthy = json["healthy"];
  if (json.contains("tags") && json["tags"].is_object()) {
    for (const auto& [name, value] : json["tags"].items()) {
      if (value.is_string()) instance.tags[name] = value;
    }
  }
  return instance;
}

ServiceRegistration::ServiceRegistration(base::Loop* loop, coord::Session* session, const ServiceOptions& options,
                                         ServiceInstance instance, MemberObserver* observer)
    : instance_(std::move(instance)),
      member_(std::make_unique<Member>(
          loop, session,
          MemberOptions{
              .path = absl::StrCat(options.path, "/", options.service), .name = instance_.id, .data = EncodeInstance(instance_)},
          observer)) {}
ServiceRegistration::~ServiceRegistration() = default;

void ServiceRegistration::Publish(coord::DoneCallback done) {
  member_->Update(EncodeInstance(instance_), std::move(done));
}
void ServiceRegistration::SetHealthy(bool healthy, coord::DoneCallback done) {
  instance_.healthy = healthy;
  Publish(std::move(done));
}
void ServiceRegistration::SetWeight(std::uint32_t weight, coord::DoneCallback done) {
  instance_.weight = weight;
  Publish(std::move(done));
}
void ServiceRegistration::Rejoin(coord::Session* session) {
  member_->Rejoin(session);
}
void ServiceRegistration::Leave(coord::DoneCallback done) {
  member_->Leave(std::move(done));
}

class ServiceDirectory::Impl final : private MemberListObserver {
 public:
  Impl(coord::Session* session, std::string path, ServiceDirectoryObserver* observer)
      : observer_(observer), list_(session, std::move(path), this) {}

  [[nodiscard]] const std::vector<ServiceInstance>& instances() const { return instances_; }
  [[nodiscard]] bool synced() const { return list_.synced(); }

  [[nodiscard]] std::optional<ServiceInstance> Pick(std::uint64_t random) const {
    std::uint64_t sum = 0;
    for (const ServiceInstance& instance : instances_) sum += WeightOf(instance);
    if (sum == 0) return std::nullopt;
    std::uint64_t at = random % sum;
    for (const ServiceInstance& instance : instances_) {
      if (at < WeightOf(instance)) return instance;
      at -= WeightOf(instance);
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<ServiceInstance> PickNext() { return Pick(next_++); }

  // With weights: the score becomes a number in (0, 1), of which the weight takes the root.
  [[nodiscard]] std::optional<ServiceInstance> PickFor(absl::string_view key) const {
    const ServiceInstance* best = nullptr;
    double best_score = 0;
    for (const ServiceInstance& instance : instances_) {
      if (WeightOf(instance) == 0) continue;
      const double unit = (static_cast<double>(RendezvousScore(key, instance.id) >> 11) + 0.5) / 9007199254740992.0;  // 2^53
      const double score = static_cast<double>(WeightOf(instance)) / -std::log(unit);
      if (best == nullptr || score > best_score) {
        best = &instance;
        best_score = score;
      }
    }
    return best == nullptr ? std::nullopt : std::optional(*best);
  }

 private:
  void OnListed() override { Renew(); }
  void OnJoined(const MemberInfo& /*member*/) override { Renew(); }
  void OnUpdated(const MemberInfo& /*member*/) override { Renew(); }
  void OnGone(const MemberInfo& /*member*/) override { Renew(); }
  void OnListEnded(const absl::Status& why) override {
    if (observer_ != nullptr) observer_->OnDirectoryEnded(why);
  }

  void Renew() {
    if (!list_.synced()) return;
    instances_.clear();
    for (const auto& [name, member] : list_.members()) {
      std::optional<ServiceInstance> instance = DecodeInstance(name, member.data);
      if (!instance) continue;
      instance->incarnation = member.incarnation;
      instances_.push_back(*std::move(instance));
    }
    if (observer_ != nullptr) observer_->OnInstances(instances_);
  }

  ServiceDirectoryObserver* const observer_;
  std::vector<ServiceInstance> instances_;
  std::uint64_t next_ = 0;
  MemberList list_;
};

ServiceDirectory::ServiceDirectory(coord::Session* session, const std::string& path, const std::string& service,
                                   ServiceDirectoryObserver* observer)
    : impl_(std::make_unique<Impl>(session, absl::StrCat(path, "/", service), observer)) {}
ServiceDirectory::~ServiceDirectory() = default;

const std::vector<ServiceInstance>& ServiceDirectory::instances() const {
  return impl_->instances();
}
bool ServiceDirectory::synced() const {
  return impl_->synced();
}
std::optional<ServiceInstance> ServiceDirectory::Pick(std::uint64_t random) const {
  return impl_->Pick(random);
}
std::optional<ServiceInstance> ServiceDirectory::PickNext() {
  return impl_->PickNext();
}
std::optional<ServiceInstance> ServiceDirectory::PickFor(absl::string_view key) const {
  return impl_->PickFor(key);
}

}  // namespace drover::recipes
