// A client process of a run: a real session over the simulated network that calls at random, and the record of all that it saw.
#ifndef DROVER_TESTS_SIM_RUN_CLIENT_H_
#define DROVER_TESTS_SIM_RUN_CLIENT_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/base/random.h"
#include "coord/client/session_machine.h"
#include "drover/coord/session.h"
#include "tests/sim/check/agreement.h"
#include "tests/sim/check/bounds.h"
#include "tests/sim/check/history.h"
#include "tests/sim/check/session_life.h"
#include "tests/sim/check/session_order.h"
#include "tests/sim/check/watch_stream.h"
#include "tests/sim/run/journal.h"
#include "tests/sim/run/plan.h"
#include "tests/sim/run/witness.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"

namespace drover::sim::run {

// One thread. Sessions follow each other: one that expired, or whose process was killed, is replaced by a new one.
class Client final : private coord::SessionObserver {
 public:
  static constexpr char kRegisters[] = "/r";  // plain nodes
  static constexpr char kLocks[] = "/e";      // ephemerals
  static constexpr char kQueue[] = "/q";      // sequential nodes
  static constexpr char kProbes[] = "/p";     // what liveness is judged by

  // What one session saw.
  struct Tale {
    check::SessionTrace order;
    check::SessionLife life;
    std::deque<check::WatchTrace> watches;
    std::vector<check::EffectiveWrite> acknowledged;
    std::uint64_t writes = 0;                                            // numbered so far
    std::vector<std::pair<std::size_t, std::uint64_t>> recorded_writes;  // of the history: its operation, the write's number
  };

  // `witness` tells what is committed when a call is made.
  Client(SimWorld* world, SimNetwork* network, Journal* journal, check::History* history, const Witness* witness, const Plan& plan,
         int id);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] static std::string Host(int id) { return "client" + std::to_string(id); }
  [[nodiscard]] std::string host() const { return Host(id_); }

  void Begin();
  // The parents of all that the load touches; one client makes them before anybody calls. True once they are there.
  void MakeParents();
  [[nodiscard]] bool parents_made() const { return parents_made_; }
  void StartLoad() { loading_ = true; }
  void StopLoad() { loading_ = false; }
  // This many calls at once, beyond those of its plan, while there is load.
  void Hurry(std::size_t calls);
  // The node that it is attached to; 0: none.
  [[nodiscard]] int attached_to() const;

  void Kill(base::Duration down_for);
  void Pause() {
    if (loop_) loop_->Pause();
  }
  void Resume() {
    if (loop_) loop_->Resume();
  }
  // RST of its links, from outside.
  void NoteLinkBreak();
  // What can be sampled: contacts that were acknowledged.
  void Sample();

  // A write that has to be answered; begun again in the next session if this one ends with it unknown. Once under way, ignored.
  void Probe();
  [[nodiscard]] const std::optional<check::Probe>& probe() const { return probe_; }
  // Everything asked is answered.
  [[nodiscard]] bool Idle() const {
    return in_flight_ == 0 && session_ != nullptr && session_->state() == coord::SessionState::kConnected;
  }
  // Brings every watch up to now.
  void Settle();
  [[nodiscard]] bool settled() const { return settled_; }

  [[nodiscard]] const std::deque<Tale>& tales() const { return tales_; }
  [[nodiscard]] std::uint64_t answers() const { return answers_; }
  [[nodiscard]] std::string Text() const;

 private:
  class Listener;
  // A call under way.
  struct Call {
    std::size_t tale = 0;
    std::optional<std::size_t> operation;  // in the history
    bool is_write = false;
    bool local = false;
    base::Zxid floor;  // committed when it was made
    check::Stamp sent = 0;
    std::uint64_t streams = 0;  // of its session, when it was made
    std::uint64_t number = 0;   // of a write
  };

  void OnConnected() override;
  void OnSuspended(const absl::Status& why) override;
  void OnExpired(const absl::Status& why) override;

  void Open();
  void CallLater();
  void CallOne();
  void CallRegister(std::uint64_t pick);
  void CallTransaction();
  void CallLock(std::uint64_t pick);
  void Watch(std::optional<coord::Position> after);
  [[nodiscard]] Call NewCall(std::optional<check::Operation> operation, bool is_write, bool local = false);
  // The answer came: into the records.
  void Answered(const Call& call, const absl::Status& status, base::Zxid zxid, check::Result result, const std::string& what);
  template <typename T, typename Fill>
  coord::Callback<T> Done(Call call, std::string what, Fill fill);
  [[nodiscard]] std::string Register();
  [[nodiscard]] std::string Lock();
  [[nodiscard]] std::string Data();
  [[nodiscard]] std::optional<std::uint32_t> Guess(const std::string& path);
  [[nodiscard]] Tale& tale() { return tales_.back(); }

  SimWorld* const world_;
  SimNetwork* const network_;
  Journal* const journal_;
  check::History* const history_;
  const Witness* const witness_;
  const Plan plan_;
  const int id_;
  base::SeededRandom random_;

  std::unique_ptr<SimLoop> loop_;
  std::unique_ptr<base::Dialer> dialer_;
  std::vector<std::unique_ptr<Listener>> listeners_;  // of this process
  std::unique_ptr<coord::client::SessionMachine> session_;
  std::deque<Tale> tales_;
  bool told_ = false;  // the session of now has a tale
  std::uint64_t process_ = 0;

  bool loading_ = false;
  bool parents_made_ = false;
  bool settled_ = false;
  std::size_t calls_ = 0;
  std::size_t in_flight_ = 0;
  std::uint64_t values_ = 0;
  std::uint64_t answers_ = 0;
  std::map<std::string, std::uint32_t> versions_;  // as seen last
  std::optional<check::Probe> probe_;
  bool probing_ = false;
};

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_CLIENT_H_
