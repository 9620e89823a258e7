// The reading of a subtree: a watch, then pages, merged into one sequence for a listener (drover/coord/subtree.h says how).
#ifndef DROVER_COORD_CLIENT_SUBTREE_FOLLOWER_H_
#define DROVER_COORD_CLIENT_SUBTREE_FOLLOWER_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "coord/base/loop.h"
#include "drover/coord/subtree.h"

namespace drover::coord::client {

class Follower final : public SubtreeFollower, private WatchListener {
 public:
  Follower(Session* session, SubtreeOptions options, SubtreeListener* listener);
  ~Follower() override;
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  [[nodiscard]] bool synced() const override { return synced_; }
  [[nodiscard]] Zxid zxid() const override { return synced_ ? zxid_ : Zxid(); }

 private:
  using Alive = std::shared_ptr<const bool>;

  void Begin(ResetCause cause);
  void AskForPage();
  void OnPage(std::uint64_t reading, absl::StatusOr<ListPage> page);
  void FinishIfComplete();

  void OnArmed(Zxid zxid) override;
  void OnEvent(const Event& event) override;
  void OnProgress(Zxid zxid) override;
  void OnCompacted() override;
  void OnEnded(const absl::Status& why) override;

  Session* const session_;
  const SubtreeOptions options_;
  SubtreeListener* const listener_;
  const std::shared_ptr<bool> alive_;

  std::optional<WatchId> watch_;
  std::uint64_t reading_ = 0;  // counts them: pages of an earlier one are not for us
  bool synced_ = false;
  Zxid zxid_;
  // Of a reading under way: the last path of each page and the page's zxid; what comes after all of them is in the last page.
  std::map<std::string, Zxid, SubtreeCache::Less> pages_;
  std::optional<Zxid> last_page_;
  std::string read_up_to_;  // "": no page yet
  Zxid newest_skipped_;     // of an event left to a page that was still to come
  Zxid newest_page_;
  base::Timer retry_;
};

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_SUBTREE_FOLLOWER_H_
