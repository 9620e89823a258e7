// The worker's brain: registers, takes assignments, follows each attempt to its committed outcome, survives the loss of its
// session.
//
//   Agent agent({.loop = &loop, .dialer = &dialer, .runner = runner.get(), .store = open_store}, options, &observer);
//   agent.Start(); ... agent.Drain(); ... observer.OnStopped(status)
//
// Life: a session -> the pool's store is found and proven the same -> registered under its name, watching its assignments -> ... ->
// Drain -> deregistered, session closed -> OnStopped(OK). An expired session is replaced: the process id stays, so what runs and
// still stands goes on. A name that stays taken, or the wrong store, ends it: OnStopped with a sentence for the operator.
//
// Threads: the loop's. OnStopped does not come from inside a call; the agent may be destroyed after it.
#ifndef DROVER_WORKER_AGENT_AGENT_H_
#define DROVER_WORKER_AGENT_AGENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/base/connection.h"
#include "coord/base/loop.h"
#include "coord/base/random.h"
#include "drover/coord/session.h"
#include "drover/coord/subtree.h"
#include "drover/recipes/farewell.h"
#include "drover/recipes/membership.h"
#include "master/pool/outage_log.h"
#include "master/pool/pool_store.h"
#include "master/records/paths.h"
#include "worker/agent/attempt.h"
#include "worker/agent/drain_watch.h"
#include "worker/agent/options.h"
#include "worker/exec/process_runner.h"

namespace drover::worker::agent {

class AgentObserver {
 public:
  // The last event. OK: drained. If attempts() are left, the session is open and the last will stands: the process is to end
  // without destroying its runner, so that the reaper kills what runs, says so, and closes the session, in this order.
  virtual void OnStopped(const absl::Status& status) = 0;

 protected:
  ~AgentObserver() = default;
};

struct AgentCounters {
  std::uint64_t programs_started = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t lost = 0;
  std::uint64_t again = 0;
  std::uint64_t refused = 0;  // commits of attempts that did not stand any more, and programs stopped for that
  std::uint64_t sessions = 0;
};

// Where sessions come from: the real one dials; tests hand out their own.
using SessionFactory = std::function<std::unique_ptr<coord::Session>(const coord::SessionOptions&)>;

struct AgentParts {
  base::Loop* loop = nullptr;
  SessionFactory open_session;
  exec::ProcessRunner* runner = nullptr;
  pool::StoreOpener open_store;
  std::string store_url;     // --store; may be empty
  std::string fresh_marker;  // random
  base::Random* random = nullptr;
  AgentObserver* observer = nullptr;
};

class Agent final : private coord::SessionObserver,
                    private coord::SubtreeListener,
                    private recipes::MemberObserver,
                    private AttemptHost {
 public:
  Agent(AgentParts parts, AgentOptions options);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  void Start();
  // Takes no new task, waits for those that run up to the drain time-out, returns them then, and stops. Again: ignored.
  void Drain();

  [[nodiscard]] const AgentCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t attempts() const { return attempts_.size(); }
  // OK: registered, with a live session.
  [[nodiscard]] absl::Status Ready() const;

 private:
  void OnConnected() override;
  void OnSuspended(const absl::Status& why) override;
  void OnExpired(const absl::Status& why) override;

  void OnReset(coord::ResetCause cause) override;
  void OnNode(const coord::Node& node, base::Zxid zxid) override;
  void OnEvent(const coord::Event& event) override;
  void OnSynced(base::Zxid zxid) override;

  void OnRegistered(base::Zxid incarnation) override;
  void OnWaiting(const coord::Node& holder) override;
  void OnNameTaken(const coord::Node& holder) override;
  void OnLost(const absl::Status& why) override;

  coord::Session* session() override { return session_.get(); }
  bool draining() const override { return draining_ || drain_watch_.due(); }
  void RefreshLease() override;
  bool LeaseHolds() const override;
  void OnProgramStarted() override;
  void OnRefused() override { ++counters_.refused; }
  void OnCommitted(const Outcome& outcome) override;
  void OnAttemptOver(base::Zxid fence) override;

  void OpenSession();
  void ReplaceSession();
  void Register();
  void Follow();
  // Ends what runs, and returns it.
  void ReturnAll(const char* why);
  void SeeAssignment(const std::string& path, const coord::Stat& stat, const std::string& data);
  // Until when `stop` tasks may live.
  [[nodiscard]] base::Instant LeaseDeadline() const;
  void Tick();
  void ReportRunning();
  void StopIfIdle();
  void Stop(absl::Status status);
  void Stopped(const absl::Status& status);
  [[nodiscard]] std::string Info() const;

  const AgentParts parts_;
  const AgentOptions options_;
  const records::PoolPaths paths_;
  pool::PoolStore store_;
  pool::OutageLog outage_;

  std::unique_ptr<coord::Session> session_;
  std::unique_ptr<coord::SubtreeFollower> follower_;
  std::unique_ptr<recipes::Member> member_;
  std::map<base::Zxid, std::shared_ptr<Attempt>> attempts_;  // by fence
  std::map<base::Zxid, bool> seen_;                          // while a reading lasts: fences that stand
  bool reading_ = false;
  bool synced_ = false;  // the session's view has been read
  bool registered_ = false;
  bool draining_ = false;
  bool leaving_ = false;
  bool unheard_ = false;  // nobody took this worker's leave
  bool stopped_ = false;  // no more is begun
  bool told_ = false;     // OnStopped is on its way
  AgentCounters counters_;
  base::Timer replace_;
  base::Timer lease_tick_;
  DrainWatch drain_watch_;
  base::Timer report_tick_;
  base::Timer drain_limit_;
  recipes::Farewell farewell_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace drover::worker::agent

#endif  // DROVER_WORKER_AGENT_AGENT_H_
