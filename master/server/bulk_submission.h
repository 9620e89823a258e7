// One SubmitMany call: batches come as fast as they are taken, and are answered together in the end.
//
// Some batches are on their way at a time, and the next is read when one is done: so a client is held back by what the core takes.
// What was FULL is sent again until its queue takes it, and holds the next back, too. A batch whose tasks depend on others waits
// for those before it.
//
// Threads: the loop's.
#ifndef DROVER_MASTER_SERVER_BULK_SUBMISSION_H_
#define DROVER_MASTER_SERVER_BULK_SUBMISSION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "coord/base/bytes.h"
#include "coord/base/loop.h"
#include "coord/transport/grpc_server.h"
#include "drover/task/v1/task.pb.h"
#include "master/server/task_service.h"

namespace drover::master::server {

struct BulkOptions {
  std::size_t batches_max = 4;  // on their way at a time
  std::size_t refused_max = 10'000;
};

class BulkSubmission {
 public:
  // Submits one encoded SubmitRequest, here or at the elected master.
  using SubmitBatch = std::function<void(base::Bytes request, Reply<task::v1::SubmitResponse> reply)>;

  // `on_done` is posted once it was answered or its client has gone; it may be destroyed then.
  BulkSubmission(base::Loop* loop, SubmitBatch submit, std::unique_ptr<transport::ClientStream> stream,
                 std::function<void()> on_done, BulkOptions options = {});
  ~BulkSubmission();

 private:
  struct Batch {
    explicit Batch(base::Loop* loop) : again(loop) {}
    task::v1::SubmitRequest request;
    base::Timer again;  // armed: some were FULL
  };

  void Proceed();
  void OnMessage(base::Bytes bytes);
  void Submit(std::uint64_t number, base::Bytes bytes);
  void OnAnswer(std::uint64_t number, const task::v1::SubmitResponse& response);
  void Answer(absl::StatusOr<base::Bytes> answer);

  base::Loop* const loop_;
  const SubmitBatch submit_;
  std::unique_ptr<transport::ClientStream> stream_;
  const std::function<void()> on_done_;
  const BulkOptions options_;
  std::map<std::uint64_t, std::unique_ptr<Batch>> batches_;  // on their way
  std::uint64_t last_ = 0;
  std::optional<base::Bytes> held_;  // until those before it are done
  bool reading_ = false;
  bool ended_ = false;  // the client has sent all
  bool done_ = false;
  task::v1::SubmitManyResponse response_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_BULK_SUBMISSION_H_
