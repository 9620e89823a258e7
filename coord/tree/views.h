// Operations as views over their received bytes (drover.coord.v1 requests, drover.peer.v1 batches), and the writers of those bytes.
//
// A view points into the bytes that it was parsed from and lives no longer. Parse returns false for malformed input and for nothing
// else: whether a path, kind or number makes sense is judged at apply. Parsing is one pass over one level; nothing is allocated.
#ifndef DROVER_COORD_TREE_VIEWS_H_
#define DROVER_COORD_TREE_VIEWS_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "coord/base/bytes.h"
#include "coord/base/feature_level.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/base/wire.h"
#include "coord/raft/types.h"
#include "coord/tree/acl.h"
#include "coord/tree/code.h"

namespace drover::coord::tree {

// ---- requests ----

// Values are the field numbers of Request.operation, but for kCheck, which only a transaction has.
enum class RequestKind : std::uint32_t {
  kNone = 0,  // none that we know
  kCreate = 10,
  kDelete = 11,
  kSet = 12,
  kTransaction = 13,
  kCloseSession = 14,
  kDeleteSubtree = 15,
  kSetAcl = 16,
  kSetQuota = 17,
  kAuthenticate = 18,
  kGet = 20,
  kExists = 21,
  kChildren = 22,
  kList = 23,
  kSync = 24,
  kMultiRead = 25,
  kCountDescendants = 26,
  kEphemerals = 27,
  kGetAcl = 28,
  kQuotas = 29,
  kAddWatch = 30,
  kRemoveWatch = 31,
  kWhoAmI = 40,
  kSessions = 41,
  kCheck = 1000,
};
[[nodiscard]] constexpr bool IsWrite(RequestKind kind) {
  return kind >= RequestKind::kCreate && kind <= RequestKind::kAuthenticate;
}
[[nodiscard]] constexpr bool IsRead(RequestKind kind) {
  return (kind >= RequestKind::kGet && kind <= RequestKind::kQuotas) || kind == RequestKind::kWhoAmI ||
         kind == RequestKind::kSessions;
}
[[nodiscard]] constexpr bool IsWatch(RequestKind kind) {
  return kind == RequestKind::kAddWatch || kind == RequestKind::kRemoveWatch;
}

struct RequestView;
// The lowest feature level that knows all that the request asks for.
[[nodiscard]] base::FeatureLevel NeededLevel(const RequestView& request);

// The envelope; `body` is the bytes of the operation, which its own view parses.
struct RequestView {
  std::uint64_t number = 0;
  std::uint64_t id = 0;
  bool local = false;
  RequestKind kind = RequestKind::kNone;
  absl::string_view body;
  bool has_auth = false;
  absl::string_view bytes;

  [[nodiscard]] static bool Parse(absl::string_view bytes, RequestView* out);
  // Elements for AuthenticateView::Parse.
  [[nodiscard]] base::RepeatedBytes auth() const { return {bytes, 4}; }
};

struct CreateView {
  absl::string_view path;
  absl::string_view data;
  bool ephemeral = false;
  bool sequential = false;
  bool parents = false;
  bool container = false;
  std::uint64_t ttl_ms = 0;
  bool if_absent = false;
  bool has_acl = false;
  absl::string_view acl = {};  // a drover.coord.v1.Acl

  [[nodiscard]] static bool Parse(absl::string_view bytes, CreateView* out);
};

// Delete, DeleteSubtree and Check.
struct DeleteView {
  absl::string_view path;
  std::uint32_t version_plus_one = 0;

  [[nodiscard]] static bool Parse(absl::string_view bytes, DeleteView* out);
};

struct SetView {
  absl::string_view path;
  absl::string_view data;
  std::uint32_t version_plus_one = 0;

  [[nodiscard]] static bool Parse(absl::string_view bytes, SetView* out);
};

struct SetAclView {
  absl::string_view path;
  absl::string_view acl;  // a drover.coord.v1.Acl
  std::uint32_t aversion_plus_one = 0;

  [[nodiscard]] static bool Parse(absl::string_view bytes, SetAclView* out);
};

struct SetQuotaView {
  absl::string_view path;
  std::uint64_t nodes_max = 0;
  std::uint64_t bytes_max = 0;

  [[nodiscard]] static bool Parse(absl::string_view bytes, SetQuotaView* out);
};

struct AuthenticateView {
  absl::string_view scheme;
  absl::string_view credential;

