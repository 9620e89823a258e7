// What the recipes protect, outside of the tree: it keeps the newest token of each resource, refuses older ones, and writes down
// what it is told by whom. Rivals speak to it over loopback connections that nothing happens to; it does not answer.
//
// Threads: one of its own serves; every method may be called from any thread. Of a rival that dies it still reads what was sent.
#ifndef DROVER_TESTS_RIVALS_RESOURCE_SERVER_H_
#define DROVER_TESTS_RIVALS_RESOURCE_SERVER_H_

#include <atomic>
#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "tests/rivals/judge.h"

namespace drover::rivals {

class ResourceServer {
 public:
  ResourceServer();
  ~ResourceServer();
  ResourceServer(const ResourceServer&) = delete;
  ResourceServer& operator=(const ResourceServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  // What `question` says of the records, in the order in which they came; no record comes meanwhile.
  [[nodiscard]] bool Ask(absl::FunctionRef<bool(const std::vector<Record>&)> question) const;
  [[nodiscard]] std::vector<Record> Records() const;
  // Connections whose other end may still say something.
  [[nodiscard]] int callers() const;
  // Lines that were no reports.
  [[nodiscard]] std::vector<std::string> nonsense() const;

 private:
  struct Caller {
    int fd = -1;
    std::string user;  // empty: has not said
    std::string unread;
  };

  void Run();
  // False: it has ended.
  bool Hear(Caller* caller);
  void Take(Caller* caller, absl::string_view line);

  int port_ = 0;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::atomic<bool> stop_{false};

  mutable std::mutex mu_;  // guards what follows
  std::list<Caller> callers_;
  std::map<std::string, int> lives_;  // of each rival, so far
  std::map<std::string, base::Zxid> newest_;
  std::vector<Record> records_;
  std::vector<std::string> nonsense_;

  std::thread thread_;  // last: it uses everything above
};

}  // namespace drover::rivals

#endif  // DROVER_TESTS_RIVALS_RESOURCE_SERVER_H_
