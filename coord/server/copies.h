// Two processes with one data directory: somebody has copied it, started the copy, and the first one still runs. The leader knows
// whom it dials, by what that one answers; who asks whether it still belongs, with another boot and while that one goes on
// answering, is the other. Pure; not thread-safe.
#ifndef DROVER_COORD_SERVER_COPIES_H_
#define DROVER_COORD_SERVER_COPIES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coord/base/ids.h"
#include "coord/base/time.h"

namespace drover::coord::server {

struct Copy {
  base::NodeId id;
  std::string address;

  friend bool operator==(const Copy&, const Copy&) = default;
};

class Copies {
 public:
  struct Options {
    // What a process sent that has died may arrive so long after its successor's first words.
    base::Duration settle = std::chrono::seconds(1);
    // How long one is told of that does not ask any more. It asks every second or two.
    base::Duration window = std::chrono::seconds(10);
  };
  explicit Copies(const Options& options) : options_(options) {}

  // The member `id`, which this leader dials, has answered it.
  void OnAnswer(base::Instant now, base::NodeId id, base::BootNonce boot);
  // Whoever is `id`, too, by its directory, asks: is it a second process?
  // `address`: its end of the link, for people.
  [[nodiscard]] bool OnAsked(base::Instant now, base::NodeId id, base::BootNonce boot, std::string address = "");
  // Those that asked within the window, the last one of each node.
  [[nodiscard]] std::vector<Copy> Seen(base::Instant now) const;

 private:
  struct Known {
    base::BootNonce answering;
    base::Instant answered;  // last
    base::BootNonce asking;
    base::Instant asked;                 // first
    std::string address;                 // of a second process
    std::optional<base::Instant> found;  // to be one, last
  };

  const Options options_;
  std::map<base::NodeId, Known> known_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_COPIES_H_
