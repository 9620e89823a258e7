// What a session's stream sees of the node it belongs to.
#ifndef DROVER_COORD_SERVER_STREAM_HOST_H_
#define DROVER_COORD_SERVER_STREAM_HOST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/server/frame.h"
#include "coord/server/observer.h"
#include "coord/tree/acl.h"
#include "coord/tree/history.h"
#include "coord/tree/state_machine.h"
#include "coord/tree/watches.h"

namespace drover::coord::server {

using tree::StreamId;

// Loop thread. None of these calls back into the stream.
class StreamHost {
 public:
  [[nodiscard]] virtual base::Instant Now() const = 0;
  [[nodiscard]] virtual const tree::StateMachine& state() const = 0;
  [[nodiscard]] virtual const tree::EventHistory& history() const = 0;
  [[nodiscard]] virtual tree::WatchTable& watches() = 0;
  [[nodiscard]] virtual NodeObserver& observer() = 0;
  [[nodiscard]] virtual base::NodeId node_id() const = 0;
  [[nodiscard]] virtual base::ClusterId cluster_id() const = 0;

  // The stream's Work is called once more in this wake-up, or the next.
  virtual void WantWork(StreamId stream) = 0;
  // A frame is to be written at the end of this wake-up.
  virtual void WantFlush(StreamId stream) = 0;
  // Something of the client's arrived: it is alive.
  virtual void Heard(StreamId stream, base::SessionId session) = 0;
  // The client waits for word that this contact was confirmed; OnContactConfirmed follows, or never. A newer one replaces an older.
  virtual void WantConfirmation(StreamId stream, base::SessionId session, std::uint64_t contact) = 0;
  // FIN or RST was seen on a stream that was not ended from here.
  virtual void LinkBroke(StreamId stream, base::SessionId session) = 0;
  // A quorum round that begins after this; the stream says what waits for it when the round begins (SessionStream::BeginRound).
  virtual void WantRound(StreamId stream) = 0;

  // Writes are taken. False while what was gathered before cannot be proposed, or the disk is full: WantWork comes when they are.
  [[nodiscard]] virtual bool TakesWrites() const = 0;
  // The log finds no space.
  [[nodiscard]] virtual bool DiskFull() const = 0;
  // Ok, or why clients had better go to another node.
  [[nodiscard]] virtual absl::Status MayStay() const = 0;
  // Gathers a write into the next batch; SessionStream::OnAnswer gets its answer. `request` is copied as it is. `asker` says what
  // the session does not (Command.identities, Command.address).
  virtual void Propose(StreamId stream, const tree::Asker& asker, std::uint64_t seen, absl::string_view request) = 0;
  // The same for the opening of a session, with a new secret; SessionStream::OnOpened or OnOpenRefused follows.
  virtual void ProposeOpen(StreamId stream, const OpenView& open, absl::string_view address) = 0;
  // What this proves of who shows it; nothing: nothing.
  [[nodiscard]] virtual std::vector<tree::Identity> Verify(const tree::AuthenticateView& shown) const = 0;

  // `stream` is where this session is from now on; an older one hears OnReplaced. `attach`: Resume.attach.
  virtual void Attached(base::SessionId session, StreamId stream, std::uint64_t attach) = 0;

 protected:
  ~StreamHost() = default;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_STREAM_HOST_H_