  [[nodiscard]] static bool Parse(absl::string_view bytes, AuthenticateView* out);
};

struct CompareView {
  absl::string_view path;
  CompareField field = CompareField::kUnspecified;
  CompareRelation relation = CompareRelation::kEqual;
  std::uint64_t value = 0;

  [[nodiscard]] static bool Parse(absl::string_view bytes, CompareView* out);
};

// One of kCreate, kDelete, kSet, kCheck, kDeleteSubtree, kSetAcl (kNone: none that we know).
struct OperationView {
  RequestKind kind = RequestKind::kNone;
  absl::string_view body;

  [[nodiscard]] static bool Parse(absl::string_view bytes, OperationView* out);
};

struct TransactionView {
  std::size_t compare_count = 0;
  std::size_t then_count = 0;
  std::size_t otherwise_count = 0;
  absl::string_view bytes;

  [[nodiscard]] static bool Parse(absl::string_view bytes, TransactionView* out);
  // Elements for CompareView::Parse and OperationView::Parse.
  [[nodiscard]] base::RepeatedBytes compares() const { return {bytes, 1}; }
  [[nodiscard]] base::RepeatedBytes then() const { return {bytes, 2}; }
  [[nodiscard]] base::RepeatedBytes otherwise() const { return {bytes, 3}; }
};

// Get, Exists, CountDescendants and GetAcl.
struct PathView {
  absl::string_view path;

  [[nodiscard]] static bool Parse(absl::string_view bytes, PathView* out);
};

// Children and List (`without_data` is List's alone).
struct PageView {
  absl::string_view path;
  absl::string_view after;
  std::uint32_t limit = 0;
  bool without_data = false;

  [[nodiscard]] static bool Parse(absl::string_view bytes, PageView* out);
};

struct MultiReadView {
  std::size_t count = 0;
  absl::string_view bytes;

  [[nodiscard]] static bool Parse(absl::string_view bytes, MultiReadView* out);
  // Elements for ReadOperationView::Parse.
  [[nodiscard]] base::RepeatedBytes reads() const { return {bytes, 1}; }
};

// One of kGet, kExists, kChildren (kNone: none that we know).
struct ReadOperationView {
  RequestKind kind = RequestKind::kNone;
  absl::string_view body;

  [[nodiscard]] static bool Parse(absl::string_view bytes, ReadOperationView* out);
};

// Ephemerals and Quotas (`session` is the former's alone).
struct EphemeralsView {
  base::SessionId session;  // 0: whose stream it is
  absl::string_view path;
  base::Zxid after_czxid;
  absl::string_view after;
  std::uint32_t limit = 0;

  [[nodiscard]] static bool Parse(absl::string_view bytes, EphemeralsView* out);
};

struct SessionsView {
  base::SessionId after;
  std::uint32_t limit = 0;

  [[nodiscard]] static bool Parse(absl::string_view bytes, SessionsView* out);
};

// A place in the history of the tree. Ordered by zxid, then ordinal.
struct Position {
  static constexpr std::uint32_t kAll = 4294967295;

  base::Zxid zxid;
  std::uint32_t ordinal = kAll;

  [[nodiscard]] static bool Parse(absl::string_view bytes, Position* out);
  friend constexpr auto operator<=>(const Position&, const Position&) = default;
};

struct AddWatchView {
  std::uint64_t watch_id = 0;
  absl::string_view path;
  std::uint32_t kind = 0;  // a WatchKind, or one that we do not know
  bool with_data = false;
  bool has_after = false;
  Position after;

  [[nodiscard]] static bool Parse(absl::string_view bytes, AddWatchView* out);
};

struct RemoveWatchView {
  std::uint64_t watch_id = 0;

  [[nodiscard]] static bool Parse(absl::string_view bytes, RemoveWatchView* out);
};

// ---- batches: what a log entry of kind kData carries ----

// Whom to answer: the node whose client asked, its boot, and its tag. All 0 where nobody waits.
struct Origin {
  base::NodeId node;
  base::BootNonce boot;
  std::uint64_t tag = 0;

  friend constexpr bool operator==(const Origin&, const Origin&) = default;
};

// Values are the field numbers of Command.command.
enum class CommandKind : std::uint32_t { kNone = 0, kRequest = 10, kOpen = 11, kExpire = 12, kReap = 13 };

struct CommandView {
  Origin origin;
  base::SessionId session;  // 0: outside of any session
  std::uint64_t seen = 0;
  absl::string_view address;  // where it comes from, if not from where its session does; or kNoAddress
  CommandKind kind = CommandKind::kNone;
  absl::string_view body;  // a Request, an OpenSession, an ExpireSessions, a ReapNodes
  absl::string_view bytes;

