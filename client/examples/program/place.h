// Where something is served: what an example writes into the node of a mailbox or a region.
#ifndef DROVER_CLIENT_EXAMPLES_PROGRAM_PLACE_H_
#define DROVER_CLIENT_EXAMPLES_PROGRAM_PLACE_H_

#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "drover/coord/types.h"

namespace drover::examples {

// A server's name, and which life of it: the czxid of its member's node. No name: at none yet.
struct Place {
  std::string server;
  coord::Zxid incarnation;

  friend bool operator==(const Place&, const Place&) = default;
};

[[nodiscard]] inline std::string EncodePlace(const Place& place) {
  return absl::StrCat(place.server, " ", place.incarnation.value);
}

// Of anything else: no place.
[[nodiscard]] inline Place DecodePlace(absl::string_view data) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(data, absl::MaxSplits(' ', 1));
  Place place{.server = parts.first};
  return absl::SimpleAtoi(parts.second, &place.incarnation.value) ? place : Place();
}

}  // namespace drover::examples

#endif  // DROVER_CLIENT_EXAMPLES_PROGRAM_PLACE_H_
