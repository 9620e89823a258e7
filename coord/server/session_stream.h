// One bidi stream of Coordination.Session: a sans-IO machine between a base::Connection and its node.
//
// Order. Requests take effect in the order sent. A write is handed to the node's batch at once, a read waits for a quorum round
// (shared by all reads of a wake-up) and for the writes sent before it. So that no later write overtakes a read, a write is held
// back while a read before it waits for its round; once the round's index is known, a write proposed from then on comes behind that
// index, and the read is executed the moment that the last write before it is applied. Answers are queued in the order in which the
// node applied what they show, and an event before any answer that shows it, because both are appended when the node applies.
//
// Bounds. Credits bound the requests in flight by number and size; reads wait while more than `outbound_pause_bytes` lie unsent; a
// client that reads too slowly to keep the rest below `outbound_bytes_max` is closed with RESOURCE_EXHAUSTED and resumes. Of the
// acknowledgements of contacts the newest alone waits. While the disk is full the writes of a session wait unissued, so no credits
// follow them.
//
// A stream never ends a session. A link that breaks is reported to the leases; a stream that is closed from here is not.
#ifndef DROVER_COORD_SERVER_SESSION_STREAM_H_
#define DROVER_COORD_SERVER_SESSION_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/bytes.h"
#include "coord/base/connection.h"
#include "coord/server/stream_host.h"
#include "coord/tree/views.h"

namespace drover::coord::server {

struct StreamOptions {
  // Requests in flight. A new stream starts with the smaller number; it stays there for a client whose requests are large.
  std::uint64_t credits_start = 16;
  std::uint64_t credits_max = 256;
  // Bytes of requests in flight that credits aim at, and the bound at which the stream is closed. (Credits also keep the unseen
  // answers of the session to about half of what the state machine keeps.)
  std::size_t request_bytes_aim = 32U << 20;
  std::size_t request_bytes_max = 128U << 20;
  // One frame of the client's; a larger one closes the stream.
  std::size_t received_frame_bytes_max = (8U << 20) + (64U << 10);
  // Answers and events not taken by the transport yet: reads and replays wait beyond the first bound, the second one closes.
  std::size_t outbound_pause_bytes = 2U << 20;
  std::size_t outbound_bytes_max = 16U << 20;
  // A frame is begun anew beyond this (a single item may be larger).
  std::size_t frame_bytes = 4U << 20;
  // A stream that has not said Open or Resume, or waits to be caught up with, after this is closed.
  base::Duration attach_timeout = std::chrono::seconds(10);
  // A stream that was closed from here is cut after this if its client does not take what is queued.
  base::Duration close_timeout = std::chrono::seconds(5);
};

class SessionStream final : public base::ConnectionEvents {
 public:
  // `host` and `options` must outlive it.
  // `address`: where the client is; empty: not at an IP address.
  SessionStream(StreamHost* host, const StreamOptions* options, StreamId id, std::unique_ptr<base::Connection> connection,
                std::string address = "");
  SessionStream(const SessionStream&) = delete;
  SessionStream& operator=(const SessionStream&) = delete;

  // From the connection. What comes is only noted; the node calls Work.
  void OnFrame(base::Bytes frame) override;
  void OnDrained() override;
  void OnClosed(base::CloseCause cause, const absl::Status& status) override;

  // Reads the frames that came and issues what can be issued.
  void Work();
  // Writes what is queued, if anything: one frame (more only if it is very large).
  void Flush();

  // What waits for the round that begins now; handed back to OnRound when the round has confirmed.
  struct RoundTicket {
    std::uint64_t reads_issued = 0;
  };
  [[nodiscard]] RoundTicket BeginRound();
  void OnRound(const RoundTicket& ticket);

  void OnContactConfirmed(std::uint64_t contact);
  void OnAnswer(absl::string_view answer);
  void OnEvent(const tree::Delivery& delivery);
  void OnOpened(const tree::Session& session);
  void OnOpenRefused(tree::Code code, absl::string_view message);
  void OnSessionEnded(tree::SessionEnd end);
  // A newer stream has resumed the session.
  void OnReplaced();
  // The client is told once, when it is attached, that it had better go to another node. Until it has gone everything works.
  void AskToMove();
  // Ends the stream; what is queued is still sent. No disconnect of the client.
  void Close(const absl::Status& status);

