// The nodes of the mailbox service, as its servers and its clients know them (README.md).
#ifndef DROVER_CLIENT_EXAMPLES_MAILBOX_TREE_H_
#define DROVER_CLIENT_EXAMPLES_MAILBOX_TREE_H_

#include <string>

#include "absl/strings/str_cat.h"

namespace drover::examples::mailbox {

inline constexpr char kRoot[] = "/mailbox";
inline constexpr char kServers[] = "/mailbox/servers";  // ephemeral nodes by name; data: the address
inline constexpr char kBoxes[] = "/mailbox/boxes";      // nodes by name; data: the Place

inline std::string ServerPath(const std::string& name) {
  return absl::StrCat(kServers, "/", name);
}
inline std::string BoxPath(const std::string& name) {
  return absl::StrCat(kBoxes, "/", name);
}

}  // namespace drover::examples::mailbox

#endif  // DROVER_CLIENT_EXAMPLES_MAILBOX_TREE_H_
