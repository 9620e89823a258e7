#include "worker/agent/agent.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "coord/process/logging.h"
#include "drover/coord/status.h"
#include "master/records/codec.h"
#include "worker/agent/last_will.h"

namespace drover::worker::agent {
namespace {

const process::Logger kLog("worker.agent");

// Who registered a worker's node.
std::string Who(const coord::Node& holder) {
  const auto info = records::DecodeWorkerInfo(holder.data);
  if (!info.ok() || info->process_id().empty()) return "a process unknown";
  return absl::StrCat("process ", info->process_id(), " at ", info->address());
}

}  // namespace

Agent::Agent(AgentParts parts, AgentOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      paths_(options_.pool),
      store_(parts_.loop,
             pool::PoolStoreOptions{.path = paths_.Store(),
                                    .url = parts_.store_url,
                                    .fresh_marker = parts_.fresh_marker,
                                    .retry_delay = options_.retry_delay,
                                    .marker_patience = options_.marker_patience},
             parts_.open_store, [this] { return session_.get(); }),
      outage_(parts_.loop, kLog, options_.session.endpoints, [this] { return session_.get(); }),
      replace_(parts_.loop),
      lease_tick_(parts_.loop),
      drain_watch_(parts_.loop, paths_.Drain(options_.name), [this] { ReturnAll("the drain's deadline is over"); }),
      report_tick_(parts_.loop),
      drain_limit_(parts_.loop),
      farewell_(parts_.loop, [this] { return session_.get(); }) {}

Agent::~Agent() {
  if (session_ != nullptr) session_->RemoveObserver(this);
  drain_watch_.Stop();
  follower_.reset();
  member_.reset();
}

void Agent::Start() {
  OpenSession();
  // A pool without a store is one whose tasks have small output; a store that is another one is a mistake to be told at once.
  store_.Use([this](absl::StatusOr<store::ObjectStore*> store) {
    if (!store.ok() && !store_.none()) return Stop(store.status());
    if (!store.ok()) kLog.Warning("the pool has no object store: only small output can be kept", {{"pool", options_.pool}});
    Register();
  });
  Tick();
}

// ---- session ----

void Agent::OpenSession() {
  session_ = parts_.open_session(options_.session);
  session_->AddObserver(this);
  ++counters_.sessions;
  outage_.Opened();
}

void Agent::OnConnected() {
  outage_.Connected();
  kLog.Info("connected", {{"session", session_->id()}});
  if (const auto ticket = session_->ticket()) {
    parts_.runner->SetLastWill(EncodeLastWill({.worker = options_.name,
                                               .died_path = paths_.Died(options_.process_id),
                                               .ticket = *ticket,
                                               .endpoints = options_.session.endpoints,
                                               .patience = options_.death_report_patience}));
  }
  RefreshLease();
}

void Agent::OnSuspended(const absl::Status& why) {
  if (!stopped_) outage_.Lost(why);
}

void Agent::OnExpired(const absl::Status& why) {
  kLog.Warning("session expired", {{"session", session_->id()}, {"status", why}});
  if (stopped_) return;
  // Not now: the session is still telling others.
  replace_.Set({}, [this] { ReplaceSession(); });
}

void Agent::ReplaceSession() {
  registered_ = false;
  synced_ = false;
  follower_.reset();
  drain_watch_.Stop();
  const std::unique_ptr<coord::Session> old = std::move(session_);
  old->RemoveObserver(this);
  OpenSession();
  const bool following = member_ != nullptr;
  if (leaving_) {
    member_.reset();  // the node went with the session
  } else if (member_ != nullptr) {
    member_->Rejoin(session_.get());  // needs the former session alive
  }
  store_.SessionReplaced();
  for (const auto& [fence, attempt] : attempts_) attempt->OnSessionReplaced();
  if (following) Follow();
  StopIfIdle();
}

base::Instant Agent::LeaseDeadline() const {
  const base::Duration margin = session_->timeout() * options_.lease_clock_error_percent / 100 + options_.lease_kill_time;
  return session_->lease_deadline() - margin;
}

void Agent::RefreshLease() {
  if (session_ != nullptr) parts_.runner->SetLease(LeaseDeadline());
}

bool Agent::LeaseHolds() const {
  // A new session's lease says nothing about an assignment of the former one.
  return session_ != nullptr && synced_ && LeaseDeadline() > parts_.loop->Now();
}

void Agent::Tick() {
  RefreshLease();
  lease_tick_.Set(options_.lease_interval, [this] { Tick(); });
}

// ---- membership ----

std::string Agent::Info() const {
  v1::WorkerInfo info;
  info.set_process_id(options_.process_id);
  info.set_address(options_.address);
  info.set_slots(options_.slots);
  info.mutable_labels()->insert(options_.labels.begin(), options_.labels.end());
  info.mutable_resources()->insert(options_.resources.begin(), options_.resources.end());
  info.set_version(options_.version);
  info.set_draining(draining_);
  return records::Encode(info);
}

void Agent::Register() {
  if (stopped_) return;
  if (draining_) return StopIfIdle();
  member_ = std::make_unique<recipes::Member>(
      parts_.loop, session_.get(), recipes::MemberOptions{.path = paths_.Workers(), .name = options_.name, .data = Info()},
      static_cast<recipes::MemberObserver*>(this));
  Follow();
}

void Agent::OnRegistered(base::Zxid incarnation) {
  registered_ = true;
  kLog.Info("registered", {{"session", session_->id()},
                           {"worker", options_.name},
                           {"incarnation", incarnation},
                           {"process", options_.process_id},
                           {"slots", options_.slots}});
}

void Agent::OnWaiting(const coord::Node& holder) {
  kLog.Warning("its name is taken: waiting until the holder is gone", {{"worker", options_.name}, {"holder", Who(holder)}});
}

void Agent::OnNameTaken(const coord::Node& holder) {
  Stop(absl::AlreadyExistsError(
      absl::StrCat("the name ", options_.name, " is held by ", Who(holder), ": stop that one or give this one another --name")));
}

void Agent::OnLost(const absl::Status& why) {
  registered_ = false;
  if (coord::IsSessionExpired(why)) return;  // OnExpired follows and rejoins
  kLog.Warning("not registered any more", {{"worker", options_.name}, {"status", why}});
  if (coord::IsNoNode(why) && !leaving_) {
    parts_.loop->Post([this, alive = std::weak_ptr<int>(alive_)] {
      if (alive.expired() || member_ == nullptr || stopped_) return;
      // Meanwhile it may leave for good, or the session may have ended: the next one is joined when it is opened.
      if (member_->state() != recipes::Member::State::kLost || session_->state() == coord::SessionState::kExpired) return;
      member_->Rejoin(session_.get());
    });
    return;
  }
  Stop(base::Annotate(why, absl::StrCat("cannot register as ", options_.name)));
}

// ---- assignments ----

void Agent::Follow() {
  // First: what is to be returned is known before assignments are.
  drain_watch_.Follow(session_.get());
  follower_ = coord::SubtreeFollower::Start(session_.get(), {.path = paths_.Assignees(options_.name)}, this);
}

void Agent::OnReset(coord::ResetCause) {
  reading_ = true;
  seen_.clear();
}

void Agent::OnNode(const coord::Node& node, base::Zxid) {
  SeeAssignment(node.path, node.stat, node.data);
}

void Agent::OnEvent(const coord::Event& event) {
  if (event.type != coord::Event::Type::kDeleted) return SeeAssignment(event.path, event.stat, event.data);
  seen_.erase(event.stat.czxid);
  if (const auto it = attempts_.find(event.stat.czxid); it != attempts_.end()) {
    const std::shared_ptr<Attempt> attempt = it->second;
    attempt->OnAssignmentGone();
  }
}

void Agent::SeeAssignment(const std::string& path, const coord::Stat& stat, const std::string& data) {
  const records::PathParts parts = paths_.Parse(path);
  if (parts.kind != records::PathKind::kAssignment || stopped_) return;
  const auto assignment = records::DecodeAssignment(data);
  // Meant for a former process of this name: its master takes it back.
  if (!assignment.ok() || assignment->process_id() != options_.process_id) return;
  if (reading_) seen_[stat.czxid] = true;
  const auto [it, is_new] = attempts_.try_emplace(stat.czxid);
  if (!is_new) {
    const std::shared_ptr<Attempt> attempt = it->second;
    return attempt->OnAssignment(*assignment, stat.mzxid);
  }
  it->second = std::make_shared<Attempt>(AttemptParts{.loop = parts_.loop,
                                                      .options = &options_,
                                                      .paths = &paths_,
                                                      .runner = parts_.runner,
                                                      .store = &store_,
                                                      .host = this,
                                                      .random = parts_.random},
                                         std::string(parts.name.data(), parts.name.size()), stat.czxid);
  const std::shared_ptr<Attempt> attempt = it->second;
  attempt->Begin(*assignment, stat.mzxid);
}

void Agent::OnSynced(base::Zxid) {
  reading_ = false;
  synced_ = true;
  std::vector<std::shared_ptr<Attempt>> known;
  for (const auto& [fence, attempt] : attempts_) known.push_back(attempt);
  for (const std::shared_ptr<Attempt>& attempt : known) {
    if (seen_.count(attempt->fence()) != 0) {
      attempt->OnStillStands();
    } else {
      attempt->OnAssignmentGone();
    }
  }
  seen_.clear();
}

void Agent::OnProgramStarted() {
  ++counters_.programs_started;
  if (!report_tick_.armed()) report_tick_.Set(options_.report_interval, [this] { ReportRunning(); });
}

// One look for all of them, so that their transitions share frames.
void Agent::ReportRunning() {
  for (const auto& [fence, attempt] : attempts_) attempt->ReportRunning();
  if (!attempts_.empty()) report_tick_.Set(options_.report_interval, [this] { ReportRunning(); });
}

void Agent::OnCommitted(const Outcome& outcome) {
  if (outcome.again) {
    ++counters_.again;
  } else if (outcome.end.state == task::v1::SUCCEEDED) {
    ++counters_.succeeded;
  } else if (outcome.end.state == task::v1::CANCELLED) {
    ++counters_.cancelled;
  } else if (outcome.end.state == task::v1::LOST) {
    ++counters_.lost;
  } else {
    ++counters_.failed;
  }
}

void Agent::OnAttemptOver(base::Zxid fence) {
  const auto it = attempts_.find(fence);
  if (it == attempts_.end()) return;
  // It is still speaking: let go of it afterwards.
  parts_.loop->Post([attempt = std::move(it->second)] {});
  attempts_.erase(it);
  if (draining_) {
    parts_.loop->Post([this, alive = std::weak_ptr<int>(alive_)] {
      if (!alive.expired()) StopIfIdle();
    });
  }
}

// ---- the end ----

void Agent::Drain() {
  if (draining_ || stopped_) return;
  draining_ = true;
  kLog.Info("draining", {{"worker", options_.name}, {"running", attempts_.size()}});
  if (member_ != nullptr) {
    member_->Update(Info(), [](absl::Status status) {
      if (!status.ok()) kLog.Warning("the masters cannot be told of the drain", {{"status", status}});
    });
  }
  drain_limit_.Set(options_.drain_timeout, [this] { ReturnAll("waited long enough"); });
  StopIfIdle();
}

void Agent::ReturnAll(const char* why) {
  kLog.Warning("what runs is stopped and returned", {{"why", why}, {"running", attempts_.size()}});
  for (const auto& [fence, attempt] : attempts_) attempt->StopForDrain();
}

void Agent::StopIfIdle() {
  if (!draining_ || stopped_ || !attempts_.empty()) return;
  if (member_ == nullptr) return Stop(absl::OkStatus());
  if (leaving_) return;
  leaving_ = true;
  farewell_.Wait({.patience = options_.stop_patience}, [this] {
    kLog.Warning("the core does not answer: leaving without its word, the session will time out");
    unheard_ = true;
    Stop(absl::OkStatus());
  });
  // An assignment made just before the node goes is seen before the answer, and returned.
  member_->Leave([this, alive = std::weak_ptr<int>(alive_)](absl::Status status) {
    if (alive.expired()) return;
    if (!status.ok()) kLog.Warning("not deregistered", {{"status", status}});
    member_.reset();
    StopIfIdle();
  });
}

void Agent::Stop(absl::Status status) {
  if (stopped_) return;
  stopped_ = true;
  drain_limit_.Cancel();
  report_tick_.Cancel();
  replace_.Cancel();
  outage_.Stop();
  parts_.loop->Post([this, alive = std::weak_ptr<int>(alive_), status] {
    if (alive.expired()) return;
    // A closed session tells masters that nothing runs here any more. Only the reaper can say so, once it has killed what does.
    if (!attempts_.empty()) return Stopped(status);
    // Who does not take this worker's leave takes its session's close no sooner.
    farewell_.Wait({.patience = unheard_ ? base::Duration(0) : options_.stop_patience}, [this, status] { Stopped(status); });
    follower_.reset();
    drain_watch_.Stop();
    member_.reset();
    session_->RemoveObserver(this);
    session_->Close([this, alive, status](absl::Status) {
      if (!alive.expired()) Stopped(status);
    });
  });
}

void Agent::Stopped(const absl::Status& status) {
  if (told_) return;
  told_ = true;
  farewell_.Cancel();
  // Nothing is left that anybody would have to be told of.
  if (attempts_.empty()) parts_.runner->SetLastWill("");
  parts_.loop->Post([observer = parts_.observer, status] { observer->OnStopped(status); });
}

absl::Status Agent::Ready() const {
  if (stopped_) return absl::UnavailableError("stopping");
  if (session_ == nullptr || session_->state() != coord::SessionState::kConnected)
    return absl::UnavailableError("no connection to the core");
  if (!registered_) return absl::UnavailableError("not registered");
  if (draining_) return absl::UnavailableError("draining");
  return absl::OkStatus();
}

}  // namespace drover::worker::agent
