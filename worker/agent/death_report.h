// Says that a worker process and all its tasks are dead: what its reaper does last, in a process of its own.
//
// In this order: `died/<process id>` is created, so that whoever sees the worker vanish finds it; then the worker's session is
// closed. Both are tried until the core answers, or until the will's patience is over: a death that could not be reported for so
// long is no news, as the session has timed out and masters have judged what was lost.
#ifndef DROVER_WORKER_AGENT_DEATH_REPORT_H_
#define DROVER_WORKER_AGENT_DEATH_REPORT_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "coord/base/connection.h"
#include "coord/base/loop.h"
#include "drover/coord/session.h"
#include "drover/coord/session_closer.h"
#include "worker/agent/last_will.h"

namespace drover::worker::agent {

// Loop thread. Destroying it gives up.
class DeathReport final : private coord::SessionObserver {
 public:
  // Starts at once; `done` once, when both are done or it was given up.
  DeathReport(base::Loop* loop, base::Dialer* dialer, LastWill will, absl::AnyInvocable<void()> done);
  ~DeathReport();
  DeathReport(const DeathReport&) = delete;
  DeathReport& operator=(const DeathReport&) = delete;

 private:
  void OnExpired(const absl::Status& why) override;

  void Open();
  void Create();
  void CloseSession();
  void GiveUp();

  base::Loop* const loop_;
  base::Dialer* const dialer_;
  const LastWill will_;
  absl::AnyInvocable<void()> done_;
  std::unique_ptr<coord::Session> session_;
  std::unique_ptr<coord::SessionCloser> closer_;
  base::Timer retry_;
  base::Timer patience_;
};

}  // namespace drover::worker::agent

#endif  // DROVER_WORKER_AGENT_DEATH_REPORT_H_
