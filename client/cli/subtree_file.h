// A subtree as a file: what `drover tree export` writes and `drover tree import` reads.
//
//   {"format":"drover-subtree","version":1,"path":"/app","zxid":17,"one_state":true,"ephemerals_left_out":0,"nodes":[
//   {"path":"","data":"text"},
//   {"path":"b","data":"","acl":[{"scheme":"world","id":"anyone","permissions":"r"}],"container":true},
//   {"path":"b/c","data":null,"data_base64":"/w==","ttl_ms":60000}]}
//
// The nodes' paths are relative to the root of the subtree, which is "" and comes first; a node comes before what is below it. Data
// that is UTF-8 is text, else base64. Without "acl" everybody may do everything. Pure.
#ifndef DROVER_CLIENT_CLI_SUBTREE_FILE_H_
#define DROVER_CLIENT_CLI_SUBTREE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "drover/coord/types.h"

namespace drover::cli {

// Larger ones are backed up, not exported.
inline constexpr std::size_t kSubtreeNodesMax = 100'000;
inline constexpr std::size_t kSubtreeDataBytesMax = std::size_t{64} << 20;
inline constexpr std::size_t kSubtreeFileBytesMax = std::size_t{512} << 20;  // six characters for a byte, and the rest

struct SubtreeNode {
  std::string path;  // relative; "": the root
  std::string data;
  coord::Acl acl;  // empty: everybody may do everything
  bool container = false;
  base::Duration ttl{0};

  friend bool operator==(const SubtreeNode&, const SubtreeNode&) = default;
};

struct SubtreeFile {
  std::string path;  // where it was
  coord::Zxid zxid;  // of the state; of the last page if it is not one state
  bool one_state = true;
  std::uint64_t ephemerals_left_out = 0;
  std::vector<SubtreeNode> nodes;
};

[[nodiscard]] std::string EncodeSubtree(const SubtreeFile& file);
// INVALID_ARGUMENT says what is wrong, and with which node.
[[nodiscard]] absl::StatusOr<SubtreeFile> DecodeSubtree(absl::string_view text);

// "/a" and "b/c": "/a/b/c"; "" is the root itself.
[[nodiscard]] std::string PathBelow(absl::string_view root, absl::string_view relative);
// The other way; `path` is at or below `root`.
[[nodiscard]] std::string RelativePath(absl::string_view root, absl::string_view path);
// One list for both ways to say that everybody may do everything.
[[nodiscard]] coord::Acl PlainAcl(coord::Acl acl);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_SUBTREE_FILE_H_
