#include "coord/client/reply.h"

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace drover::coord::client {
namespace {

bool Read(const AnswerView& answer, CreateResult* out) {
  *out = {std::string(answer.path), answer.stat, answer.zxid, answer.existed};
  return true;
}

bool Read(const AnswerView& answer, SetResult* out) {
  *out = {answer.stat, answer.zxid};
  return true;
}

bool Read(const AnswerView& answer, DeleteResult* out) {
  *out = {answer.zxid};
  return true;
}

bool Read(const AnswerView& answer, DeleteSubtreeResult* out) {
  *out = {answer.count, answer.zxid};
  return true;
}

bool Read(const AnswerView& answer, CountResult* out) {
  *out = {answer.count, answer.zxid};
  return true;
}

bool Read(const AnswerView& answer, MultiReadResult* out) {
  out->zxid = answer.zxid;
  base::RepeatedBytes reads = answer.reads();
  absl::string_view bytes;
  while (reads.Next(&bytes)) {
    AnswerView one;
    if (!AnswerView::Parse(bytes, &one)) return false;
    one.zxid = answer.zxid;
    ReadAnswer& read = out->answers.emplace_back(ReadAnswer{StatusOf(one), one.stat, std::string(one.data), {}, one.more});
    base::RepeatedBytes names = one.names();
    absl::string_view name;
    while (names.Next(&name)) read.names.emplace_back(name);
    if (!names.ok()) return false;
  }
  return reads.ok();
}

bool Read(const AnswerView& answer, TransactionResult* out) {
  out->zxid = answer.zxid;
  std::vector<Code> codes;
  return ParseTransactionResult(answer.transaction, out, &codes);
}

bool Read(const AnswerView& answer, GetResult* out) {
  // The node's path is what was asked for; the answer need not repeat it.
  *out = {Node{std::string(answer.path), answer.stat, std::string(answer.data)}, answer.zxid};
  return true;
}

bool Read(const AnswerView& answer, ExistsResult* out) {
  *out = {answer.stat, answer.zxid};
  return true;
}

bool Read(const AnswerView& answer, ChildrenPage* out) {
  out->more = answer.more;
  out->zxid = answer.zxid;
  base::RepeatedBytes names = answer.names();
  absl::string_view name;
  while (names.Next(&name)) out->names.emplace_back(name);
  return names.ok();
}

bool Read(const AnswerView& answer, AclResult* out) {
  out->stat = answer.stat;
  out->zxid = answer.zxid;
  return ParseAcl(answer.acl, &out->acl);
}

// Each of `items`, read by `parse`.
template <typename T>
bool ReadAll(base::RepeatedBytes items, bool (*parse)(absl::string_view, T*), std::vector<T>* out) {
  absl::string_view item;
  while (items.Next(&item)) {
    if (!parse(item, &out->emplace_back())) return false;
  }
  return items.ok();
}

bool Read(const AnswerView& answer, IdentitiesResult* out) {
  out->zxid = answer.zxid;
  return ReadAll(answer.identities(), ParseIdentity, &out->identities);
}

bool Read(const AnswerView& answer, QuotasPage* out) {
  out->more = answer.more;
  out->zxid = answer.zxid;
  return ReadAll(answer.quotas(), ParseQuotaUsage, &out->quotas);
}

bool Read(const AnswerView& answer, SessionsPage* out) {
  out->more = answer.more;
  out->zxid = answer.zxid;
  return ReadAll(answer.sessions(), ParseSessionInfo, &out->sessions);
}

bool Read(const AnswerView& answer, ListPage* out) {
  out->more = answer.more;
  out->zxid = answer.zxid;
  return ReadAll(answer.nodes(), ParseNode, &out->nodes);
}

bool Read(const AnswerView& answer, Zxid* out) {
  *out = answer.zxid;
  return true;
}

// Paths in a result become the session's.
template <typename T>
void Out(const Chroot& chroot, T* result) {
  if constexpr (std::is_same_v<T, CreateResult>) chroot.Out(&result->path);
  if constexpr (std::is_same_v<T, TransactionResult>) {
    for (OperationResult& one : result->results) chroot.Out(&one.path);
  }
  if constexpr (std::is_same_v<T, ListPage>) {
    for (Node& node : result->nodes) chroot.Out(&node.path);
  }
  if constexpr (std::is_same_v<T, QuotasPage>) {
    for (QuotaUsage& quota : result->quotas) chroot.Out(&quota.path);
  }
}

template <typename T>
void Call(Callback<T> done, const AnswerView& answer, const Chroot& chroot) {
  if (answer.code != Code::kOk) {
    if constexpr (std::is_same_v<T, ExistsResult>) {
      if (answer.code == Code::kNoNode) return done(ExistsResult{std::nullopt, answer.zxid});
    }
    return done(StatusOf(answer));
  }
  T result;
  if (!Read(answer, &result)) return done(absl::InternalError("the service sent an answer that cannot be read"));
  Out(chroot, &result);
  done(std::move(result));
}

}  // namespace

absl::Status StatusOf(const AnswerView& answer) {
  if (answer.code == Code::kOk) return absl::OkStatus();
  TransactionResult result;
  std::vector<Code> codes;
  if (!answer.transaction.empty() && ParseTransactionResult(answer.transaction, &result, &codes)) {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (codes[i] == answer.code) return RefusedError(answer.code, answer.message, answer.zxid, i);
    }
  }
  return RefusedError(answer.code, answer.message, answer.zxid);
}

void Deliver(Reply reply, const AnswerView& answer, const Chroot& chroot) {
  std::visit(
      [&answer, &chroot](auto& done) {
        using T = std::decay_t<decltype(done)>;
        if constexpr (std::is_same_v<T, DoneCallback>) {
          done(StatusOf(answer));
        } else if constexpr (!std::is_same_v<T, std::monostate>) {
          Call(std::move(done), answer, chroot);
        }
      },
      reply);
}

void Fail(Reply reply, const absl::Status& status) {
  std::visit(
      [&status](auto& done) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(done)>, std::monostate>) done(status);
      },
      reply);
}

}  // namespace drover::coord::client
