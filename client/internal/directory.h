// What a client reads in the coordination tree: who the masters are, where the store is, a task's record. By unary calls, so that a
// short command opens no session.
#ifndef DROVER_CLIENT_INTERNAL_DIRECTORY_H_
#define DROVER_CLIENT_INTERNAL_DIRECTORY_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/internal/waiter.h"

namespace drover::client {

struct StoreLocation {
  std::string url;
  std::string marker;
};

// Each call asks the nodes once, one after the other; UNAVAILABLE, naming them all, if none answered before `deadline`, or
// DEADLINE_EXCEEDED if all that is known of each is that its time was over. Any thread.
class Directory {
 public:
  virtual ~Directory() = default;
  // Addresses, the elected one first; empty: none is registered.
  virtual absl::StatusOr<std::vector<std::string>> Masters(Deadline deadline) = 0;
  // nullopt: the pool has none.
  virtual absl::StatusOr<std::optional<StoreLocation>> Store(Deadline deadline) = 0;
  // The task's encoded record; nullopt: there is none.
  virtual absl::StatusOr<std::optional<std::string>> Record(const std::string& task, Deadline deadline) = 0;
};

std::unique_ptr<Directory> NewTreeDirectory(std::vector<std::string> endpoints, const std::string& pool);

}  // namespace drover::client

#endif  // DROVER_CLIENT_INTERNAL_DIRECTORY_H_
