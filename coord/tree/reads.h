// Reads of one consistent state, as encoded answers.
#ifndef DROVER_COORD_TREE_READS_H_
#define DROVER_COORD_TREE_READS_H_

#include "coord/base/bytes.h"
#include "coord/base/ids.h"
#include "coord/tree/options.h"
#include "coord/tree/sessions.h"
#include "coord/tree/tree.h"
#include "coord/tree/views.h"

namespace drover::coord::tree {

// The encoded Answer to a read (IsRead); to anything else an INVALID_ARGUMENT. `zxid` is the state's. A page of Children,
// Ephemerals, Quotas, Sessions or List ends at the request's limit or at Options' bounds; `after` may name what does not exist (any
// more).
//
// Permissions: READ for Get, Children, CountDescendants and Quotas; READ or ADMIN for GetAcl, in which the hashes are left out for
// who has no ADMIN; none for Exists and Sessions. A List needs READ for the node at its path; nodes below of which who asks has
// none come without data, and what is below them is left out. The ephemerals of another session are shown where READ of the parent
// is had.
[[nodiscard]] base::Bytes AnswerRead(const Options& options, const Tree& tree, const SessionTable& sessions, base::Zxid zxid,
                                     const RequestView& request, const Asker& asker);

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_READS_H_
