// TaskService on the wire: decodes a call and gives it to the elected master's TaskService here, or hands its bytes on to the
// elected master elsewhere and its answers back. A call that was handed on once is never handed on again.
//
// A call says of which pool it is by metadata (records::kPoolKey); without it is of the first of the pools that this process stands
// for.
//
// Threads: the loop's. Destroy it after the server was shut down and before the server.
#ifndef DROVER_MASTER_SERVER_GATEWAY_H_
#define DROVER_MASTER_SERVER_GATEWAY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "coord/base/random.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_server.h"
#include "coord/transport/unary_client.h"
#include "master/pool/pool_store.h"
#include "master/server/bulk_submission.h"
#include "master/server/forward_stream.h"
#include "master/server/master.h"
#include "master/server/output_stream.h"
#include "master/server/task_service.h"
#include "master/server/upload.h"
#include "master/server/watch_stream.h"

namespace drover::master::server {

inline constexpr char kTaskServiceName[] = "drover.task.v1.TaskService";

// What this process has of one pool. All of it must outlive the gateway.
struct PoolParts {
  std::string name;
  Master* master = nullptr;
  pool::PoolStore* store = nullptr;
};

class Gateway {
 public:
  // At least one pool.
  Gateway(transport::CqLoop* loop, const std::vector<PoolParts>& pools, base::Random* random, TaskServiceOptions options = {});
  ~Gateway();

  // Before the server starts.
  void Register(transport::Server* server);
  // The candidates changed: streams that were handed on to a master that leads no more end with UNAVAILABLE. One whose host was cut
  // off would never say so itself.
  void MastersChanged();

 private:
  struct Pool {
    PoolParts parts;
    TaskService service;
  };
  struct Handed {
    const Pool* pool = nullptr;
    std::unique_ptr<ForwardStream> stream;
  };
  // NOT_FOUND: this process does not stand for the pool that the call names.
  [[nodiscard]] absl::StatusOr<Pool*> PoolOf(const transport::CallInfo& info);
  // Where a call goes: here (empty), to an address, or nowhere.
  [[nodiscard]] static absl::StatusOr<std::string> Route(const Pool& pool, const transport::CallInfo& info);
  void Forward(const std::string& address, base::Bytes request, const transport::CallInfo& info, transport::UnaryReply reply);
  // One batch of a SubmitMany: here, or at the elected master.
  void SubmitBatch(Pool* pool, const transport::CallInfo& info, base::Bytes request, Reply<task::v1::SubmitResponse> reply);
  template <typename Request, typename Response, typename Call>
  void Unary(transport::Server* server, const char* method, Call call);
  template <typename Make>
  void Streaming(transport::Server* server, const char* method, Make make);

  transport::CqLoop* const loop_;
  base::Random* const random_;
  std::vector<std::unique_ptr<Pool>> pools_;
  transport::UnaryClient client_;
  UploadBudget budget_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, std::unique_ptr<transport::PendingCall>> calls_;
  std::map<std::uint64_t, std::unique_ptr<WatchStream>> watches_;
  std::map<std::uint64_t, std::unique_ptr<OutputStream>> outputs_;
  std::map<std::uint64_t, Handed> forwards_;
  std::map<std::uint64_t, std::unique_ptr<Upload>> uploads_;
  std::map<std::uint64_t, std::unique_ptr<BulkSubmission>> bulks_;
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_GATEWAY_H_
