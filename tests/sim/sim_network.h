// A simulated network: base::Connection and base::Dialer between simulated processes, and its faults.
//
// Frames arrive whole, copied, in order and asynchronously, after a random latency, as events of the receiver's loop. A cut
// direction is silence: what is sent waits, as TCP retransmits, and arrives when the direction heals. Only a process that ends (or
// a reset) is seen by its peers, as kPeerGone, and even that only if its FIN can travel.
#ifndef DROVER_TESTS_SIM_SIM_NETWORK_H_
#define DROVER_TESTS_SIM_SIM_NETWORK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "coord/base/connection.h"
#include "coord/base/time.h"
#include "tests/sim/sim_loop.h"

namespace drover::sim {

// A host is a name; an address is "host:port". Outlives every connection and dialer made with it. Faults may be called from any
// event, also from within a callback of a connection.
class SimNetwork {
 public:
  struct Options {
    base::Duration latency_min = std::chrono::microseconds(50);
    base::Duration latency_max = std::chrono::microseconds(500);
    base::Duration connect_timeout = std::chrono::seconds(5);
    // What one direction carries before Send leaves frames in the sender's own queue (socket buffers).
    std::size_t window_bytes = 256 * 1024;
  };
  // Called on the listener's loop. Returns who shall hear of the connection, or nullptr after destroying it.
  using Accept = std::function<base::ConnectionEvents*(std::unique_ptr<base::Connection>)>;

  SimNetwork(SimWorld* world, Options options);
  explicit SimNetwork(SimWorld* world) : SimNetwork(world, Options()) {}
  ~SimNetwork();
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  // `loop` must outlive the dialer and its connections (a stopped loop may be destroyed after Kill or PowerOff of its host).
  std::unique_ptr<base::Dialer> NewDialer(SimLoop* loop, std::string host);
  // Replaces an earlier listener at this address.
  void Listen(SimLoop* loop, const std::string& address, Accept accept);
  void StopListening(const std::string& address);

  // Silence from `from` to `to`, until healed. The other direction stays as it is.
  void Cut(const std::string& from, const std::string& to);
  void Heal(const std::string& from, const std::string& to);
  // Both directions.
  void CutPair(const std::string& a, const std::string& b);
  void HealPair(const std::string& a, const std::string& b);
  void HealAll();
  void SetLatency(const std::string& from, const std::string& to, base::Duration min, base::Duration max);

  // RST: every connection between the two ends as kPeerGone on both sides; what was in flight is lost.
  void Reset(const std::string& a, const std::string& b);
  // The process ends and its kernel says so: peers see kPeerGone. The connections of this host never call back again; destroy
  // them, and SimLoop::Stop its loop, in the same event. A new process may listen at once.
  void Kill(const std::string& host);
  // The host is gone without a word: silence. After PowerOn its old connections are reset as soon as their peers send.
  void PowerOff(const std::string& host);
  void PowerOn(const std::string& host);

  // Frames travel in this direction, and as fast as ever.
  [[nodiscard]] bool Clear(const std::string& from, const std::string& to) const;
  [[nodiscard]] std::uint64_t frames_delivered() const { return frames_delivered_; }

 private:
  class SimConnection;
  class SimDialer;
  struct Item;
  struct End;
  struct Pipe;
  struct Link;
  struct Listener {
    SimLoop* loop;
    Accept accept;
  };
  using LinkPtr = std::shared_ptr<Link>;

  [[nodiscard]] bool Blocked(const std::string& from, const std::string& to) const;
  [[nodiscard]] base::Duration Latency(const std::string& from, const std::string& to);
  std::unique_ptr<base::Connection> Dial(SimLoop* loop, const std::string& host, const std::string& address,
                                         base::ConnectionEvents* events);
  void Knock(const LinkPtr& link, const std::string& address, base::Instant deadline);
  void AcceptLink(const LinkPtr& link, const std::string& address);
  void Refuse(const LinkPtr& link, const std::string& words);
  // Directions are named by the number of the end that sends: 0 the dialer, 1 the listener.
  void Append(const LinkPtr& link, int from, Item item);
  void Pump(const LinkPtr& link, int from);
  void Arrive(const LinkPtr& link, int from);
  void Deliver(const LinkPtr& link, int from, Item item);
  void ScheduleTake(const LinkPtr& link, int end);
  void Take(const LinkPtr& link, int end);
  void Destroyed(const LinkPtr& link, int end);
  void CloseEnd(const LinkPtr& link, int end, const absl::Status& status);
  void Drop(const LinkPtr& link, int from);
  void SendAgain();
  void Forget();

  SimWorld* const world_;
  const Options options_;
  std::map<std::string, Listener> listeners_;
  std::set<std::pair<std::string, std::string>> cuts_;
  std::set<std::string> off_;
  std::map<std::pair<std::string, std::string>, std::pair<base::Duration, base::Duration>> latencies_;
  std::map<std::uint64_t, LinkPtr> links_;
  std::uint64_t last_link_ = 0;
  std::uint64_t frames_delivered_ = 0;
};

}  // namespace drover::sim

#endif  // DROVER_TESTS_SIM_SIM_NETWORK_H_
