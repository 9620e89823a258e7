// A server of the mailbox service: takes the mailboxes that nobody alive has, and serves those that it has.
#ifndef DROVER_CLIENT_EXAMPLES_MAILBOX_SERVER_H_
#define DROVER_CLIENT_EXAMPLES_MAILBOX_SERVER_H_

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "client/examples/program/participant.h"
#include "client/examples/rpc/rpc.h"
#include "client/examples/store/fenced_store.h"
#include "drover/coord/session.h"
#include "drover/coord/subtree.h"
#include "drover/recipes/membership.h"

namespace drover::examples::mailbox {

// Which mailboxes this server has, and by which tokens. Threads: any.
class Boxes {
 public:
  void Replace(std::map<std::string, std::uint64_t> tokens);
  [[nodiscard]] std::optional<std::uint64_t> TokenOf(const std::string& box);

 private:
  std::mutex mu_;
  std::map<std::string, std::uint64_t> tokens_;
};

// Answers "send MAILBOX ID TEXT" and "read MAILBOX". UNAVAILABLE: the mailbox is not here, or not any more; ask the core again.
[[nodiscard]] Handler MailHandler(const std::string& name, Boxes* boxes, FencedStore* store);

// One session's part in it. On the session's loop.
class Clerk final : public Participant, private recipes::MemberObserver, private coord::SubtreeCache::Listener {
 public:
  // `boxes` says from now on what this server has.
  Clerk(coord::Session* session, std::string name, const std::string& address, Boxes* boxes);
  ~Clerk() override;
  void OnTick() override { Look(); }

 private:
  void OnRegistered(coord::Zxid incarnation) override;
  void OnNameTaken(const coord::Node& holder) override;
  void OnLost(const absl::Status& why) override;
  void OnCacheChanged(const coord::Event* event) override;

  // Looks at the tree as it is and does what follows from it: says what is here, and takes what is nobody's.
  void Look();
  void Take(const std::string& box, coord::Zxid seen);

  coord::Session* const session_;
  const std::string name_;
  Boxes* const boxes_;
  std::set<std::string> taking_;  // asked for, not yet answered
  coord::SubtreeCache tree_;
  recipes::Member member_;
};

}  // namespace drover::examples::mailbox

#endif  // DROVER_CLIENT_EXAMPLES_MAILBOX_SERVER_H_
