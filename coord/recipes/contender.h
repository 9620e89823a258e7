// One place in a line of ephemeral sequential nodes: what every lock of this room is made of.
//
// Entering is one transaction: the line's node (a container, which goes with its last place) and the own node below it. Who stands
// in whose way is a matter of names and numbers, so no message is needed: whoever has less than `room` of those ahead that stand in
// its way holds. A waiting one watches the last `room` of them alone, from the state that it has read, so the end of a place wakes
// at most `room` others, and none is missed.
//
// Threads: the session's loop. Callbacks may destroy it.
#ifndef DROVER_COORD_RECIPES_CONTENDER_H_
#define DROVER_COORD_RECIPES_CONTENDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/base/loop.h"
#include "drover/coord/session.h"
#include "drover/recipes/lock.h"

namespace drover::recipes {

// What becomes of a place. The lock that owns it tells its own observer.
class ContenderEvents {
 public:
  virtual void OnHeld(const LockGrant& grant) = 0;
  // It holds or waits no more, and nobody here asked for it.
  virtual void OnGone(const absl::Status& why) = 0;

 protected:
  ~ContenderEvents() = default;
};

class Contender final : private coord::SessionObserver {
 public:
  struct Rules {
    std::string prefix;  // of the own node's name: "w-"
    // Names with this prefix stand in its way; empty: all.
    std::string blocked_by;
    std::size_t room = 1;  // so many places that stand in its way's stead may hold beside it, less one
    // Of the line's node, if not empty: what all who use it must agree on.
    std::string agreed;
  };

  Contender(coord::Session* session, std::string path, ContenderEvents* events);
  ~Contender();
  Contender(const Contender&) = delete;
  Contender& operator=(const Contender&) = delete;

  // Takes a place at the end. Ignored unless idle. `patience`: then, if it does not hold, it leaves, and is gone with
  // DEADLINE_EXCEEDED; 0: none.
  void Enter(Rules rules, std::string data, base::Duration patience);
  // Gives the place up and says when that is certain. OK also if it was gone.
  void Leave(coord::DoneCallback done);

  [[nodiscard]] bool idle() const { return state_ == State::kIdle; }
  [[nodiscard]] bool held() const { return state_ == State::kHeld; }
  [[nodiscard]] const LockGrant& grant() const { return grant_; }

 private:
  enum class State { kIdle, kEntering, kWaiting, kHeld, kLeaving, kEnded };
  using Alive = std::shared_ptr<const bool>;
  class Watch;

  void CreateNode(bool container);
  void OnCreated(const absl::StatusOr<coord::TransactionResult>& made, bool container);
  // Reads the line anew.
  void Look();
  void ReadNames(std::string after);
  void OnNames(std::vector<std::string> names, bool more);
  void Judge();
  void WatchNode(const std::string& path, base::Zxid from, bool own);
  void Unwatch();
  void OnOwnEvent(const coord::Event& event);
  void DeleteNode();
  void Lose(const absl::Status& why);
  void TellLeft(const absl::Status& status);
  void OnExpired(const absl::Status& why) override;

  coord::Session* const session_;
  const std::string path_;
  ContenderEvents* const events_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  State state_ = State::kIdle;
  Rules rules_;
  std::string data_;
  LockGrant grant_;
  std::uint64_t reading_ = 0;  // number of the reading under way; answers to earlier ones do not count
  std::vector<std::string> names_;
  base::Zxid names_from_;  // the oldest state of the names' pages
  std::unique_ptr<Watch> own_;
  std::vector<std::unique_ptr<Watch>> ahead_;
  absl::Status why_left_;  // of a place that is given up for want of patience
  std::vector<coord::DoneCallback> left_;
  base::Timer patience_;
  base::Timer retry_;
};

// The number at the end of a sequential node's name; nothing: it has none.
[[nodiscard]] std::optional<std::uint64_t> SequenceOf(absl::string_view name);

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_CONTENDER_H_
