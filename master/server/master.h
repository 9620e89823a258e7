// One master process's part in its pool: session, candidacy, view, planning; over and over, for as long as the process lives.
//
//   session -> view and candidacy -> elected: plans -> deposed: stands again | session expired: drops everything, begins anew
//
// A *term of service* is what hangs on one session. When the session expires, view, planner and candidacy go at once; the committer
// stays with its session until its last step is answered, so that a step that was held is refused for what it is and counted.
//
// Threads: the loop's.
#ifndef DROVER_MASTER_SERVER_MASTER_H_
#define DROVER_MASTER_SERVER_MASTER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coord/base/loop.h"
#include "drover/coord/session.h"
#include "drover/recipes/election.h"
#include "drover/recipes/farewell.h"
#include "master/pool/outage_log.h"
#include "master/records/paths.h"
#include "master/state/committer.h"
#include "master/state/planner.h"
#include "master/state/view.h"

namespace drover::master::server {

struct MasterOptions {
  std::string pool = "default";
  std::string id;       // for people: `drover master list`
  std::string address;  // where standbys and clients reach this one
  std::string version;
  coord::SessionOptions session;
  state::PlannerOptions planner;
  state::CommitterOptions committer;
  // Before a new session is opened after one that expired.
  base::Duration reopen_delay = std::chrono::milliseconds(50);
};

struct MasterInfo {
  std::string id;
  std::string address;
  base::Zxid epoch;
  bool leader = false;
  bool self = false;
};

// Is told of changes of one task it asked for.
class TaskListener {
 public:
  // The task changed, went or was read anew. Look at the view from a posted task, not from in here.
  virtual void OnTaskChanged(const std::string& id) = 0;
  // This master does not lead any more.
  virtual void OnServiceEnded() = 0;

 protected:
  ~TaskListener() = default;
};

class Master final : private coord::SessionObserver, private recipes::ElectionObserver, private state::ViewObserver {
 public:
  using OpenSession = std::function<std::unique_ptr<coord::Session>(const coord::SessionOptions&)>;
  struct Hooks {
    OpenSession open_session;
    state::CommitObserver* commits = nullptr;  // may be null
    // Role, readiness or candidates changed.
    std::function<void()> changed;
    // A record this master retired: its objects may go.
    std::function<void(const std::string& id, const worker::v1::TaskRecord&)> retired;
    // The session was replaced: what was asked of the old one is not answered.
    std::function<void()> session_replaced;
  };

  Master(base::Loop* loop, MasterOptions options, Hooks hooks);
  ~Master();
  Master(const Master&) = delete;
  Master& operator=(const Master&) = delete;

  // Before Start, where the port was not known at construction; becomes the id too, if there is none.
  void SetAddress(const std::string& address);
  void Start();
  [[nodiscard]] const std::string& id() const { return options_.id; }
  // Resigns and closes the session; `done` follows, at the latest after `patience`, sooner where the core is gone.
  void Stop(base::Duration patience, base::Task done);

  // Leads and plans: it may answer.
  [[nodiscard]] bool serving() const;
  [[nodiscard]] bool leading() const { return term_ != nullptr && term_->planner->leads(); }
  // Has a session and a current view: it could lead.
  [[nodiscard]] bool ready() const;
  [[nodiscard]] base::Zxid epoch() const;
  // The leader first; empty while unknown.
  [[nodiscard]] std::vector<MasterInfo> masters() const;

  // The cluster's time now, milliseconds since 1970; this host's as long as none was heard.
  [[nodiscard]] std::int64_t ClusterNowMs() const;
  // The time that has certainly come, by which is judged what is over (drover/coord/cluster_time.h).
  [[nodiscard]] std::int64_t ClusterPassedMs() const;

  // Null between two sessions.
  [[nodiscard]] coord::Session* session() const { return term_ == nullptr ? nullptr : term_->session.get(); }
  [[nodiscard]] state::Planner& planner() { return *term_->planner; }
  [[nodiscard]] const state::Planner& planner() const { return *term_->planner; }
  // Only while ready().
  [[nodiscard]] const state::View& view() const { return *term_->view; }
  [[nodiscard]] const records::PoolPaths& paths() const { return paths_; }

  // Calls back once the view shows `zxid` or newer: UNAVAILABLE if it does not after having asked the core.
  void AwaitView(base::Zxid zxid, std::function<void(absl::Status)> done);
  // Calls back once the view shows everything that was committed when this was called.
  void Confirm(std::function<void(absl::Status)> done) const;

  void Listen(const std::string& task, TaskListener* listener);
  void Unlisten(const std::string& task, TaskListener* listener);

 private:
  struct Term {
    std::unique_ptr<coord::Session> session;
    std::unique_ptr<state::Committer> committer;
    std::unique_ptr<state::Planner> planner;
    std::unique_ptr<state::View> view;
    std::unique_ptr<recipes::Election> election;
    bool elected = false;
  };

  void OnConnected() override;
  void OnSuspended(const absl::Status& why) override;
  void OnExpired(const absl::Status& why) override;

  void OnElected(const recipes::Leadership& mine) override;
  void OnDeposed(const absl::Status& why) override;
  void OnCandidates(const std::vector<recipes::Candidate>& candidates) override;

  void OnViewReset(coord::ResetCause cause) override;
  void OnViewSynced() override;
  void OnViewProgress() override {}
  void OnTask(const state::TaskView& task) override;
  void OnTaskGone(const state::TaskView& task) override;
  void OnWorker(const std::string&) override {}
  void OnAssignment(const std::string& worker, const std::string& task) override;
  void OnDied(const std::string&) override {}
  void OnArray(const std::string& task) override;

  void BeginTerm();
  void EndTerm();
  void SweepRetired();
  void StandAgain();
  void StepDown();
  void StopServing();
  void Notify(const std::string& task);
  void NotifyArrays();
  void Changed();

  base::Loop* const loop_;
  MasterOptions options_;  // constant after Start
  const Hooks hooks_;
  const records::PoolPaths paths_;
  std::unique_ptr<Term> term_;
  pool::OutageLog outage_;
  std::vector<std::unique_ptr<Term>> retired_;                   // sessions whose committers wait for answers
  std::map<std::string, std::vector<TaskListener*>> listeners_;  // in the order they came
  bool stopping_ = false;
  std::set<std::string> arrays_changed_;  // that somebody listens to, or to an element of
  base::Timer arrays_;
  base::Timer reopen_;
  base::Timer sweep_;
  recipes::Farewell farewell_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_MASTER_H_
