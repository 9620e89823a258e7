// A state machine with everything it says decoded and kept, its log, and invariants checked after every batch.
#ifndef DROVER_TESTS_COORD_TREE_HARNESS_H_
#define DROVER_TESTS_COORD_TREE_HARNESS_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "coord/tree/event.h"
#include "coord/tree/state_machine.h"
#include "coord/tree/views.h"

namespace drover::coord::tree {

// An Answer, field by field, read with the project's own reader (proto_test.cc reads the same bytes with protobuf).
struct DecodedResult {
  Code code = Code::kOk;
  std::string path;
  Stat stat;
  std::uint64_t count = 0;
  bool existed = false;
};
struct DecodedNode {
  std::string path;
  Stat stat;
  std::string data;
  bool hidden = false;
};
struct DecodedQuota {
  std::string path;
  Quota quota;
  std::uint64_t nodes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t czxid = 0;
};
struct DecodedAnswer {
  std::uint64_t number = 0;
  std::uint64_t id = 0;
  Code code = Code::kOk;
  std::uint64_t zxid = 0;
  std::string message;
  std::string path;
  Stat stat;
  std::string data;
  std::vector<std::string> names;
  std::vector<DecodedNode> nodes;
  bool more = false;
  bool has_transaction = false;
  bool succeeded = false;
  std::vector<DecodedResult> results;
  std::uint64_t count = 0;
  bool existed = false;
  std::vector<DecodedAnswer> reads;
  std::vector<std::string> acl;         // "31 world anyone"
  std::vector<std::string> identities;  // "digest ann"
  std::vector<DecodedQuota> quotas;
};
struct DecodedEvent {
  std::uint64_t zxid = 0;
  std::uint32_t ordinal = 0;
  EventType type = EventType::kCreated;
  std::string path;
  Stat stat;
  std::string data;
  std::vector<std::uint64_t> watch_ids;
};

// Malformed bytes fail the test.
DecodedAnswer DecodeAnswer(absl::string_view bytes);
DecodedEvent DecodeEvent(absl::string_view bytes);
Stat DecodeStat(absl::string_view bytes);
std::ostream& operator<<(std::ostream& os, Code code);
std::ostream& operator<<(std::ostream& os, const Stat& stat);

// "3.0 created /a 'data'": zxid, ordinal, what, path, data.
std::string TextOf(const DecodedEvent& event);
std::string TextOf(const Event& event);

class Machine final : public Sink {
 public:
  explicit Machine(const Options& options = Options(), base::FeatureLevel level = base::kNewestFeatureLevel) : machine_(options) {
    machine_.SetFeatureLevel(level);
  }

  // Applies one entry; checks the invariants after it.
  void Apply(const base::Bytes& batch, raft::Term term = kTerm);
  // One command in a batch of its own, at the time `now_ms`.
  DecodedAnswer Write(base::SessionId session, std::uint64_t seen, const std::string& request, absl::string_view address = {},
                      const std::vector<Identity>& identities = {});
  DecodedAnswer Unary(const std::string& request) { return Write(base::SessionId(), 0, request); }
  base::SessionId Open(std::uint32_t timeout_ms = 0, std::uint32_t grace_ms = 0, absl::string_view name = "test",
                       absl::string_view address = {});
  void Reap(const std::vector<ReapedNodeView>& nodes);
  void Expire(const std::vector<base::SessionId>& sessions, raft::Term carried = kTerm);
  DecodedAnswer Read(const std::string& request, base::SessionId session = base::SessionId()) const {
    return ReadAs(Asker{session}, request);
  }
  DecodedAnswer ReadAs(const Asker& asker, const std::string& request) const;

  // Reads and unary writes in short.
  DecodedAnswer Create(absl::string_view path, absl::string_view data = {}) { return Unary(EncodeCreate({}, {path, data})); }
  DecodedAnswer Set(absl::string_view path, absl::string_view data, std::uint32_t version_plus_one = 0) {
    return Unary(EncodeSet({}, {path, data, version_plus_one}));
  }
  DecodedAnswer Delete(absl::string_view path, std::uint32_t version_plus_one = 0) {
    return Unary(EncodeDelete({}, {path, version_plus_one}));
  }
  Stat StatOf(absl::string_view path) const;  // of a missing node: all zero
  bool Has(absl::string_view path) const { return machine_.tree().Find(path) != nullptr; }

  // Text of the events since the last call.
  std::vector<std::string> TakeEvents();

  StateMachine& operator*() { return machine_; }
  // For another state machine's Apply.
  Sink* sink() { return this; }
  StateMachine* operator->() { return &machine_; }

  static constexpr raft::Term kTerm{7};
  std::int64_t now_ms = 1000;
  std::vector<std::pair<raft::Term, base::Bytes>> log;
  std::vector<Event> events;            // all of them
  std::vector<Answered> answers;        // all of them
  std::vector<base::SessionId> opened;  // all of them
  std::vector<std::pair<base::SessionId, SessionEnd>> ended;
  std::vector<std::string> order;  // "events", "answer", "opened", "ended" as they came

 private:
  void OnEvents(absl::Span<const Event> batch) override;
  void OnAnswer(const Answered& answered) override;
  void OnSessionOpened(const Origin& origin, const Session& session) override;
  void OnSessionEnded(base::SessionId session, SessionEnd end, base::Zxid zxid) override;

  StateMachine machine_;
  std::size_t taken_ = 0;
  std::uint64_t tag_ = 0;
};

// A client that numbers its writes.
class Client {
 public:
  explicit Client(Machine* machine, std::uint32_t timeout_ms = 0) : machine_(machine), id_(machine->Open(timeout_ms)) {}

  [[nodiscard]] base::SessionId id() const { return id_; }
  DecodedAnswer Create(const CreateView& op) { return machine_->Write(id_, seen, EncodeCreate({.number = next++}, op)); }
  DecodedAnswer Delete(absl::string_view path) { return machine_->Write(id_, seen, EncodeDelete({.number = next++}, {path})); }
  DecodedAnswer Transact(const TransactionBuilder& builder) {
    return machine_->Write(id_, seen, builder.Encode({.number = next++}));
  }
  DecodedAnswer Close() { return machine_->Write(id_, seen, EncodeCloseSession({.number = next++})); }

  std::uint64_t next = 1;
  std::uint64_t seen = 0;

 private:
  Machine* machine_;
  base::SessionId id_;
};

}  // namespace drover::coord::tree

#endif  // DROVER_TESTS_COORD_TREE_HARNESS_H_
