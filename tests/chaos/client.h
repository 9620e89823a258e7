// A client of a round: one session after the other, calls at random on plain nodes and on ephemerals, one at a time, all recorded.
//
// Threads: its own, on which it calls; every method may be called from any thread.
#ifndef DROVER_TESTS_CHAOS_CLIENT_H_
#define DROVER_TESTS_CHAOS_CLIENT_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "coord/base/random.h"
#include "drover/coord/blocking.h"
#include "tests/chaos/recorder.h"

namespace drover::chaos {

// Below the root of a round: plain nodes and ephemerals, a few of each, so that clients meet.
inline constexpr int kRegisters = 6;
inline constexpr int kLocks = 3;

class Client {
 public:
  struct Options {
    std::vector<std::string> addresses;
    int id = 0;
    std::uint64_t seed = 0;
    std::string root;  // of the round; is there
    std::chrono::milliseconds pause_max{8};
    std::chrono::milliseconds session_timeout{4'000};
    std::chrono::milliseconds disconnect_grace{0};
    std::uint64_t doze_one_in = 0;       // of so many calls one is followed by a sleep that costs it its session; 0: none
    std::chrono::seconds patience{120};  // with one call
  };

  // Begins at once. `recorder` outlives it.
  Client(Options options, Recorder* recorder);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // No call is made from here on; the session is closed. Waits for what is under way. Idempotent.
  void Stop();

 private:
  struct Call {
    std::size_t number = 0;  // in the history
    check::Stamp invoked = 0;
  };

  void Run();
  bool Connected();
  void Doze();
  void CallOne();
  void CallRegister(const std::string& path, std::uint64_t pick);
  void CallTransaction();
  void CallLock(const std::string& path, std::uint64_t pick);
  // Asks for what `operation` says and records what came of it.
  void Create(check::Operation operation, const coord::CreateOptions& how);
  void Set(check::Operation operation);
  void Delete(check::Operation operation);
  void Get(check::Operation operation);
  void Exists(check::Operation operation);
  Call Invoke(check::Operation operation);
  void Returned(const Call& call, const absl::Status& status, check::Result result, base::Zxid zxid);
  void EndOfSession();

  [[nodiscard]] std::string Register();
  [[nodiscard]] std::string Data();

  const Options options_;
  Recorder* const recorder_;
  base::SeededRandom random_;
  std::unique_ptr<coord::BlockingClient> session_;
  base::SessionId id_;
  check::Stamp alive_ = 0;                         // the session was, at some time after this
  std::map<std::string, std::uint32_t> versions_;  // as seen last
  std::uint64_t values_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;  // last: it uses everything above
};

}  // namespace drover::chaos

#endif  // DROVER_TESTS_CHAOS_CLIENT_H_
