// The network between the nodes of a coordination core: a proxy before each, which knows from which node a connection comes, so
// that the words of one node to another can be cut alone. Clients do not go through it.
//
// Threads: the proxies have their own; every method may be called from any thread and has taken effect when it returns.
#ifndef DROVER_TESTS_SUPPORT_CORE_NETWORK_H_
#define DROVER_TESTS_SUPPORT_CORE_NETWORK_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/proxy.h"

namespace drover::testing {

// The process that has the loopback connection from `client_port` to `server_port`, if it is one for which `asked` holds; else 0.
pid_t OwnerOfConnection(int client_port, int server_port, const std::function<bool(pid_t)>& asked);

class CoreNetwork {
 public:
  // `ports[i]`: where node i listens. Its process is told from others by `data[i]`, a word of its command line.
  CoreNetwork(const std::vector<int>& ports, std::vector<std::string> data);

  // Where the others reach node i.
  [[nodiscard]] std::string address(int i) const { return proxies_.at(static_cast<std::size_t>(i))->address(); }

  // Silence, as of a cut cable: what `from` says does not reach `to` any more; what `to` says still reaches `from`.
  void Silence(int from, int to);
  void Cut(int a, int b);  // both ways
  void Isolate(int node);  // from all the others
  void Heal();
  // Every byte to or from node i takes this much longer.
  void Delay(int i, std::chrono::milliseconds delay) { proxies_.at(static_cast<std::size_t>(i))->Delay(delay); }

 private:
  [[nodiscard]] int NodeOf(int client_port, int proxy_port) const;

  const std::vector<std::string> data_;
  std::vector<std::unique_ptr<Proxy>> proxies_;
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_CORE_NETWORK_H_
