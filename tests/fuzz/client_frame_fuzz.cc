// coord/server/frame.h and coord/tree/views.h: a client's frame as its node reads it, down to the last operation in it.
#include <cstdint>
#include <string>

#include "coord/base/check.h"
#include "coord/server/frame.h"
#include "coord/tree/views.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

using namespace coord::tree;  // NOLINT: its views and their writers

template <typename View>
bool Parse(absl::string_view bytes, View* out) {
  return View::Parse(bytes, out);
}

// Reads the body as a View and writes it with `encode`: what is written reads as what was written.
template <typename View, typename Encode>
void CheckBody(const RequestHead& head, RequestKind kind, absl::string_view body, Encode encode) {
  View view;
  if (!Parse(body, &view)) return;
  const std::string once = encode(head, view);
  RequestView request;
  DROVER_CHECK(RequestView::Parse(once, &request));
  DROVER_CHECK(request.kind == kind && request.number == head.number && request.id == head.id && request.local == head.local);
  View again;
  DROVER_CHECK(Parse(request.body, &again));
  DROVER_CHECK(encode(head, again) == once);
}

void CheckPath(const RequestHead& head, RequestKind kind, absl::string_view body,
               std::string (*encode)(const RequestHead&, absl::string_view)) {
  CheckBody<PathView>(head, kind, body, [&](const RequestHead& h, const PathView& view) { return encode(h, view.path); });
}

void AddOperation(absl::string_view bytes, bool then, TransactionBuilder* out) {
  OperationView op;
  if (!OperationView::Parse(bytes, &op)) return;
  DROVER_CHECK(Within(op.body, bytes));
  CreateView create;
  DeleteView del;
  SetView set;
  SetAclView set_acl;
  switch (op.kind) {
    case RequestKind::kCreate:
      if (Parse(op.body, &create)) then ? out->Then(create) : out->Otherwise(create);
      break;
    case RequestKind::kDelete:
      if (Parse(op.body, &del)) then ? out->Then(del) : out->Otherwise(del);
      break;
    case RequestKind::kSet:
      if (Parse(op.body, &set)) then ? out->Then(set) : out->Otherwise(set);
      break;
    case RequestKind::kCheck:
      if (Parse(op.body, &del)) then ? out->ThenCheck(del) : out->OtherwiseCheck(del);
      break;
    case RequestKind::kDeleteSubtree:
      if (Parse(op.body, &del)) then ? out->ThenDeleteSubtree(del) : out->OtherwiseDeleteSubtree(del);
      break;
    case RequestKind::kSetAcl:
      if (Parse(op.body, &set_acl)) out->ThenSetAcl(set_acl);
      break;
    default:
      break;
  }
}

std::string EncodeTransaction(const RequestHead& head, const TransactionView& view) {
  TransactionBuilder out;
  std::size_t count = 0;
  absl::string_view bytes;
  for (base::RepeatedBytes all = view.compares(); all.Next(&bytes); ++count) {
    CompareView compare;
    if (CompareView::Parse(bytes, &compare)) out.Compare(compare);
  }
  DROVER_CHECK(count == view.compare_count);
  for (base::RepeatedBytes all = view.then(); all.Next(&bytes); ++count) AddOperation(bytes, true, &out);
  DROVER_CHECK(count == view.compare_count + view.then_count);
  for (base::RepeatedBytes all = view.otherwise(); all.Next(&bytes); ++count) AddOperation(bytes, false, &out);
  DROVER_CHECK(count == view.compare_count + view.then_count + view.otherwise_count);
  return out.Encode(head);
}

std::string EncodeMultiRead(const RequestHead& head, const MultiReadView& view) {
  MultiReadBuilder out;
  std::size_t count = 0;
  absl::string_view bytes;
  for (base::RepeatedBytes all = view.reads(); all.Next(&bytes); ++count) {
    ReadOperationView op;
    if (!ReadOperationView::Parse(bytes, &op)) continue;
    DROVER_CHECK(Within(op.body, bytes));
    PathView path;
    PageView page;
    if (op.kind == RequestKind::kGet && PathView::Parse(op.body, &path)) out.Get(path.path);
    if (op.kind == RequestKind::kExists && PathView::Parse(op.body, &path)) out.Exists(path.path);
    if (op.kind == RequestKind::kChildren && PageView::Parse(op.body, &page)) out.Children(page);
  }
  DROVER_CHECK(count == view.count);
  return out.Encode(head);
}

