// grpc.reflection.v1alpha.ServerReflection on the loop, over the descriptors compiled into this program. For this folder's .cc
// files only.
#ifndef DROVER_COORD_TRANSPORT_REFLECTION_H_
#define DROVER_COORD_TRANSPORT_REFLECTION_H_

#include <map>
#include <memory>
#include <set>
#include <string>

#include "coord/transport/grpc_server.h"

namespace drover::transport {

class ReflectionService {
 public:
  ReflectionService();
  ~ReflectionService();
  void Register(Server* server);
  // A service to list: "drover.coord.v1.Coordination".
  void AddService(const std::string& service) { services_.insert(service); }
  // Ends the streams under way; clients keep them for as long as they like.
  void CloseStreams();

 private:
  class Stream;

  // The ServerReflectionResponse to a ServerReflectionRequest.
  [[nodiscard]] base::Bytes Answer(const base::Bytes& request) const;

  std::set<std::string> services_;
  std::map<Stream*, std::unique_ptr<Stream>> streams_;
};

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_REFLECTION_H_
