// One Upload call: takes an object in chunks, puts it into the pool's store under a name of its own, answers with its reference.
// Every master can: nothing is decided. Threads: the loop's.
#ifndef DROVER_MASTER_SERVER_UPLOAD_H_
#define DROVER_MASTER_SERVER_UPLOAD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "coord/base/bytes.h"
#include "coord/base/loop.h"
#include "coord/transport/grpc_server.h"
#include "drover/task/v1/task.pb.h"
#include "master/pool/pool_store.h"

namespace drover::master::server {

// Memory that all uploads under way take together.
struct UploadBudget {
  std::uint64_t bytes_max = std::uint64_t{256} << 20;
  std::uint64_t bytes = 0;
};

struct UploadOptions {
  // From one message of the client to the next; longer ends the upload with DEADLINE_EXCEEDED, because it holds memory meanwhile.
  base::Duration stalled_after = std::chrono::seconds(30);
};

class Upload {
 public:
  // `on_done` is posted once it was answered or its client has gone; it may be destroyed then.
  Upload(base::Loop* loop, pool::PoolStore* store, UploadBudget* budget, std::uint64_t number,
         std::unique_ptr<transport::ClientStream> stream, std::function<void()> on_done, UploadOptions options = {});
  ~Upload();

 private:
  void ReadNext();
  void OnMessage(const base::Bytes& bytes);
  void Put();
  void Answer(absl::StatusOr<base::Bytes> answer);

  base::Loop* const loop_;
  pool::PoolStore* const store_;
  UploadBudget* const budget_;
  const std::uint64_t number_;
  std::unique_ptr<transport::ClientStream> stream_;
  const std::function<void()> on_done_;
  const UploadOptions options_;
  base::Timer stalled_;
  std::string task_;
  std::uint64_t size_ = 0;
  std::uint64_t reserved_ = 0;
  std::string data_;
  bool has_header_ = false;
  bool done_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_UPLOAD_H_
