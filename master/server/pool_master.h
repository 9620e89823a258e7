// All that a drover-master has of one pool: its master, the pool's store and what tends it, its metrics.
//
// Threads: the loop's.
#ifndef DROVER_MASTER_SERVER_POOL_MASTER_H_
#define DROVER_MASTER_SERVER_POOL_MASTER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/base/loop.h"
#include "coord/base/random.h"
#include "coord/process/metrics.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "master/pool/pool_store.h"
#include "master/server/gateway.h"
#include "master/server/master.h"
#include "master/server/master_metrics.h"
#include "master/server/object_remover.h"
#include "master/server/orphan_sweeper.h"

namespace drover::master::server {

class PoolMaster {
 public:
  struct Seams {
    transport::CqLoop* loop = nullptr;
    transport::GrpcDialer* dialer = nullptr;  // to the core
    base::Executor* disk = nullptr;
    base::Random* random = nullptr;
    process::Metrics* metrics = nullptr;
    // Role, readiness or candidates changed.
    std::function<void()> changed;
    // The process cannot go on: the store is another one than the pool's.
    std::function<void(const absl::Status&)> failed;
  };
  // `store_url` empty: the one that the pool has, if it has one. The seams must outlive it.
  PoolMaster(const Seams& seams, MasterOptions options, const std::string& store_url, const UploadAges& uploads);

  // Before: the master's address is known.
  void Start();

  [[nodiscard]] const std::string& pool() const { return pool_; }
  [[nodiscard]] Master& master() { return *master_; }
  [[nodiscard]] PoolParts parts() { return {pool_, master_.get(), &store_}; }
  // Copies what it shows into the gauges.
  void ShowMetrics() { metrics_.Show(*master_); }

 private:
  Master::Hooks HooksOf();
  void OpenStore();

  const Seams seams_;
  const std::string pool_;
  MasterMetrics metrics_;
  pool::PoolStore store_;
  ObjectRemover remover_;
  bool store_asked_ = false;
  std::unique_ptr<Master> master_;
  OrphanSweeper sweeper_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_POOL_MASTER_H_
