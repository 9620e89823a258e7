// The two frames of a session's stream: drover.coord.v1.ClientFrame read in place, ServerFrame written by appending.
#ifndef DROVER_COORD_SERVER_FRAME_H_
#define DROVER_COORD_SERVER_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "coord/base/feature_level.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/base/wire.h"

namespace drover::coord::server {

struct OpenView {
  std::uint32_t timeout_ms = 0;
  std::uint32_t disconnect_grace_ms = 0;
  absl::string_view name;
};

struct ResumeView {
  base::SessionId session;
  absl::string_view secret;
  base::Zxid seen_zxid;
  std::uint64_t attach = 0;
};

// Points into the bytes that it was parsed from.
struct ClientFrameView {
  std::optional<OpenView> open;
  std::optional<ResumeView> resume;
  std::uint64_t seen = 0;
  std::optional<std::uint64_t> contact;  // its nonce
  std::size_t request_count = 0;
  absl::string_view bytes;

  // False for malformed bytes.
  [[nodiscard]] static bool Parse(absl::string_view bytes, ClientFrameView* out);
  // Each element is a Request.
  [[nodiscard]] base::RepeatedBytes requests() const { return {bytes, 4}; }
};

struct Grant {
  base::SessionId session;
  absl::string_view secret;
  std::uint32_t timeout_ms = 0;
  std::uint64_t last_write = 0;
  base::NodeId node;
  base::ClusterId cluster;
};

// Each appends one field of a ServerFrame. (Items are appended by coord/tree: AppendAnswerItem, AppendEventItem.)
void AppendGrant(const Grant& grant, std::string* frame);
void AppendContactAck(std::uint64_t nonce, base::WallTime time, std::string* frame);
void AppendCredits(std::uint64_t credits, std::string* frame);
void AppendBookmark(base::Zxid zxid, std::string* frame);
void AppendMove(std::string* frame);
void AppendFeatureLevel(base::FeatureLevel level, std::string* frame);

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_FRAME_H_
