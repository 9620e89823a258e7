// A TCP proxy between two processes under test that can misbehave as a network does.
//
// Threads: one of its own relays; every method may be called from any thread and has taken effect when it returns.
#ifndef DROVER_TESTS_SUPPORT_PROXY_H_
#define DROVER_TESTS_SUPPORT_PROXY_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace drover::testing {

class Proxy {
 public:
  // Tells who connects from this port of the loopback, by a number of the owner's choice. Called on the proxy's thread.
  using CallerOf = std::function<int(int client_port)>;

  // Listens on a free loopback port and relays to 127.0.0.1:`target_port`. With `caller_of` one caller can be cut off alone.
  explicit Proxy(int target_port, CallerOf caller_of = nullptr);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Silence: bytes in that direction are held back (what both sides see of a cut cable), connections stay open, new ones are
  // accepted and stay silent. Heal lets everything held go on its way.
  void CutToServer();
  void CutToClient();
  void Cut();  // both
  // The same for one caller alone.
  void CutToServer(int caller);
  void CutToClient(int caller);
  void Heal();
  // Every byte takes this much longer, in either direction.
  void Delay(std::chrono::milliseconds delay);
  // Closes every connection with RST, as a killed process does; with `refuse` also every new one until Heal.
  void Reset(bool refuse = false);

  [[nodiscard]] std::uint64_t connections() const { return connections_; }  // accepted so far

 private:
  struct Chunk;
  struct Pipe;
  struct Link;
  void Run();
  void Wake();

  const int target_port_;
  const CallerOf caller_of_;
  int port_ = 0;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> connections_{0};

  std::mutex mu_;  // guards what follows
  bool cut_to_server_ = false;
  bool cut_to_client_ = false;
  std::set<int> callers_cut_to_server_;
  std::set<int> callers_cut_to_client_;
  bool refuse_ = false;
  std::chrono::milliseconds delay_{0};
  std::list<Link> links_;
  std::thread thread_;
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_PROXY_H_