  [[nodiscard]] static bool Parse(absl::string_view bytes, CommandView* out);
  // Elements for ParseIdentity.
  [[nodiscard]] base::RepeatedBytes identities() const { return {bytes, 6}; }
};

[[nodiscard]] bool ParseIdentity(absl::string_view bytes, Identity* out);
void AppendIdentity(std::uint32_t field, const Identity& identity, base::WireWriter* out);
// In the place of an address: none (of a socket that has none).
inline constexpr absl::string_view kNoAddress = "-";

struct BatchView {
  base::WallTime time;
  std::size_t command_count = 0;
  absl::string_view bytes;

  [[nodiscard]] static bool Parse(absl::string_view bytes, BatchView* out);
  // None that only newer programs know.
  [[nodiscard]] bool OnlyKnownCommands() const;
  // Elements for CommandView::Parse.
  [[nodiscard]] base::RepeatedBytes commands() const { return {bytes, 2}; }
};

struct OpenSessionView {
  absl::string_view secret;  // 16 bytes
  std::uint32_t timeout_ms = 0;
  std::uint32_t disconnect_grace_ms = 0;
  absl::string_view name;
  absl::string_view address = {};

  [[nodiscard]] static bool Parse(absl::string_view bytes, OpenSessionView* out);
};

// `session_ids` reads both of the encodings that a repeated number may have.
struct ExpireSessionsView {
  raft::Term term;
  absl::string_view bytes;

  [[nodiscard]] static bool Parse(absl::string_view bytes, ExpireSessionsView* out);
  void AppendIds(std::vector<base::SessionId>* ids) const;
};

struct ReapNodesView {
  absl::string_view bytes;

  [[nodiscard]] static bool Parse(absl::string_view bytes, ReapNodesView* out);
  // Elements for ReapedNodeView::Parse.
  [[nodiscard]] base::RepeatedBytes nodes() const { return {bytes, 1}; }
};

struct ReapedNodeView {
  absl::string_view path;
  base::Zxid czxid;

  [[nodiscard]] static bool Parse(absl::string_view bytes, ReapedNodeView* out);
};

// ---- writers ----

// Bytes of a Request. Numbered for writes (id 0), with an id for reads and watches (number 0).
struct RequestHead {
  std::uint64_t number = 0;
  std::uint64_t id = 0;
  bool local = false;
};
[[nodiscard]] std::string EncodeCreate(const RequestHead& head, const CreateView& op);
[[nodiscard]] std::string EncodeDelete(const RequestHead& head, const DeleteView& op);
[[nodiscard]] std::string EncodeSet(const RequestHead& head, const SetView& op);
[[nodiscard]] std::string EncodeCloseSession(const RequestHead& head);
[[nodiscard]] std::string EncodeDeleteSubtree(const RequestHead& head, const DeleteView& op);
[[nodiscard]] std::string EncodeSetAcl(const RequestHead& head, const SetAclView& op);
[[nodiscard]] std::string EncodeSetQuota(const RequestHead& head, const SetQuotaView& op);
[[nodiscard]] std::string EncodeAuthenticate(const RequestHead& head, const AuthenticateView& op);
// The same request without what proves an identity, which nobody but the node that was asked has to know.
[[nodiscard]] std::string EncodeWithoutCredentials(const RequestView& request);
// A write of that number that is none, and so will be refused.
[[nodiscard]] std::string EncodeNothing(std::uint64_t number);
[[nodiscard]] std::string EncodeGet(const RequestHead& head, absl::string_view path);
[[nodiscard]] std::string EncodeExists(const RequestHead& head, absl::string_view path);
[[nodiscard]] std::string EncodeChildren(const RequestHead& head, const PageView& op);
[[nodiscard]] std::string EncodeList(const RequestHead& head, const PageView& op);
[[nodiscard]] std::string EncodeSync(const RequestHead& head);
[[nodiscard]] std::string EncodeCountDescendants(const RequestHead& head, absl::string_view path);
[[nodiscard]] std::string EncodeEphemerals(const RequestHead& head, const EphemeralsView& op);
[[nodiscard]] std::string EncodeGetAcl(const RequestHead& head, absl::string_view path);
[[nodiscard]] std::string EncodeQuotas(const RequestHead& head, const EphemeralsView& op);
[[nodiscard]] std::string EncodeWhoAmI(const RequestHead& head);
[[nodiscard]] std::string EncodeSessions(const RequestHead& head, const SessionsView& op);
[[nodiscard]] std::string EncodeAddWatch(const RequestHead& head, const AddWatchView& op);
[[nodiscard]] std::string EncodeRemoveWatch(const RequestHead& head, const RemoveWatchView& op);

// A MultiRead request, read by read.
class MultiReadBuilder {
 public:
  MultiReadBuilder& Get(absl::string_view path);
  MultiReadBuilder& Exists(absl::string_view path);
  MultiReadBuilder& Children(const PageView& op);
  [[nodiscard]] std::string Encode(const RequestHead& head) const;

