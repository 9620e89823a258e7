// The identifiers that more than one room speaks of.
#ifndef DROVER_COORD_BASE_IDS_H_
#define DROVER_COORD_BASE_IDS_H_

#include "coord/base/strong.h"

namespace drover::base {

// Transaction counter of the replicated tree: one per transaction that took effect, never reused, below 2^53.
using Zxid = Strong<struct ZxidTag>;
// The zxid of the session's opening.
using SessionId = Strong<struct SessionIdTag>;
// A coordination node's id in its cluster's configuration: 1, 2, 3 ...
using NodeId = Strong<struct NodeIdTag>;
// Identity of one cluster, random, written into its first entry; changed by a restore.
using ClusterId = Strong<struct ClusterIdTag>;
// A random number a node persists when it is empty: tells a member from a wiped machine of the same id.
using Incarnation = Strong<struct IncarnationTag>;
// A random number of one run of a process, never persisted.
using BootNonce = Strong<struct BootNonceTag>;

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_IDS_H_
