// The replicated state machine: batches in, answers and events out. The same batches in the same order give the same state, the
// same answers and the same events on every replica.
//
// zxid: a counter of transactions, independent of the Raft index. Every write answered OK takes the next one (a transaction is one
// write); so does the opening of a session, each end of one, and each node that is reaped. What was refused, and an answer given
// again, takes none. Time: of a batch, the maximum of the time it carries and the time before; so it never goes back. Threads: one.
// Pure: no clock, no randomness, no I/O.
#ifndef DROVER_COORD_TREE_STATE_MACHINE_H_
#define DROVER_COORD_TREE_STATE_MACHINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "coord/base/bytes.h"
#include "coord/base/feature_level.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/raft/types.h"
#include "coord/tree/answer.h"
#include "coord/tree/event.h"
#include "coord/tree/options.h"
#include "coord/tree/sessions.h"
#include "coord/tree/tree.h"
#include "coord/tree/views.h"
#include "coord/tree/writes.h"

namespace drover::coord::tree {

// An answer to one command. `bytes` is an encoded drover.coord.v1.Answer.
struct Answered {
  Origin origin;
  base::SessionId session;   // 0: a unary write, or the opening of a session
  std::uint64_t number = 0;  // 0: a unary write, an opening, or bytes that are no Request
  Code code = Code::kOk;
  base::Bytes bytes;
};

enum class SessionEnd {
  kClosed,   // by its client
  kExpired,  // by an ExpireSessions
};

// Gets what an Apply does, in order: for each command the events of its transaction, then its answer, then what became of its
// session. Called inside of Apply: it may read the state machine, not apply.
class Sink {
 public:
  // Once for each transaction that changed nodes; never empty. The span ends with the call, copies of its events share the bytes.
  virtual void OnEvents(absl::Span<const Event> events) = 0;
  // Exactly once for every request and every opening. (Expiries have no answer.)
  virtual void OnAnswer(const Answered& answered) = 0;
  // After the opening's answer.
  virtual void OnSessionOpened(const Origin& origin, const Session& session) = 0;
  // After its ephemerals' events and, of a close, its answer. The session is gone already.
  virtual void OnSessionEnded(base::SessionId session, SessionEnd end, base::Zxid zxid) = 0;

 protected:
  ~Sink() = default;
};

class StateMachine {
 public:
  explicit StateMachine(const Options& options = Options());
  StateMachine(const StateMachine&) = delete;
  StateMachine& operator=(const StateMachine&) = delete;

  // Applies the drover.peer.v1.Batch of one entry (kinds kData and kExpiry). `sink` may not be null. An error says that the batch
  // is malformed: commands before the malformed place are applied, as on every replica; a leader never proposes such a one.
  // UNIMPLEMENTED: a command that only newer programs know; the caller must end, for the other replicas have applied it.
  absl::Status Apply(raft::Term entry_term, absl::string_view batch, Sink* sink);

  // The cluster is at this level, by the last configuration before the entries that are applied next. What came with a level is
  // done from there on and not before: so it is on all replicas, whatever program each of them is.
  void SetFeatureLevel(base::FeatureLevel level) { feature_level_ = level; }
  [[nodiscard]] base::FeatureLevel feature_level() const { return feature_level_; }

  // Answers a read (IsRead(request.kind)) from the state as it is: the encoded Answer. A Sync is answered by its zxid.
  [[nodiscard]] base::Bytes Read(const RequestView& request, const Asker& asker = Asker()) const;
  // `asker` and, of its session, what that has proved to be.
  [[nodiscard]] Asker Known(Asker asker) const;

  [[nodiscard]] const Tree& tree() const { return tree_; }
  [[nodiscard]] const SessionTable& sessions() const { return sessions_; }
  [[nodiscard]] base::Zxid last_zxid() const { return last_zxid_; }
  [[nodiscard]] base::WallTime time() const { return time_; }
  [[nodiscard]] const Options& options() const { return options_; }

  // A walk of an image (snapshot_walk.h), between two Applies.
  void BeginImage(ImageSink* sink);
  void EndImage();
  void Save(const Node* node) { tree_.Save(node); }
  void Save(const Session& session) { sessions_.Save(session); }

  // The last zxid becomes `zxid`, which is not below it (new_cluster.h).
  void RaiseZxid(base::Zxid zxid);

  // Over all of the state: equal on replicas that applied the same. Walks everything; for tests and checks.
  [[nodiscard]] std::uint64_t Digest() const;

 private:
  friend class SnapshotLoader;

  void ApplyCommand(raft::Term entry_term, const CommandView& command, Sink* sink);
  void ApplyRequest(const CommandView& command, Sink* sink);
  void ApplyNumbered(const CommandView& command, const RequestView& request, Session* session, Sink* sink);
  void ApplyAuthenticate(const CommandView& command, const RequestView& request, Session* session, Sink* sink);
  void ApplyOpen(const CommandView& command, Sink* sink);
  void ApplyExpire(raft::Term entry_term, const CommandView& command, Sink* sink);
  void ApplyReap(const CommandView& command, Sink* sink);
  // `session`: null for a unary write.
  void ApplyWrite(const CommandView& command, const RequestView& request, Session* session, Sink* sink);
  // With fields_ behind the head. An answer to a session's write is kept.
  void Answer(const CommandView& command, const RequestView& request, Session* session, Code code, absl::string_view message,
              Sink* sink);
  // Deletes the session and its ephemerals in one transaction and tells their events.
  void EndSession(base::SessionId session, Sink* sink);
  // It is not kept: nothing was applied.
  void Refuse(const CommandView& command, const RequestView& request, Code code, absl::string_view message, Sink* sink);
  [[nodiscard]] AnswerHead HeadOf(const CommandView& command, const RequestView& request, Code code,
                                  absl::string_view message) const;

  const Options options_;
  Tree tree_;
  SessionTable sessions_;
  base::Zxid last_zxid_;
  base::WallTime time_;
  base::FeatureLevel feature_level_ = base::kFirstFeatureLevel;

  // Reused from write to write.
  EventRecorder recorder_;
  Writer writer_;
  std::string fields_;
  std::string scratch_;
  std::vector<base::SessionId> expired_;
  std::vector<Identity> identities_;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_STATE_MACHINE_H_
