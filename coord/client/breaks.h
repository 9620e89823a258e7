// Why a session's links, and attempts to make one, have ended. A pure value.
#ifndef DROVER_COORD_CLIENT_BREAKS_H_
#define DROVER_COORD_CLIENT_BREAKS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace drover::coord::client {

// Since the last link stood, of each endpoint the newest. A node that answers, and gives no link, knows why; that another one
// cannot be reached says less, however often it is tried.
class Breaks {
 public:
  explicit Breaks(std::vector<std::string> endpoints) : endpoints_(std::move(endpoints)), newest_(endpoints_.size()) {}

  // `answered`: by the node's own word. What was added, with the node's address.
  absl::Status Add(std::size_t endpoint, const absl::Status& why, bool answered);
  // A link stands: why there was none is the past.
  void OnAttached();

  // The newest word of a node; where none has answered, what broke last. OK: nothing has broken yet. Stays when a link stands.
  [[nodiscard]] const absl::Status& last() const { return last_; }
  // Of all nodes that have answered, in the order of the endpoints; and of those that have not.
  [[nodiscard]] std::vector<absl::Status> Answers() const { return Newest(true); }
  [[nodiscard]] std::vector<absl::Status> Silences() const { return Newest(false); }

 private:
  struct Break {
    absl::Status why;
    bool answered = false;
    std::uint64_t order = 0;
  };

  [[nodiscard]] std::vector<absl::Status> Newest(bool answered) const;

  const std::vector<std::string> endpoints_;
  std::vector<std::optional<Break>> newest_;
  std::uint64_t added_ = 0;
  absl::Status last_;
};

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_BREAKS_H_
