// Which news of strangers (nodes that speak to this one and should not) is worth a line of the log: the first of each, and one
// every window after it for as long as it goes on. A stranger may speak many times a second, for days. Pure; not thread-safe.
#ifndef DROVER_COORD_SERVER_STRANGERS_H_
#define DROVER_COORD_SERVER_STRANGERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"

namespace drover::coord::server {

class Strangers {
 public:
  struct Options {
    base::Duration window = std::chrono::minutes(10);
    // Strangers that are remembered. While all of these are within their windows, others are not told.
    std::size_t strangers_max = 64;
  };
  explicit Strangers(const Options& options) : options_(options) {}

  // Told apart by id and host: `address` is as gRPC spells it ("ipv4:10.0.0.7:41234"), and each link has another port. A value is
  // to be told: how often it was not, since it was last.
  std::optional<std::uint64_t> OnNews(base::Instant now, base::NodeId from, absl::string_view address);

 private:
  struct Told {
    base::Instant at;
    std::uint64_t untold = 0;
  };

  const Options options_;
  std::map<std::pair<std::string, base::NodeId>, Told> told_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_STRANGERS_H_
