// The calls of a session that are not answered yet, in the order made: numbered when first sent, kept until answered, sent again on
// each new stream.
//
// A write that is turned back without effect (WINDOW_FULL, and OUT_OF_ORDER for those behind it) is sent again: nothing more is
// sent until all that is out has come back, then everything from it on goes out again in order. A read sent behind such a write is
// asked again too, so that it shows what was written before it.
//
// No loop and no connection in here. Threads: the session's loop.
#ifndef DROVER_COORD_CLIENT_REQUEST_QUEUE_H_
#define DROVER_COORD_CLIENT_REQUEST_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "coord/client/codec.h"
#include "coord/client/reply.h"

namespace drover::coord::client {

class RequestQueue {
 public:
  struct Limits {
    std::size_t requests_max;
    std::size_t bytes_max;
  };
  // Names a request for the life of the session; reads carry it on the wire.
  using Key = std::uint64_t;
  static constexpr Key kNoKey = UINT64_MAX;  // behind all

  explicit RequestQueue(Limits limits) : limits_(limits) {}

  // There is room for one more of this size; ask before Add.
  [[nodiscard]] bool HasRoom(std::size_t bytes) const;
  Key Add(bool write, std::string body, Reply reply);

  // A new stream: nothing of what is unanswered is on its way any more.
  void StartStream();
  // Appends requests before `until` to `frame` while there are credits, and until it is at least `frame_bytes_max` long. Returns
  // how many.
  std::uint64_t Fill(std::string* frame, std::size_t frame_bytes_max, std::uint64_t credits, Key until = kNoKey);
  // Fill would append something, given credits.
  [[nodiscard]] bool wants_to_send() const;
  // Something was turned back and waits to be sent again.
  [[nodiscard]] bool turned_back() const { return first_turned_back_.has_value(); }

  enum class Verdict {
    kAnswered,    // the reply is final
    kTurnedBack,  // it will be sent again
    kStale,       // of nothing that is waited for
    kBroken,      // a session cannot be answered so: its numbering is not ours
  };
  struct Answered {
    Key key = 0;
    Reply reply;
  };
  // `answered` is set if answered: deliver it.
  [[nodiscard]] Verdict OnAnswer(const AnswerView& answer, Answered* answered);

  struct Abandoned {
    bool write = false;
    bool sent = false;  // it may take effect all the same; else it is withdrawn
    Reply reply;        // monostate if it was answered before
  };
  // The caller waits no more.
  [[nodiscard]] Abandoned Abandon(Key key);

  // All answers to writes numbered up to this were received.
  [[nodiscard]] std::uint64_t seen() const { return next_number_ - 1 - sent_writes_.size(); }
  // Highest number given out.
  [[nodiscard]] std::uint64_t last_number() const { return next_number_ - 1; }

  struct Ended {
    bool write;
    bool sent;
    Reply reply;
  };
  // Takes everything out, in order.
  [[nodiscard]] std::vector<Ended> TakeAll();
  [[nodiscard]] std::size_t size() const { return open_; }

  // What is added next gets it.
  [[nodiscard]] Key EndKey() const { return first_key_ + requests_.size(); }
  // All before it that are not answered are on their way on this stream.
  [[nodiscard]] Key NextToSend() const { return std::min(next_key_, first_turned_back_.value_or(kNoKey)); }

 private:
  struct Request {
    bool write = false;
    bool done = false;
    bool in_flight = false;
    std::uint64_t number = 0;  // writes: 0 until first sent
    std::string body;
    Reply reply;
  };

  Request* Find(Key key);
  void Finish(Request* request);
  void TurnBack(Key key, Request* request);

  const Limits limits_;
  // Keys are consecutive; those done in the middle stay until everything before them is done.
  std::deque<Request> requests_;
  Key first_key_ = 1;
  Key next_key_ = 1;  // the next to send on this stream
  std::uint64_t next_number_ = 1;
  // Keys of the writes that have a number and no answer: the first is of number seen() + 1. Answers may leave holes (0).
  std::deque<Key> sent_writes_;
  std::optional<Key> first_turned_back_;
  std::size_t in_flight_ = 0;
  std::size_t open_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_REQUEST_QUEUE_H_
