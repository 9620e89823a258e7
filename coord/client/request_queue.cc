#include "coord/client/request_queue.h"

#include <algorithm>

#include "coord/base/check.h"

namespace drover::coord::client {

bool RequestQueue::HasRoom(std::size_t bytes) const {
  return open_ < limits_.requests_max && bytes_ + bytes <= limits_.bytes_max;
}

RequestQueue::Key RequestQueue::Add(bool write, std::string body, Reply reply) {
  bytes_ += body.size();
  ++open_;
  const Key key = EndKey();
  Request& request = requests_.emplace_back();
  request.write = write;
  request.body = std::move(body);
  request.reply = std::move(reply);
  return key;
}

RequestQueue::Request* RequestQueue::Find(Key key) {
  if (key < first_key_ || key >= EndKey()) return nullptr;
  return &requests_[key - first_key_];
}

void RequestQueue::StartStream() {
  for (Request& request : requests_) request.in_flight = false;
  in_flight_ = 0;
  first_turned_back_.reset();
  next_key_ = first_key_;
}

bool RequestQueue::wants_to_send() const {
  if (first_turned_back_.has_value()) return in_flight_ == 0;
  return next_key_ < EndKey();
}

std::uint64_t RequestQueue::Fill(std::string* frame, std::size_t frame_bytes_max, std::uint64_t credits, Key until) {
  if (first_turned_back_.has_value()) {
    if (in_flight_ > 0) return 0;
    next_key_ = std::max(*first_turned_back_, first_key_);
    first_turned_back_.reset();
  }
  std::uint64_t sent = 0;
  while (next_key_ < std::min(until, EndKey()) && sent < credits && frame->size() < frame_bytes_max) {
    const Key key = next_key_++;
    Request& request = *Find(key);
    if (request.done) continue;
    if (request.write && request.number == 0) {
      request.number = next_number_++;
      sent_writes_.push_back(key);
    }
    if (request.write) {
      AppendNumbered(frame, request.number, request.body);
    } else {
      AppendIdentified(frame, key, request.body);
    }
    request.in_flight = true;
    ++in_flight_;
    ++sent;
  }
  return sent;
}

RequestQueue::Verdict RequestQueue::OnAnswer(const AnswerView& answer, Answered* answered) {
  Key key = answer.id;
  if (answer.number != 0) {
    if (answer.number >= next_number_) return Verdict::kBroken;
    if (answer.number <= seen()) return Verdict::kStale;
    key = sent_writes_[answer.number - seen() - 1];
  }
  Request* request = key == 0 ? nullptr : Find(key);
  if (request == nullptr || request->done || !request->in_flight || request->write != (answer.number != 0)) return Verdict::kStale;

  if (request->write && (answer.code == Code::kWindowFull || answer.code == Code::kOutOfOrder)) {
    // Everything before the oldest unanswered write was answered, so the service must know that it is next.
    if (answer.code == Code::kOutOfOrder && request->number == seen() + 1) return Verdict::kBroken;
    TurnBack(key, request);
    return Verdict::kTurnedBack;
  }
  if (!request->write && first_turned_back_.has_value() && *first_turned_back_ < key) {
    TurnBack(key, request);
    return Verdict::kTurnedBack;
  }
  answered->key = key;
  answered->reply = std::move(request->reply);
  Finish(request);
  return Verdict::kAnswered;
}

void RequestQueue::TurnBack(Key key, Request* request) {
  request->in_flight = false;
  --in_flight_;
  if (!first_turned_back_.has_value() || key < *first_turned_back_) first_turned_back_ = key;
}

void RequestQueue::Finish(Request* request) {
  if (request->in_flight) --in_flight_;
  request->in_flight = false;
  request->done = true;
  request->reply = std::monostate();
  bytes_ -= request->body.size();
  std::string().swap(request->body);
  --open_;
  if (request->number != 0) {
    sent_writes_[request->number - seen() - 1] = 0;
    while (!sent_writes_.empty() && sent_writes_.front() == 0) sent_writes_.pop_front();
  }
  while (!requests_.empty() && requests_.front().done) {
    requests_.pop_front();
    ++first_key_;
  }
  next_key_ = std::max(next_key_, first_key_);
}

RequestQueue::Abandoned RequestQueue::Abandon(Key key) {
  Request* request = Find(key);
  if (request == nullptr || request->done) return {};
  Abandoned abandoned{request->write, request->number != 0, std::exchange(request->reply, std::monostate())};
  // A read is of no use without its caller; its answer will be stale. A write with a number has to be answered.
  if (!abandoned.sent) Finish(request);
  return abandoned;
}

std::vector<RequestQueue::Ended> RequestQueue::TakeAll() {
  std::vector<Ended> ended;
  for (Request& request : requests_) {
    if (!request.done) ended.push_back(Ended{request.write, request.number != 0, std::move(request.reply)});
  }
  first_key_ = EndKey();
  next_key_ = first_key_;
  requests_.clear();
  sent_writes_.clear();
  first_turned_back_.reset();
  in_flight_ = open_ = bytes_ = 0;
  return ended;
}

}  // namespace drover::coord::client
