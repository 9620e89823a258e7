// Rendezvous hashing: who of several a key belongs to, so that all who know the same ones agree, and that one who comes or goes
// moves only what is, or becomes, its own. The hash is fixed for ever: processes of different versions must agree.
#ifndef DROVER_COORD_RECIPES_RENDEZVOUS_H_
#define DROVER_COORD_RECIPES_RENDEZVOUS_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "coord/base/checksum.h"

namespace drover::recipes {

// The highest score wins.
[[nodiscard]] inline std::uint64_t RendezvousScore(absl::string_view key, absl::string_view candidate) {
  return base::Checksum({key, absl::string_view("\0", 1), candidate});
}

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_RENDEZVOUS_H_
