#include "worker/agent/drain_watch.h"

#include <algorithm>
#include <utility>

#include "coord/process/logging.h"
#include "drover/coord/cluster_time.h"
#include "master/records/codec.h"

namespace drover::worker::agent {
namespace {

const process::Logger kLog("worker.drain");

// The cluster's time may run behind the loop's: not asked without end. Also how often it is asked while it is not known.
constexpr base::Duration kPause = std::chrono::milliseconds(100);

}  // namespace

DrainWatch::DrainWatch(base::Loop* loop, std::string path, std::function<void()> due)
    : path_(std::move(path)), tell_due_(std::move(due)), timer_(loop) {}

DrainWatch::~DrainWatch() = default;

void DrainWatch::Follow(coord::Session* session) {
  follower_.reset();
  session_ = session;
  follower_ = coord::SubtreeFollower::Start(session, {.path = path_}, this);
}

void DrainWatch::Stop() {
  follower_.reset();
  timer_.Cancel();
  session_ = nullptr;
}

void DrainWatch::OnReset(coord::ResetCause) {
  seen_ = false;
}

void DrainWatch::OnNode(const coord::Node& node, base::Zxid) {
  Read(node.path, node.data);
}

void DrainWatch::OnEvent(const coord::Event& event) {
  if (event.path != path_) return;
  if (event.type != coord::Event::Type::kDeleted) return Read(event.path, event.data);
  if (drain_.has_value()) kLog.Info("drained no more");
  drain_.reset();
  Judge();
}

void DrainWatch::OnSynced(base::Zxid) {
  if (seen_) return;
  drain_.reset();
  Judge();
}

void DrainWatch::Read(const std::string& path, const std::string& data) {
  if (path != path_) return;
  seen_ = true;
  auto drain = records::DecodeDrain(data);
  // What cannot be read is no deadline: the masters give this worker nothing, and what runs may end.
  drain_ = drain.ok() ? *std::move(drain) : v1::Drain();
  kLog.Info("drained", {{"until", drain_->deadline_ms()}, {"reason", drain_->reason()}});
  Judge();
}

void DrainWatch::Judge() {
  timer_.Cancel();
  const bool was_due = std::exchange(due_, false);
  if (!drain_.has_value() || drain_->deadline_ms() == 0 || session_ == nullptr) return;
  const std::int64_t now_ms = coord::ClusterTimePassed(*session_).value;
  if (now_ms == 0 || now_ms < drain_->deadline_ms()) {
    const auto left = std::chrono::milliseconds(now_ms == 0 ? 0 : drain_->deadline_ms() - now_ms);
    timer_.Set(std::max<base::Duration>(left, kPause), [this] { Judge(); });
    return;
  }
  due_ = true;
  if (!was_due) tell_due_();
}

}  // namespace drover::worker::agent
