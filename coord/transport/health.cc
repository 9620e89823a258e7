#include "coord/transport/health.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "coord/base/wire.h"

namespace drover::transport {
namespace {

// grpc.health.v1.HealthCheckResponse.ServingStatus
constexpr std::uint64_t kServing = 1;
constexpr std::uint64_t kNotServing = 2;
constexpr std::uint64_t kServiceUnknown = 3;  // in watches only

absl::StatusOr<std::string> RequestedService(const base::Bytes& request) {
  std::string service;
  base::WireReader in(request.view());
  while (in.Next()) {
    if (in.Is(1, base::WireType::kBytes)) service = std::string(in.bytes());
  }
  if (!in.ok()) return absl::InvalidArgumentError("not a HealthCheckRequest");
  return service;
}

base::Bytes Response(std::uint64_t status) {
  std::string out;
  base::WireWriter(&out).Varint(1, status);
  return base::Bytes::Adopt(std::move(out));
}

}  // namespace

class HealthService::Watch final : public base::ConnectionEvents {
 public:
  Watch(HealthService* health, std::string service, std::unique_ptr<base::Connection> connection)
      : health_(health), service_(std::move(service)), connection_(std::move(connection)) {}

  void Tell() {
    const std::optional<bool> serving = health_->Find(service_);
    const std::uint64_t status = !serving.has_value() ? kServiceUnknown : *serving ? kServing : kNotServing;
    if (status == told_) return;
    told_ = status;
    connection_->Send(Response(status));
  }
  void Close() { connection_->Close(absl::CancelledError("this server stops")); }

  void OnFrame(base::Bytes /*frame*/) override {}
  void OnClosed(base::CloseCause /*cause*/, const absl::Status& /*status*/) override { health_->watches_.erase(this); }

 private:
  HealthService* const health_;
  const std::string service_;
  std::uint64_t told_ = 0;
  std::unique_ptr<base::Connection> connection_;
};

HealthService::HealthService() = default;
HealthService::~HealthService() = default;

std::optional<bool> HealthService::Find(const std::string& service) const {
  const auto found = serving_.find(service);
  if (found == serving_.end()) return std::nullopt;
  return found->second && !down_;
}

void HealthService::Register(Server* server) {
  server->RegisterUnary("/grpc.health.v1.Health/Check", [this](base::Bytes request, const CallInfo&, UnaryReply reply) {
    const absl::StatusOr<std::string> service = RequestedService(request);
    if (!service.ok()) return reply(service.status());
    const std::optional<bool> serving = Find(*service);
    if (!serving.has_value()) return reply(absl::NotFoundError(absl::StrCat("no service ", *service, " here")));
    reply(Response(*serving ? kServing : kNotServing));
  });
  server->RegisterServerStream(
      "/grpc.health.v1.Health/Watch",
      [this](base::Bytes request, std::unique_ptr<base::Connection> connection, const CallInfo&) -> base::ConnectionEvents* {
        const absl::StatusOr<std::string> service = RequestedService(request);
        if (!service.ok()) {
          connection->Close(service.status());
          return nullptr;
        }
        auto watch = std::make_unique<Watch>(this, *service, std::move(connection));
        Watch* const events = watch.get();
        watches_[events] = std::move(watch);
        events->Tell();
        return events;
      });
}

void HealthService::Set(const std::string& service, bool serving) {
  serving_[service] = serving;
  for (const auto& [watch, owned] : watches_) watch->Tell();
}

void HealthService::SetAllDown() {
  down_ = true;
  for (const auto& [watch, owned] : watches_) watch->Tell();
}

void HealthService::CloseWatches() {
  for (const auto& [watch, owned] : watches_) watch->Close();
}

}  // namespace drover::transport
