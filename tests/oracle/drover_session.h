// A session of ours, through the client library that programs use.
//
// Threads: Execute blocks and is called from one thread that is not the loop's; everything else happens on the loop.
#ifndef DROVER_TESTS_ORACLE_DROVER_SESSION_H_
#define DROVER_TESTS_ORACLE_DROVER_SESSION_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "drover/coord/session.h"
#include "tests/oracle/answer.h"
#include "tests/oracle/operation.h"

namespace drover::oracle {

class DroverSession {
 public:
  // Starts to open. `thread` and `dialer` outlive it.
  DroverSession(transport::LoopThread* thread, transport::GrpcDialer* dialer, const std::string& address);
  // Drops the session; it ends by its time-out unless it was closed.
  ~DroverSession();
  DroverSession(const DroverSession&) = delete;
  DroverSession& operator=(const DroverSession&) = delete;

  // Of kOpen: waits for the grant. UNAVAILABLE: nothing came within a minute.
  [[nodiscard]] absl::StatusOr<std::vector<Reply>> Execute(absl::Span<const Operation> burst);

  // The service has heard of the session after its opening: whoever drops it from now on leaves it to the grace of a broken link.
  [[nodiscard]] bool IsHeard();

 private:
  class Waiter;
  class Grant;
  class Watch;
  using Done = std::shared_ptr<Waiter>;

  // On the loop.
  void Begin(const Operation& operation, const Done& done);
  void BeginCreate(const Operation& operation, const Done& done);
  void BeginMulti(const Operation& operation, const Done& done);
  void BeginRead(const Operation& operation, const Done& done);
  void BeginWatch(const Operation& operation, const Done& done);
  void Arm(const Operation& operation, std::optional<coord::Position> after, Answer answer, const Done& done);
  // Hands over the answer; the last of a burst with the events so far.
  void Finish(const Done& done, Answer answer);
  void OnEvent(Event heard);

  transport::LoopThread* const thread_;
  // Of the loop's thread; made and destroyed there.
  std::unique_ptr<Grant> grant_;
  std::unique_ptr<coord::Session> session_;
  std::map<std::string, std::unique_ptr<Watch>> watches_;  // by path
  std::size_t unanswered_ = 0;                             // of the burst at hand
  std::vector<Event> events_;                              // not handed over yet
};

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_DROVER_SESSION_H_
