// Reads of one consistent state, as encoded answers.
#ifndef DROVER_COORD_TREE_READS_H_
#define DROVER_COORD_TREE_READS_H_

#include "coord/base/bytes.h"
#include "coord/base/ids.h"
#include "coord/tree/options.h"
#include "coord/tree/tree.h"
#include "coord/tree/views.h"

namespace drover::coord::tree {

// The encoded Answer to a read (IsRead); to anything else an INVALID_ARGUMENT. `zxid` is the state's, `session` the asker's (0:
// none). A page of Children, Ephemerals or List ends at the request's limit or at Options' bounds; `after` may name what does not
// exist (any more).
[[nodiscard]] base::Bytes AnswerRead(const Options& options, const Tree& tree, base::Zxid zxid, const RequestView& request,
                                     base::SessionId session);

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_READS_H_
