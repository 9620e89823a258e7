// Membership: processes register under names of their own and see who else is there.
//
//   recipes::Member member(session, {.path = "/drover/default/workers", .name = "w1", .data = facts}, &observer);
//   ... OnRegistered(incarnation) ... member.Update(new_facts, done) ... after an expiry: member.Rejoin(new_session)
//   recipes::MemberList list(session, "/drover/default/workers", &list_observer);
//
// Guarantees
//   `<path>/<name>` is an ephemeral node; its czxid is the *incarnation* of the member: names come back, it never does. One name is
//   held by one session at a time. A name that is taken is waited for and never deleted: its holder may live. The wait ends when
//   the holder goes, by its close, its reaper or its timeout. It is registered by a numbered write: reconnects make no second node.
//
// Failure
//   Session expired: OnLost(kSessionExpired), or kNoNode if the news of the deletion came first (ask Session::state; a Rejoin with
//   the old session is then answered by OnLost again); Rejoin with a new session, the incarnation is then another one. Its node
//   deleted by somebody while the session lives: OnLost(kNoNode); Rejoin with the same session registers it anew. Refused otherwise
//   (a path that is none, data too large): OnLost with that refusal. A name that is taken: OnWaiting, once for each holder; taken
//   for longer than `taken_report_after`: OnNameTaken with the holder's data, once; the wait goes on until Leave or destruction.
//   Whoever wants to give up does so there.
//
// Threads: all on the session's loop; no callback from inside a call. Destroy it before its session; that does not deregister.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_MEMBERSHIP_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_MEMBERSHIP_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "drover/coord/session.h"
#include "drover/coord/subtree.h"
#include "drover/coord/types.h"

namespace drover::recipes {

class MemberObserver {
 public:
  // The node is there. Again after each Rejoin.
  virtual void OnRegistered(base::Zxid incarnation) = 0;
  // The name is held by another session: the wait begins, or goes on behind the next holder.
  virtual void OnWaiting(const coord::Node& /*holder*/) {}
  // Another session has held the name for `taken_report_after`. Once per registration.
  virtual void OnNameTaken(const coord::Node& holder) = 0;
  // Not registered any more, and nobody here asked for it.
  virtual void OnLost(const absl::Status& why) = 0;

 protected:
  ~MemberObserver() = default;
};

struct MemberOptions {
  std::string path;  // the members' parent; made if missing
  std::string name;
  std::string data;
  base::Duration taken_report_after{0};  // 0: three times the session's timeout
};

class Member {
 public:
  enum class State { kRegistering, kWaiting, kRegistered, kLost, kLeft };

  // Registers at once. `loop` is the session's; `observer` must outlive it.
  Member(base::Loop* loop, coord::Session* session, MemberOptions options, MemberObserver* observer);
  ~Member();
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  // Registers anew after OnLost, with the newest data. The session before it may be destroyed afterwards, not sooner than this
  // call.
  void Rejoin(coord::Session* session);
  // Changes the data, now if registered, else with the registration to come. Refused with kNoNode if the node was deleted
  // meanwhile; guarded by the incarnation, so it never writes into another's node. A later Rejoin uses this data either way.
  void Update(std::string data, coord::DoneCallback done);
  // Deletes the node, if it is this incarnation's, and says when that is done. Final.
  void Leave(coord::DoneCallback done);

  [[nodiscard]] State state() const;
  [[nodiscard]] const std::string& path() const;
  // 0 unless kRegistered.
  [[nodiscard]] base::Zxid incarnation() const;
  // True in the service only while this very registration stands. Only while kRegistered.
  [[nodiscard]] coord::Compare Guard() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct MemberInfo {
  std::string name;
  std::string data;
  base::Zxid incarnation;
  base::Zxid mzxid;  // of the newest data

  friend bool operator==(const MemberInfo&, const MemberInfo&) = default;
};

class MemberListObserver {
 public:
  // The list is complete (first reading, or a new one after its history was compacted): compare with members().
  virtual void OnListed() = 0;
  virtual void OnJoined(const MemberInfo& member) = 0;
  virtual void OnUpdated(const MemberInfo& member) = 0;
  // Its node is gone. A name that comes back joins anew, with another incarnation.
  virtual void OnGone(const MemberInfo& member) = 0;
  // The session ended; the list stays as it was last seen.
  virtual void OnListEnded(const absl::Status& /*why*/) {}

 protected:
  ~MemberListObserver() = default;
};

// Who is there, kept by a watch.
class MemberList {
 public:
  MemberList(coord::Session* session, std::string path, MemberListObserver* observer);
  ~MemberList();
  MemberList(const MemberList&) = delete;
  MemberList& operator=(const MemberList&) = delete;

  // By name. Not current until synced().
  [[nodiscard]] const std::map<std::string, MemberInfo>& members() const;
  [[nodiscard]] bool synced() const;
  // The list shows at least the state of this zxid.
  [[nodiscard]] base::Zxid zxid() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_MEMBERSHIP_H_
