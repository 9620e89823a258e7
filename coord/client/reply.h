// What a call's answer becomes: the callback of one kind of call, and how it is called.
#ifndef DROVER_COORD_CLIENT_REPLY_H_
#define DROVER_COORD_CLIENT_REPLY_H_

#include <variant>

#include "absl/status/status.h"
#include "coord/client/chroot.h"
#include "coord/client/codec.h"
#include "drover/coord/session.h"

namespace drover::coord::client {

// monostate: nobody waits any more.
using Reply =
    std::variant<std::monostate, Callback<CreateResult>, Callback<SetResult>, Callback<DeleteResult>, Callback<DeleteSubtreeResult>,
                 Callback<MultiReadResult>, Callback<CountResult>, Callback<TransactionResult>, Callback<GetResult>,
                 Callback<ExistsResult>, Callback<ChildrenPage>, Callback<ListPage>, Callback<AclResult>,
                 Callback<IdentitiesResult>, Callback<QuotasPage>, Callback<SessionsPage>, Callback<Zxid>, DoneCallback>;

// The refusal in an answer whose code is not OK.
[[nodiscard]] absl::Status StatusOf(const AnswerView& answer);

// Reads out of `answer` what the callback wants and calls it, with a status if the answer is a refusal or unreadable.
// Paths are made the session's.
void Deliver(Reply reply, const AnswerView& answer, const Chroot& chroot = Chroot());
// `status` must not be OK.
void Fail(Reply reply, const absl::Status& status);

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_REPLY_H_