  [[nodiscard]] StreamId id() const { return id_; }
  // 0: not attached.
  [[nodiscard]] base::SessionId session() const;
  [[nodiscard]] tree::Asker asker() const { return {session(), address_}; }
  // Open or Resume has not been answered yet.
  [[nodiscard]] bool attaching() const { return !closed_ && !closing_ && attached() == nullptr; }
  // It may be able to go on when the node has applied something, or when time has passed.
  [[nodiscard]] bool waits_for_the_node() const;
  // It was ended from here, and the connection has not ended yet.
  [[nodiscard]] bool closing() const { return closing_.has_value() && !closed_; }
  // The connection has ended: nothing is left to do.
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] std::size_t outbound_bytes() const;

 private:
  struct Greeting {};  // nothing came yet
  struct Opening {};   // the opening is proposed
  struct CatchingUp {  // Resume waits until this node has applied what the session has seen
    base::SessionId session;
    std::string secret;
    base::Zxid until;
    std::uint64_t attach = 0;
  };
  struct Request {
    base::Bytes frame;  // shared by all requests of a frame
    absl::string_view bytes;
    tree::RequestView view;
    std::uint64_t seen = 0;
    bool confirmed = false;  // reads: needs no round any more
    bool barrier = false;    // no write may be issued behind it until it is confirmed (reads) or executed (replays)
    // A replay under way: where it stands.
    std::optional<tree::Position> replayed;

    [[nodiscard]] bool numbered() const { return view.number != 0; }
  };
  // An AddWatch whose position this node has not reached.
  struct Parked {
    std::uint64_t watch_id = 0;
    base::Zxid until;
    Request request;
  };
  struct Attached {
    base::SessionId session;
    std::string address_to_say;  // with each write: the session was opened from elsewhere
    std::uint64_t seen = 0;
    std::optional<std::uint64_t> ack;  // to be written
    std::deque<Request> incoming;      // not issued
    std::deque<Request> issued;        // in the order in which they take effect
    std::vector<Parked> parked;        // in the order in which they came
    std::size_t writes_issued = 0;     // of those in `issued`
    std::size_t barriers = 0;          // of those in `issued`
    std::uint64_t reads_issued = 0;    // linearizable ones, ever
    std::uint64_t reads_confirmed = 0;
    std::uint64_t received = 0;  // requests, for credits
    std::uint64_t answered = 0;
    std::size_t request_bytes = 0;    // in flight
    std::size_t largest_request = 0;  // both: lately
    std::size_t largest_write_answer = 0;
    std::uint64_t credits_sent = 0;
    base::FeatureLevel level_sent;
    base::Zxid bookmark_sent;
  };

  [[nodiscard]] Attached* attached() { return std::get_if<Attached>(&state_); }
  [[nodiscard]] const Attached* attached() const { return std::get_if<Attached>(&state_); }

  void ReadFrame(const base::Bytes& frame);
  void Greet(const ClientFrameView& frame);
  void TryResume(const CatchingUp& waiting);
  void Attach(const tree::Session& session, std::uint64_t attach);
  void TakeRequests(Attached* a, const base::Bytes& frame, const ClientFrameView& view);
  bool Issue(Attached* a);
  void Propose(const Attached& a, const Request& request);
  void Execute(Attached* a);
  bool ExecuteFront(Attached* a);
  bool ExecuteAddWatch(Attached* a);
  void Park(Attached* a, std::uint64_t watch_id, base::Zxid until);
  void Unpark(Attached* a);
  bool RemoveParked(Attached* a, std::uint64_t watch_id);
  void Finish(Attached* a, absl::string_view answer);
  void FinishWithCode(Attached* a, tree::Code code, absl::string_view message = {});  // empty: MessageOf(code)
  void LowerBarrier(Attached* a, Request* request);
  [[nodiscard]] std::uint64_t Credits(const Attached& a) const;
  void Break(absl::string_view what);
  void ItemQueued();
  void Send(std::string frame);
  void NoteEnd();

  StreamHost* const host_;
  const StreamOptions& options_;
  const StreamId id_;
  const base::Instant began_;
  const std::unique_ptr<base::Connection> connection_;
  const std::string address_;

  std::variant<Greeting, Opening, CatchingUp, Attached> state_;
  std::deque<base::Bytes> frames_;              // came, not read
  std::optional<std::uint64_t> early_contact_;  // came before the session was attached
  std::string grant_;                           // to be written first
  std::string items_;                           // answers and events queued
  std::vector<std::size_t> item_ends_;          // where a frame may be cut
  std::optional<absl::Status> closing_;         // to be closed with this once `items_` is sent
  std::optional<base::Instant> close_called_;
  bool asked_to_move_ = false;
  bool move_ = false;  // to be said with the next frame
  bool closed_ = false;
  bool link_broke_ = false;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_SESSION_STREAM_H_
