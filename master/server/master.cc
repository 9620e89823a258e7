#include "master/server/master.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "coord/process/logging.h"
#include "drover/coord/cluster_time.h"
#include "master/records/codec.h"

namespace drover::master::server {
namespace {

const process::Logger kLog("master.server");
constexpr base::Duration kSweepInterval = std::chrono::milliseconds(100);
constexpr base::Duration kArrayPause = std::chrono::milliseconds(200);

}  // namespace

Master::Master(base::Loop* loop, MasterOptions options, Hooks hooks)
    : loop_(loop),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      paths_(options_.pool),
      outage_(loop, kLog, options_.session.endpoints, [this] { return session(); }),
      arrays_(loop),
      reopen_(loop),
      sweep_(loop),
      farewell_(loop, [this] { return session(); }) {}

Master::~Master() {
  *alive_ = false;
  if (term_ != nullptr) EndTerm();
  for (auto& term : retired_) term->committer.reset();
}

void Master::SetAddress(const std::string& address) {
  options_.address = address;
  if (options_.id.empty()) options_.id = address;
}

void Master::Start() {
  BeginTerm();
}

void Master::BeginTerm() {
  if (stopping_) return;
  term_ = std::make_unique<Term>();
  Term* term = term_.get();
  term->session = hooks_.open_session(options_.session);
  coord::Session* session = term->session.get();
  session->AddObserver(this);
  outage_.Opened();
  term->committer = std::make_unique<state::Committer>(loop_, session, options_.committer, hooks_.commits);
  state::Planner::Hooks planner_hooks;
  planner_hooks.cluster_now_ms = [this] { return ClusterNowMs(); };
  planner_hooks.cluster_passed_ms = [this] { return ClusterPassedMs(); };
  planner_hooks.sync = [session](std::function<void(base::Zxid)> done) {
    session->Sync([done = std::move(done)](absl::StatusOr<base::Zxid> zxid) { done(zxid.value_or(base::Zxid())); });
  };
  planner_hooks.retired = hooks_.retired;
  planner_hooks.step_down = [this] {
    loop_->Post([this, alive = alive_] {
      if (*alive) StepDown();
    });
  };
  planner_hooks.also = this;
  term->planner = std::make_unique<state::Planner>(loop_, options_.planner, std::move(planner_hooks));
  term->view = std::make_unique<state::View>(session, paths_, term->planner.get());
  term->planner->Attach(term->view.get());
  worker::v1::CandidateInfo info;
  info.set_address(options_.address);
  info.set_version(options_.version);
  info.set_id(options_.id);
  recipes::ElectionObserver* observer = this;
  term->election = std::make_unique<recipes::Election>(
      session, recipes::ElectionOptions{.path = paths_.Masters(), .data = records::Encode(info)}, observer);
  term->election->Stand();
  if (hooks_.session_replaced) hooks_.session_replaced();
}

// View, planner and candidacy go; the committer stays with its session until its steps are answered.
void Master::EndTerm() {
  std::unique_ptr<Term> term = std::move(term_);
  StopServing();
  term->session->RemoveObserver(this);
  term->planner->StopLeading();
  term->election.reset();
  term->view.reset();
  term->planner.reset();
  retired_.push_back(std::move(term));
  if (*alive_) SweepRetired();
}

void Master::SweepRetired() {
  retired_.erase(std::remove_if(retired_.begin(), retired_.end(),
                                [](const std::unique_ptr<Term>& term) {
                                  if (term->committer->outstanding() > 0) return false;
                                  term->committer.reset();
                                  return true;
                                }),
                 retired_.end());
  if (!retired_.empty()) sweep_.Set(kSweepInterval, [this] { SweepRetired(); });
}

void Master::Stop(base::Duration patience, base::Task done) {
  stopping_ = true;
  reopen_.Cancel();
  outage_.Stop();
  if (term_ == nullptr) {
    loop_->Post(std::move(done));
    return;
  }
  auto finish = std::make_shared<base::Task>(std::move(done));
  const auto once = [finish] {
    if (*finish) std::exchange(*finish, nullptr)();
  };
  StopServing();
  term_->planner->StopLeading();
  term_->session->Close([once](const absl::Status&) { once(); });
  farewell_.Wait({.patience = patience}, once);
}

// ---- session ----

void Master::OnConnected() {
  outage_.Connected();
  kLog.Info("connected", {{"session", session()->id()}});
  Changed();
}

void Master::OnSuspended(const absl::Status& why) {
  if (!stopping_) outage_.Lost(why);
  Changed();
}

void Master::OnExpired(const absl::Status& why) {
  kLog.Warning("session expired: beginning anew as a candidate", {{"session", session()->id()}, {"error", why}});
  loop_->Post([this, alive = alive_] {
    if (!*alive || term_ == nullptr) return;
    EndTerm();
    Changed();
    reopen_.Set(options_.reopen_delay, [this] { BeginTerm(); });
  });
}

// ---- election ----

void Master::OnElected(const recipes::Leadership& mine) {
  kLog.Info("elected", {{"epoch", mine.epoch}, {"since", mine.since}, {"session", session()->id()}});
  term_->elected = true;
  if (!stopping_) term_->planner->Lead({mine.path, mine.epoch}, mine.since, term_->committer.get());
  Changed();
}

void Master::OnDeposed(const absl::Status& why) {
  if (stopping_) {
    kLog.Info("its place is free for another", {{"session", session()->id()}});
  } else {
    kLog.Warning("stands or leads no more", {{"session", session()->id()}, {"error", why}});
  }
  term_->elected = false;
  term_->planner->StopLeading();
  StopServing();
  Changed();
  if (coord::IsSessionExpired(why)) return;  // OnExpired does the rest
  StandAgain();
}

void Master::StandAgain() {
  loop_->Post([this, alive = alive_] {
    if (*alive && term_ != nullptr && !stopping_) term_->election->Stand();
  });
}

void Master::StepDown() {
  if (term_ == nullptr || !term_->planner->leads() || term_->election->candidates().size() < 2) return;
  kLog.Warning("the view lost its history: resigning, another candidate stands", {{"epoch", epoch()}});
  term_->elected = false;
  term_->planner->StopLeading();
  StopServing();
  Changed();
  term_->election->Resign([this, alive = alive_](const absl::Status&) {
    if (*alive) StandAgain();
  });
}

void Master::OnCandidates(const std::vector<recipes::Candidate>&) {
  Changed();
}

// ---- view ----

void Master::OnViewReset(coord::ResetCause cause) {
  if (cause == coord::ResetCause::kCompacted) kLog.Warning("the view's history was compacted: reading anew", {});
  std::vector<std::string> ids;
  for (const auto& [id, listeners] : listeners_) ids.push_back(id);
  for (const std::string& id : ids) Notify(id);
}

void Master::OnViewSynced() {
  kLog.Info("view is current", {{"zxid", view().zxid()}, {"tasks", view().tasks()}, {"workers", view().workers().size()}});
  std::vector<std::string> ids;
  for (const auto& [id, listeners] : listeners_) ids.push_back(id);
  for (const std::string& id : ids) Notify(id);
  Changed();
}

void Master::OnTask(const state::TaskView& task) {
  Notify(task.id);
}
void Master::OnTaskGone(const state::TaskView& task) {
  Notify(task.id);
}
void Master::OnAssignment(const std::string&, const std::string& task) {
  Notify(task);
}

// Hundreds of its elements may end in a second; whoever watches it sees how far it has come often enough.
void Master::OnArray(const std::string& task) {
  if (listeners_.empty()) return;
  const bool first = arrays_changed_.empty();
  arrays_changed_.insert(task);
  if (first) arrays_.Set(kArrayPause, [this] { NotifyArrays(); });
}

void Master::NotifyArrays() {
  for (const std::string& array : std::exchange(arrays_changed_, {})) {
    Notify(array);
    // Its elements that have no record change with it.
    std::vector<std::string> elements;
    const std::string prefix = array + ":";
    for (auto it = listeners_.lower_bound(prefix); it != listeners_.end() && absl::StartsWith(it->first, prefix); ++it) {
      elements.push_back(it->first);
    }
    for (const std::string& element : elements) Notify(element);
  }
}

void Master::Notify(const std::string& task) {
  const auto found = listeners_.find(task);
  if (found == listeners_.end()) return;
  for (TaskListener* listener : found->second) listener->OnTaskChanged(task);
}

void Master::Listen(const std::string& task, TaskListener* listener) {
  listeners_[task].push_back(listener);
}

void Master::Unlisten(const std::string& task, TaskListener* listener) {
  const auto found = listeners_.find(task);
  if (found == listeners_.end()) return;
  auto& all = found->second;
  all.erase(std::remove(all.begin(), all.end(), listener), all.end());
  if (found->second.empty()) listeners_.erase(found);
}

// ---- questions ----

bool Master::ready() const {
  return term_ != nullptr && term_->session->state() == coord::SessionState::kConnected && term_->view->synced();
}

bool Master::serving() const {
  return ready() && term_->planner->planning() && !stopping_;
}

base::Zxid Master::epoch() const {
  if (term_ == nullptr || term_->election->state() != recipes::Election::State::kLeading) return base::Zxid();
  return term_->election->leadership().epoch;
}

std::vector<MasterInfo> Master::masters() const {
  std::vector<MasterInfo> masters;
  if (term_ == nullptr) return masters;
  for (const recipes::Candidate& candidate : term_->election->candidates()) {
    const auto info = records::DecodeCandidateInfo(candidate.data);
    MasterInfo master;
    if (info.ok()) {
      master.id = info->id();
      master.address = info->address();
    }
    master.epoch = candidate.epoch;
    master.leader = masters.empty();
    master.self = candidate.session == term_->session->id();
    masters.push_back(std::move(master));
  }
  return masters;
}

std::int64_t Master::ClusterNowMs() const {
  const std::int64_t agreed = term_ == nullptr ? 0 : coord::ClusterTimeNow(*term_->session).value;
  return agreed != 0 ? agreed : loop_->WallNow().value;
}

std::int64_t Master::ClusterPassedMs() const {
  const std::int64_t agreed = term_ == nullptr ? 0 : coord::ClusterTimePassed(*term_->session).value;
  return agreed != 0 ? agreed : loop_->WallNow().value;
}

void Master::AwaitView(base::Zxid zxid, std::function<void(absl::Status)> done) {
  if (term_ != nullptr && term_->view->zxid() >= zxid) return done(absl::OkStatus());
  Confirm([this, alive = alive_, zxid, done = std::move(done)](absl::Status status) {
    if (status.ok() && (!*alive || term_ == nullptr || term_->view->zxid() < zxid)) {
      status = absl::UnavailableError("this master has not seen yet what you have seen; try again");
    }
    done(std::move(status));
  });
}

void Master::Confirm(std::function<void(absl::Status)> done) const {
  if (term_ == nullptr) return done(absl::UnavailableError("this master has no session with the core now; try again"));
  term_->session->Sync([done = std::move(done)](const absl::StatusOr<base::Zxid>& zxid) {
    done(zxid.ok() ? absl::OkStatus() : absl::UnavailableError("the core does not answer now; try again"));
  });
}

// Whoever waits at this master is sent to the next one.
void Master::StopServing() {
  std::vector<TaskListener*> all;
  for (const auto& [id, listeners] : listeners_) all.insert(all.end(), listeners.begin(), listeners.end());
  for (TaskListener* listener : all) listener->OnServiceEnded();  // saying it again does no harm
}

void Master::Changed() {
  if (hooks_.changed) hooks_.changed();
}

}  // namespace drover::master::server
