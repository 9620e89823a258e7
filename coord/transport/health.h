// grpc.health.v1.Health on the loop. For this folder's .cc files only.
#ifndef DROVER_COORD_TRANSPORT_HEALTH_H_
#define DROVER_COORD_TRANSPORT_HEALTH_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "coord/transport/grpc_server.h"

namespace drover::transport {

class HealthService {
 public:
  HealthService();
  ~HealthService();
  void Register(Server* server);
  void Set(const std::string& service, bool serving);
  // Every service says NOT_SERVING from now on, whatever is set.
  void SetAllDown();
  // Ends the watches.
  void CloseWatches();

 private:
  class Watch;
  // None: unknown.
  [[nodiscard]] std::optional<bool> Find(const std::string& service) const;

  std::map<std::string, bool> serving_;
  std::map<Watch*, std::unique_ptr<Watch>> watches_;
  bool down_ = false;
};

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_HEALTH_H_