 private:
  template <typename Op>
  MultiReadBuilder& Add(std::uint32_t member, const Op& op);

  std::string body_;
};

// A Transaction request, part by part: compares, then both branches, in any order.
class TransactionBuilder {
 public:
  TransactionBuilder& Compare(const CompareView& compare);
  TransactionBuilder& Then(const CreateView& op) { return Add(2, RequestKind::kCreate, op); }
  TransactionBuilder& Then(const DeleteView& op) { return Add(2, RequestKind::kDelete, op); }
  TransactionBuilder& Then(const SetView& op) { return Add(2, RequestKind::kSet, op); }
  TransactionBuilder& Otherwise(const CreateView& op) { return Add(3, RequestKind::kCreate, op); }
  TransactionBuilder& Otherwise(const DeleteView& op) { return Add(3, RequestKind::kDelete, op); }
  TransactionBuilder& Otherwise(const SetView& op) { return Add(3, RequestKind::kSet, op); }
  TransactionBuilder& ThenCheck(const DeleteView& op) { return Add(2, RequestKind::kCheck, op); }
  TransactionBuilder& ThenDeleteSubtree(const DeleteView& op) { return Add(2, RequestKind::kDeleteSubtree, op); }
  TransactionBuilder& ThenSetAcl(const SetAclView& op) { return Add(2, RequestKind::kSetAcl, op); }
  TransactionBuilder& OtherwiseCheck(const DeleteView& op) { return Add(3, RequestKind::kCheck, op); }
  TransactionBuilder& OtherwiseDeleteSubtree(const DeleteView& op) { return Add(3, RequestKind::kDeleteSubtree, op); }
  [[nodiscard]] std::string Encode(const RequestHead& head) const;

 private:
  template <typename Op>
  TransactionBuilder& Add(std::uint32_t branch, RequestKind kind, const Op& op);

  std::string body_;
};

// One Batch: what a leader proposes. Not reusable after Finish.
class BatchBuilder {
 public:
  // Without a time: AppendBatchTime adds it when the batch is proposed.
  BatchBuilder() = default;
  explicit BatchBuilder(base::WallTime time);

  // `request` is the bytes of a Request as received. Of who asks, what its session does not say.
  void AddRequest(const Origin& origin, base::SessionId session, std::uint64_t seen, absl::string_view request,
                  absl::string_view address = {}, absl::Span<const Identity> identities = {});
  void AddOpen(const Origin& origin, const OpenSessionView& open);
  void AddExpire(raft::Term term, absl::Span<const base::SessionId> sessions);
  void AddReap(absl::Span<const ReapedNodeView> nodes);

  [[nodiscard]] std::size_t size() const { return out_.size(); }  // bytes so far
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] base::Bytes Finish() { return base::Bytes::Adopt(std::move(out_)); }

 private:
  std::string out_;
  std::size_t count_ = 0;
};

// The bytes of one Command: for those who gather commands before they know the batch's time. A Batch is any number of AppendCommand
// and an AppendBatchTime, before or behind them.
[[nodiscard]] std::string EncodeRequestCommand(const Origin& origin, base::SessionId session, std::uint64_t seen,
                                               absl::string_view request);
[[nodiscard]] std::string EncodeOpenCommand(const Origin& origin, const OpenSessionView& open);
[[nodiscard]] std::string EncodeExpireCommand(raft::Term term, absl::Span<const base::SessionId> sessions);
[[nodiscard]] std::string EncodeReapCommand(absl::Span<const ReapedNodeView> nodes);
void AppendBatchTime(base::WallTime time, std::string* batch);
void AppendCommand(absl::string_view command, std::string* batch);

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_VIEWS_H_