void CheckOperation(const RequestView& request) {
  const RequestHead head{request.number, request.id, request.local};
  const auto body = request.body;
  switch (request.kind) {
    case RequestKind::kCreate:
      return CheckBody<CreateView>(head, request.kind, body, EncodeCreate);
    case RequestKind::kDelete:
      return CheckBody<DeleteView>(head, request.kind, body, EncodeDelete);
    case RequestKind::kDeleteSubtree:
      return CheckBody<DeleteView>(head, request.kind, body, EncodeDeleteSubtree);
    case RequestKind::kSet:
      return CheckBody<SetView>(head, request.kind, body, EncodeSet);
    case RequestKind::kTransaction:
      return CheckBody<TransactionView>(head, request.kind, body, EncodeTransaction);
    case RequestKind::kSetAcl:
      return CheckBody<SetAclView>(head, request.kind, body, EncodeSetAcl);
    case RequestKind::kSetQuota:
      return CheckBody<SetQuotaView>(head, request.kind, body, EncodeSetQuota);
    case RequestKind::kAuthenticate:
      return CheckBody<AuthenticateView>(head, request.kind, body, EncodeAuthenticate);
    case RequestKind::kGet:
      return CheckPath(head, request.kind, body, EncodeGet);
    case RequestKind::kExists:
      return CheckPath(head, request.kind, body, EncodeExists);
    case RequestKind::kCountDescendants:
      return CheckPath(head, request.kind, body, EncodeCountDescendants);
    case RequestKind::kGetAcl:
      return CheckPath(head, request.kind, body, EncodeGetAcl);
    case RequestKind::kChildren:
      return CheckBody<PageView>(head, request.kind, body, EncodeChildren);
    case RequestKind::kList:
      return CheckBody<PageView>(head, request.kind, body, EncodeList);
    case RequestKind::kMultiRead:
      return CheckBody<MultiReadView>(head, request.kind, body, EncodeMultiRead);
    case RequestKind::kEphemerals:
      return CheckBody<EphemeralsView>(head, request.kind, body, EncodeEphemerals);
    case RequestKind::kQuotas:
      return CheckBody<EphemeralsView>(head, request.kind, body, EncodeQuotas);
    case RequestKind::kSessions:
      return CheckBody<SessionsView>(head, request.kind, body, EncodeSessions);
    case RequestKind::kAddWatch:
      return CheckBody<AddWatchView>(head, request.kind, body, EncodeAddWatch);
    case RequestKind::kRemoveWatch:
      return CheckBody<RemoveWatchView>(head, request.kind, body, EncodeRemoveWatch);
    default:
      return;
  }
}

// Nothing of what proves an identity is left, and all else is.
void CheckWithoutCredentials(const RequestView& request) {
  const std::string bytes = EncodeWithoutCredentials(request);
  RequestView without;
  DROVER_CHECK(RequestView::Parse(bytes, &without));
  DROVER_CHECK(!without.has_auth && without.kind == request.kind);
  DROVER_CHECK(without.number == request.number && without.id == request.id && without.local == request.local);
  DROVER_CHECK(NeededLevel(without) == NeededLevel(request));
  if (request.kind != RequestKind::kAuthenticate) {
    DROVER_CHECK(without.body == request.body);
    return;
  }
  AuthenticateView shown;
  DROVER_CHECK(AuthenticateView::Parse(without.body, &shown) && shown.credential.empty());
}

void CheckRequest(absl::string_view bytes) {
  RequestView request;
  {
    const AllocationBound nothing(0, 0, 0);
    if (!RequestView::Parse(bytes, &request)) return;
    (void)NeededLevel(request);
  }
  DROVER_CHECK(Within(request.body, bytes));
  DROVER_CHECK(request.kind != RequestKind::kCheck);
  DROVER_CHECK((request.kind == RequestKind::kNone) + IsWrite(request.kind) + IsRead(request.kind) + IsWatch(request.kind) == 1);
  absl::string_view shown;
  bool has_auth = false;
  for (base::RepeatedBytes auth = request.auth(); auth.Next(&shown);) {
    has_auth = true;
    AuthenticateView view;
    (void)AuthenticateView::Parse(shown, &view);
  }
  DROVER_CHECK(has_auth == request.has_auth);
  CheckOperation(request);
  CheckWithoutCredentials(request);
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  const absl::string_view bytes = ViewOf(data, size);
  drover::coord::server::ClientFrameView frame;
  {
    const AllocationBound nothing(0, 0, 0);
    if (!drover::coord::server::ClientFrameView::Parse(bytes, &frame)) return 0;
  }
  if (frame.open) DROVER_CHECK(Within(frame.open->name, bytes));
  if (frame.resume) DROVER_CHECK(Within(frame.resume->secret, bytes));
  std::size_t count = 0;
  absl::string_view request;
  for (drover::base::RepeatedBytes requests = frame.requests(); requests.Next(&request); ++count) {
    DROVER_CHECK(Within(request, bytes));
    CheckRequest(request);
  }
  DROVER_CHECK(count == frame.request_count);
  return 0;
}
