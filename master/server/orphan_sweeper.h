// Removes uploads that no submission followed: objects below input/ that are old and that no record refers to.
//
// Only the elected master sweeps. A page of objects is listed, then the core is asked for everything committed so far, and only
// what no record of the view refers to even then is deleted: a master that was paused or deposed destroys nothing (upload_ages.h
// says why).
//
// Bounded: one page at a time; what fails is left for the next sweep. Threads: the loop's.
#ifndef DROVER_MASTER_SERVER_ORPHAN_SWEEPER_H_
#define DROVER_MASTER_SERVER_ORPHAN_SWEEPER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "coord/base/loop.h"
#include "master/pool/pool_store.h"
#include "master/server/master.h"
#include "master/server/upload_ages.h"

namespace drover::master::server {

class OrphanSweeper {
 public:
  // Sweeps from then on, 24 times within `ages.kept`.
  OrphanSweeper(base::Loop* loop, const Master* master, pool::PoolStore* store, UploadAges ages);
  ~OrphanSweeper() { *alive_ = false; }
  OrphanSweeper(const OrphanSweeper&) = delete;
  OrphanSweeper& operator=(const OrphanSweeper&) = delete;

  void Start() { Rest(); }

  // Objects removed by this process.
  [[nodiscard]] std::size_t removed() const { return removed_; }

 private:
  static constexpr std::size_t kPage = 1'000;

  void Rest();
  void Sweep(const std::string& after);
  void OnPage(const store::ListPage& page);
  void Judge(const std::vector<std::string>& old, const std::string& next);
  void GoOn(const std::string& next);
  [[nodiscard]] bool IsNeeded(const std::string& key) const;

  const Master* const master_;
  pool::PoolStore* const store_;
  const UploadAges ages_;
  std::size_t removed_ = 0;
  base::Timer timer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_ORPHAN_SWEEPER_H_
