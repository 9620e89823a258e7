// The bytes of drover.coord.v1 as a client writes and reads them, without generated types: an operation is encoded once, when it is
// called for, and sent as often as needed; answers and events are read in place.
#ifndef DROVER_COORD_CLIENT_CODEC_H_
#define DROVER_COORD_CLIENT_CODEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "coord/base/feature_level.h"
#include "coord/base/ids.h"
#include "coord/base/wire.h"
#include "drover/coord/types.h"

namespace drover::coord::client {

// ---- what a client writes ----

// A Request less its number or id: those are put in front when it is sent.
[[nodiscard]] std::string EncodeCreate(absl::string_view path, absl::string_view data, const CreateOptions& how);
[[nodiscard]] std::string EncodeSet(absl::string_view path, absl::string_view data, std::optional<std::uint32_t> version);
[[nodiscard]] std::string EncodeDelete(absl::string_view path, std::optional<std::uint32_t> version);
[[nodiscard]] std::string EncodeDeleteSubtree(absl::string_view path, std::optional<std::uint32_t> version);
[[nodiscard]] std::string EncodeTransaction(const Transaction& transaction);
[[nodiscard]] std::string EncodeSetAcl(absl::string_view path, const Acl& acl, std::optional<std::uint32_t> aversion);
[[nodiscard]] std::string EncodeSetQuota(absl::string_view path, const Quota& quota);
[[nodiscard]] std::string EncodeAuthenticate(const Credential& credential);
[[nodiscard]] std::string EncodeCloseSession();
[[nodiscard]] std::string EncodeGet(absl::string_view path, bool local);
[[nodiscard]] std::string EncodeExists(absl::string_view path, bool local);
[[nodiscard]] std::string EncodeChildren(absl::string_view path, absl::string_view after, std::uint32_t limit, bool local);
[[nodiscard]] std::string EncodeList(absl::string_view path, absl::string_view after, std::uint32_t limit, bool with_data,
                                     bool local);
[[nodiscard]] std::string EncodeMultiRead(const std::vector<ReadOperation>& reads, bool local);
[[nodiscard]] std::string EncodeCountDescendants(absl::string_view path, bool local);
[[nodiscard]] std::string EncodeEphemerals(SessionId session, absl::string_view path, const AfterNode& after, std::uint32_t limit,
                                           bool local);
[[nodiscard]] std::string EncodeGetAcl(absl::string_view path, bool local);
[[nodiscard]] std::string EncodeQuotas(absl::string_view path, const AfterNode& after, std::uint32_t limit, bool local);
[[nodiscard]] std::string EncodeWhoAmI(bool local);
[[nodiscard]] std::string EncodeSessions(SessionId after, std::uint32_t limit, bool local);
[[nodiscard]] std::string EncodeSync(bool local);
// Appends to a Request that Execute is called with.
void AppendAuth(std::string* request, const Credential& credential);
// `kind`: a WatchKind's value.
[[nodiscard]] std::string EncodeAddWatch(std::uint64_t watch_id, absl::string_view path, std::uint32_t kind, bool with_data,
                                         const std::optional<Position>& after);
[[nodiscard]] std::string EncodeRemoveWatch(std::uint64_t watch_id);

// The lowest feature level that knows all of it.
[[nodiscard]] base::FeatureLevel NeededLevel(const CreateOptions& how);
[[nodiscard]] base::FeatureLevel NeededLevel(const Transaction& transaction);

// Each appends to a ClientFrame.
void AppendOpen(std::string* frame, std::uint32_t timeout_ms, std::uint32_t disconnect_grace_ms, absl::string_view name);
void AppendResume(std::string* frame, SessionId id, absl::string_view secret, Zxid seen_zxid, std::uint64_t attach);
void AppendContact(std::string* frame, std::uint64_t nonce);
void AppendSeen(std::string* frame, std::uint64_t seen);
void AppendNumbered(std::string* frame, std::uint64_t number, absl::string_view body);
void AppendIdentified(std::string* frame, std::uint64_t id, absl::string_view body);

// ---- what a client reads: views, valid as long as the frame ----

struct GrantView {
  SessionId session;
  absl::string_view secret;
  std::uint32_t timeout_ms = 0;
  std::uint64_t last_write = 0;
  base::NodeId node;
  base::ClusterId cluster;
};

struct ContactAckView {
  std::uint64_t nonce = 0;
  std::int64_t time_ms = 0;
};

struct FrameView {
  std::optional<GrantView> grant;
  std::optional<ContactAckView> contact;
  std::uint64_t credits = 0;  // 0: none given in this frame
  Zxid bookmark;              // 0: none
  bool move = false;
  base::FeatureLevel feature_level;  // 0: not said in this frame
  absl::string_view bytes;

  // False for malformed bytes. Items are checked when they are read.
  [[nodiscard]] static bool Parse(absl::string_view bytes, FrameView* out);
  [[nodiscard]] base::RepeatedBytes items() const { return {bytes, 4}; }
};

struct AnswerView {
  std::uint64_t number = 0;
  std::uint64_t id = 0;
  Code code = Code::kOk;
  Zxid zxid;
  absl::string_view message;
  absl::string_view path;
  Stat stat;
  absl::string_view data;
  bool more = false;
  absl::string_view transaction;
  Position oldest;
  std::uint64_t count = 0;
  bool existed = false;
  absl::string_view acl;
  absl::string_view bytes;

  [[nodiscard]] static bool Parse(absl::string_view bytes, AnswerView* out);
  [[nodiscard]] base::RepeatedBytes names() const { return {bytes, 13}; }
  [[nodiscard]] base::RepeatedBytes nodes() const { return {bytes, 14}; }
  // Each is an Answer.
  [[nodiscard]] base::RepeatedBytes reads() const { return {bytes, 20}; }
  [[nodiscard]] base::RepeatedBytes identities() const { return {bytes, 22}; }
  [[nodiscard]] base::RepeatedBytes quotas() const { return {bytes, 23}; }
  [[nodiscard]] base::RepeatedBytes sessions() const { return {bytes, 24}; }
};

struct EventView {
  Event event;
  absl::InlinedVector<std::uint64_t, 4> watches;

  [[nodiscard]] static bool Parse(absl::string_view bytes, EventView* out);
};

[[nodiscard]] bool ParseStat(absl::string_view bytes, Stat* out);
[[nodiscard]] bool ParseNode(absl::string_view bytes, Node* out);
[[nodiscard]] bool ParseAcl(absl::string_view bytes, Acl* out);
[[nodiscard]] bool ParseIdentity(absl::string_view bytes, Identity* out);
[[nodiscard]] bool ParseQuotaUsage(absl::string_view bytes, QuotaUsage* out);
[[nodiscard]] bool ParseSessionInfo(absl::string_view bytes, SessionInfo* out);
// Codes of the operations come beside, in order; a refused branch has the refused operation's code among them.
[[nodiscard]] bool ParseTransactionResult(absl::string_view bytes, TransactionResult* out, std::vector<Code>* codes);

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_CODEC_H_
