// A node that says "this process is here" for as long as it is: ephemeral, and made again whenever it is gone.
//
//   recipes::PersistentNode node(loop, session, {.path = "/app/hosts", .name = "h1", .data = "up"}, &observer);
//   ... OnPresent(czxid) ... after an expiry: node.UseSession(new_session) ...
//
// Guarantees
//   It is there but for the moments between its loss and its making, each with another czxid. A node of this name that another
//   session holds is waited for and never deleted. Somebody who deletes it sees it come back.
//
// Failure
//   Session expired: OnAbsent(kSessionExpired); it stays absent until UseSession. Refused otherwise (a path that is none, no
//   permission, data too large): OnAbsent with that refusal, and tried again every `retry`: what stands in the way may go.
//
// Threads: all on the session's loop; no callback from inside a call. Destroy it before its session; that does not delete the node.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_PERSISTENT_NODE_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_PERSISTENT_NODE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "drover/coord/session.h"

namespace drover::recipes {

class PersistentNodeObserver {
 public:
  virtual void OnPresent(base::Zxid czxid) = 0;
  virtual void OnAbsent(const absl::Status& why) = 0;

 protected:
  ~PersistentNodeObserver() = default;
};

struct PersistentNodeOptions {
  std::string path;  // the node's parent; made if missing
  std::string name;
  std::string data;
  base::Duration retry = std::chrono::seconds(1);
};

class PersistentNode {
 public:
  // `loop` is the session's; `observer` must outlive it.
  PersistentNode(base::Loop* loop, coord::Session* session, PersistentNodeOptions options, PersistentNodeObserver* observer);
  ~PersistentNode();
  PersistentNode(const PersistentNode&) = delete;
  PersistentNode& operator=(const PersistentNode&) = delete;

  // In the place of one that has expired, which may be destroyed afterwards.
  void UseSession(coord::Session* session);
  // Now if it is there, else with the next making.
  void Update(std::string data, coord::DoneCallback done);
  // Deletes it, and says when that is done. Final.
  void Remove(coord::DoneCallback done);

  [[nodiscard]] bool present() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_PERSISTENT_NODE_H_
