// The nodes of the mailbox service, as its servers and its clients know them (README.md).
#ifndef DROVER_CLIENT_EXAMPLES_MAILBOX_TREE_H_
#define DROVER_CLIENT_EXAMPLES_MAILBOX_TREE_H_

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "drover/coord/types.h"

namespace drover::examples::mailbox {

inline constexpr char kRoot[] = "/mailbox";
inline constexpr char kServers[] = "/mailbox/servers";  // ephemeral nodes by name; data: the address
inline constexpr char kBoxes[] = "/mailbox/boxes";      // nodes by name; data: the server

inline std::string ServerPath(const std::string& name) {
  return absl::StrCat(kServers, "/", name);
}
inline std::string BoxPath(const std::string& name) {
  return absl::StrCat(kBoxes, "/", name);
}

// Which server a mailbox is at: its name, and which life of it (the czxid of its node). No name: at none yet.
struct Place {
  std::string server;
  coord::Zxid incarnation;

  friend bool operator==(const Place&, const Place&) = default;
};

inline std::string EncodePlace(const Place& place) {
  return absl::StrCat(place.server, " ", place.incarnation.value);
}
// What is none is no place.
inline Place DecodePlace(const std::string& data) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(data, absl::MaxSplits(' ', 1));
  Place place{.server = parts.first};
  return absl::SimpleAtoi(parts.second, &place.incarnation.value) ? place : Place();
}

}  // namespace drover::examples::mailbox

#endif  // DROVER_CLIENT_EXAMPLES_MAILBOX_TREE_H_
