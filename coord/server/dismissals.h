// By which members this node has been dismissed of late, and whether they are a majority. Pure; not thread-safe.
//
// One member that dismisses proves nothing: it may be the one that is wrong. A majority of those that this node's own log names
// cannot be part of a cluster with it, so it can have no quorum, now or later, as long as they do not change their mind.
#ifndef DROVER_COORD_SERVER_DISMISSALS_H_
#define DROVER_COORD_SERVER_DISMISSALS_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/raft/configuration.h"

namespace drover::coord::server {

class Dismissals {
 public:
  struct Options {
    // How long one counts: several campaigns of a node without a leader, each of which is answered by another one.
    base::Duration window = std::chrono::seconds(10);
  };
  explicit Dismissals(const Options& options) : options_(options) {}

  void OnDismissed(base::Instant now, base::NodeId by, absl::string_view why);
  // This node has a leader, so what was said does not matter.
  void Clear() { dismissed_.clear(); }
  // FAILED_PRECONDITION, naming them and the word of the first: a majority of the voters has dismissed this node within the window.
  [[nodiscard]] absl::Status Verdict(base::Instant now, const raft::Configuration& configuration) const;

 private:
  struct Dismissal {
    base::Instant at;
    std::string why;
  };

  const Options options_;
  std::map<base::NodeId, Dismissal> dismissed_;  // the last of each; peers are members, so bounded
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_DISMISSALS_H_
