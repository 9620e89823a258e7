// The master of the storage cluster: the elected one of several makes tables and says which server has which region.
#ifndef DROVER_CLIENT_EXAMPLES_STORAGE_MASTER_H_
#define DROVER_CLIENT_EXAMPLES_STORAGE_MASTER_H_

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "client/examples/program/participant.h"
#include "client/examples/program/place.h"
#include "client/examples/rpc/rpc.h"
#include "drover/coord/blocking.h"
#include "drover/coord/session.h"
#include "drover/coord/subtree.h"
#include "drover/recipes/election.h"

namespace drover::examples::storage {

// Whether this process is the master, for the threads of its server, and with what it proves it.
class Office {
 public:
  struct Term {
    std::shared_ptr<coord::BlockingClient> core;
    coord::Compare guard;
  };
  void Enter(Term term);
  void Leave();
  [[nodiscard]] std::optional<Term> term();

 private:
  std::mutex mu_;
  std::optional<Term> term_;
};

// Answers "create ID TABLE [KEY]...", the keys being those with which the second region begins, the third, and so on.
// UNAVAILABLE: this is not the master.
[[nodiscard]] Handler MasterHandler(Office* office);

// One session's part in it. On the session's loop.
class Master final : public Participant, private recipes::ElectionObserver, private coord::SubtreeCache::Listener {
 public:
  Master(std::shared_ptr<coord::BlockingClient> core, coord::Session* session, const std::string& name, const std::string& address,
         Office* office);
  ~Master() override;
  void OnTick() override { Look(); }

 private:
  void OnElected(const recipes::Leadership& mine) override;
  void OnDeposed(const absl::Status& why) override;
  void OnCacheChanged(const coord::Event* event) override;
  void OnCacheProgress(coord::Zxid zxid) override;

  // If this is the master: gives regions without a living server one, and moves some where the spread is uneven.
  void Look();
  void Assign(const std::string& region, coord::Zxid seen, const Place& place);

  const std::shared_ptr<coord::BlockingClient> core_;
  coord::Session* const session_;
  const std::string name_;
  Office* const office_;
  std::set<std::string> assigning_;  // asked for, not yet answered
  coord::SubtreeCache tree_;
  recipes::Election election_;
};

}  // namespace drover::examples::storage

#endif  // DROVER_CLIENT_EXAMPLES_STORAGE_MASTER_H_
