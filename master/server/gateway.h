// TaskService on the wire: decodes a call and gives it to the elected master's TaskService here, or hands its bytes on to the
// elected master elsewhere and its answers back. A call that was handed on once is never handed on again.
//
// Threads: the loop's. Destroy it after the server was shut down and before the server.
#ifndef DROVER_MASTER_SERVER_GATEWAY_H_
#define DROVER_MASTER_SERVER_GATEWAY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "coord/base/random.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_server.h"
#include "coord/transport/unary_client.h"
#include "master/pool/pool_store.h"
#include "master/server/forward_stream.h"
#include "master/server/master.h"
#include "master/server/output_stream.h"
#include "master/server/task_service.h"
#include "master/server/upload.h"
#include "master/server/watch_stream.h"

namespace drover::master::server {

inline constexpr char kTaskServiceName[] = "drover.task.v1.TaskService";

class Gateway {
 public:
  Gateway(transport::CqLoop* loop, Master* master, pool::PoolStore* store, base::Random* random, TaskServiceOptions options = {});
  ~Gateway();

  // Before the server starts.
  void Register(transport::Server* server);
  // The candidates changed: streams that were handed on to a master that leads no more end with UNAVAILABLE. One whose host was cut
  // off would never say so itself.
  void MastersChanged();

 private:
  // Where a call goes: here (empty), to an address, or nowhere.
  [[nodiscard]] absl::StatusOr<std::string> Route(const transport::CallInfo& info) const;
  void Forward(const std::string& address, base::Bytes request, const transport::CallInfo& info, transport::UnaryReply reply);
  template <typename Request, typename Response, typename Call>
  void Unary(transport::Server* server, const char* method, Call call);
  template <typename Make>
  void Streaming(transport::Server* server, const char* method, Make make);

  transport::CqLoop* const loop_;
  Master* const master_;
  pool::PoolStore* const store_;
  base::Random* const random_;
  TaskService service_;
  transport::UnaryClient client_;
  UploadBudget budget_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, std::unique_ptr<transport::PendingCall>> calls_;
  std::map<std::uint64_t, std::unique_ptr<WatchStream>> watches_;
  std::map<std::uint64_t, std::unique_ptr<OutputStream>> outputs_;
  std::map<std::uint64_t, std::unique_ptr<ForwardStream>> forwards_;
  std::map<std::uint64_t, std::unique_ptr<Upload>> uploads_;
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_GATEWAY_H_
