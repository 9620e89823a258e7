// What keeps the services of several hosts running, as systemd does by the units of deploy/systemd: scripts that find the programs
// of `programs()` before others on their PATH start and stop them with `systemctl`, and read what they said with `journalctl`.
//
// A service drover-ROLE of a host is that program with the host's /etc/drover/ROLE.toml. One that ends without being told to is
// started again a second later (Restart=always, RestartSec=1), until it is stopped. Stopping is SIGTERM and the wait for the end.
//
// Threads: one of its own, whose children the services are; every method may be called from any other.
#ifndef DROVER_TESTS_SUPPORT_SERVICES_H_
#define DROVER_TESTS_SUPPORT_SERVICES_H_

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/process.h"

namespace drover::testing {

class Services {
 public:
  // Below `root` each host has a directory with its `etc/drover`. `binaries`: where drover-ROLE is.
  Services(std::string root, std::string binaries);
  // Kills all that still runs.
  ~Services();
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

  // For the PATH of scripts; DROVER_TEST_HOST says on which host one runs.
  [[nodiscard]] std::string programs() const { return root_ + "/programs"; }
  // What a service's environment has besides, from its next start on.
  void SetEnvironment(const std::string& host, const std::string& service, std::map<std::string, std::string> environment);
  // `systemctl WORDS...` on a host; throws with its answer unless that succeeds.
  void Systemctl(const std::string& host, const std::vector<std::string>& words);
  // The power goes: SIGKILL to all of a host's services, and nobody starts them again.
  void Lose(const std::string& host);
  // The process of a service that runs; 0: none does.
  pid_t PidOf(const std::string& host, const std::string& service);
  // All that a service has said, over all its starts.
  [[nodiscard]] std::string Log(const std::string& host, const std::string& service) const;

 private:
  using Name = std::pair<std::string, std::string>;  // host, service
  struct Service {
    std::unique_ptr<Process> process;
    bool wanted = false;
    std::optional<std::chrono::steady_clock::time_point> ended;
  };
  struct Answer {
    int exit_code = 0;
    std::string text;
  };

  void WritePrograms() const;
  void Run();
  Answer Obey(const std::string& host, std::vector<std::string> words);
  Answer ObeyOne(const std::string& verb, const std::string& signal, const Name& name);
  void Start(const Name& name);
  void Stop(const Name& name);
  void StartAgain();
  [[nodiscard]] std::string LogPath(const Name& name) const;

  const std::string root_;
  const std::string binaries_;
  int asked_ = -1;  // FIFOs between `systemctl` and the thread
  int answered_ = -1;
  std::atomic<bool> ending_ = false;
  std::map<Name, Service> services_;  // of the thread

  std::mutex mu_;  // guards what follows
  std::map<Name, std::map<std::string, std::string>> environments_;
  std::map<Name, pid_t> pids_;

  std::thread thread_;  // last: it uses everything above
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_SERVICES_H_
