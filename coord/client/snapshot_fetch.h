// Fetches a backup from one node, piece by piece: coord.proto, SaveSnapshot.
//
// Blocks the calling thread, on which everything runs.
#ifndef DROVER_COORD_CLIENT_SNAPSHOT_FETCH_H_
#define DROVER_COORD_CLIENT_SNAPSHOT_FETCH_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/time.h"

namespace drover::coord {

// Hands what `endpoint` sends to `take`, in order; the next piece is asked for when it has returned. `stop` is asked now and then,
// also while nothing comes. OK: that was all the node has to say; whether it is whole, the file itself says. CANCELLED: `stop` said
// so. DEADLINE_EXCEEDED: nothing came for `patience`. Else `take`'s status or the node's.
[[nodiscard]] absl::Status FetchSnapshot(const std::string& endpoint, base::Duration patience,
                                         absl::FunctionRef<absl::Status(absl::string_view)> take, absl::FunctionRef<bool()> stop);

}  // namespace drover::coord

#endif  // DROVER_COORD_CLIENT_SNAPSHOT_FETCH_H_
