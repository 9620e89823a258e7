// Commands on their way to the leader: gathered into batches, handed over, and who waits for the answer to each.
#ifndef DROVER_COORD_SERVER_PROPOSAL_QUEUE_H_
#define DROVER_COORD_SERVER_PROPOSAL_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/bytes.h"
#include "coord/base/ids.h"
#include "coord/tree/views.h"
#include "coord/tree/watches.h"

namespace drover::coord::server {

// Gets the encoded Answer of a unary call, or why there is none.
using ExecuteDone = absl::AnyInvocable<void(absl::StatusOr<base::Bytes>)>;

struct StreamWrite {
  tree::StreamId stream;
};
struct StreamOpening {
  tree::StreamId stream;
};
using Waiter = std::variant<StreamWrite, StreamOpening, ExecuteDone>;

// Tags number the commands of this node's boot; an entry of an earlier boot, met in replay, has nobody waiting. A batch that was
// handed over has an answer for each of its commands when this node applies it, or an unknown outcome (TakeHandedOver). Not
// thread-safe.
class ProposalQueue {
 public:
  struct Batch {
    base::Bytes commands;  // a drover.peer.v1.Batch without its time
    std::size_t count = 0;
    std::uint64_t last_tag = 0;
  };

  // A batch is full at `batch_bytes`; a single command may be larger.
  ProposalQueue(base::NodeId node, base::BootNonce boot, std::size_t batch_bytes)
      : node_(node), boot_(boot), batch_bytes_(batch_bytes) {}

  void AddRequest(Waiter waiter, const tree::Asker& asker, std::uint64_t seen, absl::string_view request);
  void AddOpen(Waiter waiter, const tree::OpenSessionView& open);

  // The oldest batch, ended if it was still being gathered; null if there is none. It stays until HandOver or PopFront.
  [[nodiscard]] const Batch* Front();
  // The front has been given to the leader.
  void HandOver();
  // Batches wait: Front was refused.
  [[nodiscard]] bool backed_up() const { return !batches_.empty(); }
  // Bytes of batches that were handed over and have not been applied.
  [[nodiscard]] std::size_t handed_over_bytes() const { return handed_bytes_; }

  // The waiter of a command of this boot, if it still waits. Peek leaves it.
  [[nodiscard]] std::optional<Waiter> Take(const tree::Origin& origin);
  [[nodiscard]] const Waiter* Peek(const tree::Origin& origin) const;
  // The leader changed: what becomes of the batches handed over is not known here. Whoever waits for them, in order; if they are
  // applied after all, nobody hears of it.
  [[nodiscard]] std::vector<Waiter> TakeHandedOver();
  // Every unary call that waits is answered with `status`.
  void FailCalls(const absl::Status& status);
  [[nodiscard]] std::size_t waiting() const { return waiters_.size(); }

 private:
  struct Handed {
    std::uint64_t last_tag = 0;
    std::size_t bytes = 0;
  };

  tree::Origin Admit(Waiter waiter);
  void EndIfFull();
  void End();

  const base::NodeId node_;
  const base::BootNonce boot_;
  const std::size_t batch_bytes_;
  std::uint64_t last_tag_ = 0;
  std::optional<tree::BatchBuilder> gathering_;
  std::deque<Batch> batches_;
  std::deque<Handed> handed_;
  std::size_t handed_bytes_ = 0;
  std::map<std::uint64_t, Waiter> waiters_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_PROPOSAL_QUEUE_H_
