// coord/server/session_stream.h: frames of a client, in any number and order, to a node that is alone and quick.
//
// An input is a byte for the cluster's feature level, then frames in pieces (input.h). A session is open already: its id is 1, its
// secret sixteen times 's'. Between frames everything that was asked of the node is done.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/check.h"
#include "coord/base/connection.h"
#include "coord/server/session_stream.h"
#include "coord/tree/history.h"
#include "coord/tree/invariants.h"
#include "coord/tree/state_machine.h"
#include "coord/tree/watches.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

using namespace coord;          // NOLINT
using namespace coord::server;  // NOLINT

constexpr StreamId kStream{1};
constexpr absl::string_view kSecret = "ssssssssssssssss";
constexpr std::uint64_t kOpening = 2;
constexpr std::uint64_t kWrite = 1;

// What the client gets, dropped at once.
class Drain final : public base::Connection {
 public:
  explicit Drain(bool* closed) : closed_(closed) {}
  void Send(base::Bytes frame) override {
    base::WireReader in(frame.view());
    while (in.Next()) {
    }
    DROVER_CHECK(in.ok());
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
  void Close(const absl::Status& status) override {
    if (!status.ok()) CheckRefusal(status);
    *closed_ = true;
  }

 private:
  bool* const closed_;
};

class OneNode final : public StreamHost, private tree::Sink {
 public:
  explicit OneNode(base::FeatureLevel level) : history_({}) {
    machine_.SetFeatureLevel(level);
    tree::BatchBuilder batch{base::WallTime(1)};
    batch.AddOpen({}, {.secret = kSecret, .timeout_ms = 6000});
    Apply(batch.Finish());
    stream_.emplace(this, &options_, kStream, std::make_unique<Drain>(&closed_), "");
  }

  void Take(absl::string_view frame) {
    stream_->OnFrame(base::Bytes::Copy(frame));
    Settle();
  }
  void End() {
    stream_->OnClosed(base::CloseCause::kPeerGone, absl::UnavailableError("gone"));
    Settle();
    DROVER_CHECK(watches_.size() == 0);
  }
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  void Settle() {
    int turns = 0;
    while (Turn() && !closed_) DROVER_CHECK(++turns < 10'000);
    const absl::Status sound = tree::CheckInvariants(machine_);
    DROVER_CHECK(sound.ok()) << sound.ToString();
  }
  // False: nothing was to be done any more.
  bool Turn() {
    stream_->Work();
    bool more = std::exchange(wants_work_, false);
    if (!commands_.empty()) {
      std::string batch;
      tree::AppendBatchTime(base::WallTime(++time_), &batch);
      for (const std::string& command : std::exchange(commands_, {})) tree::AppendCommand(command, &batch);
      Apply(base::Bytes::Adopt(std::move(batch)));
      more = true;
    }
    if (std::exchange(wants_round_, false)) {
      stream_->OnRound(stream_->BeginRound());
      more = true;
    }
    if (contact_) {
      stream_->OnContactConfirmed(*std::exchange(contact_, std::nullopt));
      more = true;
    }
    if (std::exchange(wants_flush_, false)) {
      stream_->Flush();
      stream_->OnDrained();
      more = true;
    }
    return more;
  }
  void Apply(const base::Bytes& batch) {
    const absl::Status applied = machine_.Apply(raft::Term(1), batch.view(), this);
    DROVER_CHECK(applied.ok()) << applied.ToString();
  }

  [[nodiscard]] base::Instant Now() const override { return base::Instant(std::chrono::hours(1)); }
  [[nodiscard]] const tree::StateMachine& state() const override { return machine_; }
  [[nodiscard]] const tree::EventHistory& history() const override { return history_; }
  [[nodiscard]] tree::WatchTable& watches() override { return watches_; }
  [[nodiscard]] NodeObserver& observer() override { return observer_; }
  [[nodiscard]] base::NodeId node_id() const override { return base::NodeId(1); }
  [[nodiscard]] base::ClusterId cluster_id() const override { return base::ClusterId(7); }
  void WantWork(StreamId) override { wants_work_ = true; }
  void WantFlush(StreamId) override { wants_flush_ = true; }
  void Heard(StreamId, base::SessionId) override {}
  void WantConfirmation(StreamId, base::SessionId, std::uint64_t contact) override { contact_ = contact; }
  void LinkBroke(StreamId, base::SessionId) override {}
  void WantRound(StreamId) override { wants_round_ = true; }
  [[nodiscard]] bool TakesWrites() const override { return true; }
  [[nodiscard]] bool DiskFull() const override { return false; }
  [[nodiscard]] absl::Status MayStay() const override { return absl::OkStatus(); }
  void Propose(StreamId, const tree::Asker& asker, std::uint64_t seen, absl::string_view request) override {
    commands_.push_back(tree::EncodeRequestCommand({base::NodeId(1), base::BootNonce(1), kWrite}, asker.session, seen, request));
  }
  void ProposeOpen(StreamId, const OpenView& open, absl::string_view address) override {
    commands_.push_back(tree::EncodeOpenCommand({base::NodeId(1), base::BootNonce(1), kOpening},
                                                {kSecret, open.timeout_ms, open.disconnect_grace_ms, open.name, address}));
  }
  [[nodiscard]] std::vector<tree::Identity> Verify(const tree::AuthenticateView& shown) const override {
    return {{std::string(shown.scheme), std::string(shown.credential)}};
  }
  void Attached(base::SessionId, StreamId, std::uint64_t) override {}

  void OnEvents(absl::Span<const tree::Event> events) override {
    history_.Append(events);
    watches_.Match(
        events, [this](const tree::Delivery& delivery) { stream_->OnEvent(delivery); },
        [this](StreamId) { return machine_.Known(stream_->asker()); });
  }
  void OnAnswer(const tree::Answered& answered) override {
    if (answered.origin.tag == kWrite) stream_->OnAnswer(answered.bytes.view());
    if (answered.origin.tag == kOpening && answered.code != tree::Code::kOk) {
      stream_->OnOpenRefused(answered.code, tree::MessageOf(answered.code));
    }
  }
  void OnSessionOpened(const tree::Origin& origin, const tree::Session& session) override {
    if (origin.tag == kOpening) stream_->OnOpened(session);
  }
  void OnSessionEnded(base::SessionId session, tree::SessionEnd end, base::Zxid) override {
    if (stream_->session() == session) stream_->OnSessionEnded(end);
  }

  const StreamOptions options_{
      .credits_start = 4, .credits_max = 16, .request_bytes_aim = 4096, .request_bytes_max = 16384, .outbound_pause_bytes = 4096};
  NodeObserver observer_;
  tree::StateMachine machine_;
  tree::EventHistory history_;
  tree::WatchTable watches_;
  std::int64_t time_ = 1;
  std::vector<std::string> commands_;
  std::optional<std::uint64_t> contact_;
  bool wants_work_ = false, wants_round_ = false, wants_flush_ = false, closed_ = false;
  std::optional<SessionStream> stream_;
};

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  Input input(data, size);
  OneNode node(drover::base::FeatureLevel(1 + input.Byte() % drover::base::kNewestFeatureLevel.value));
  while (!input.empty() && !node.closed()) node.Take(input.Piece());
  if (!node.closed()) node.End();
  return 0;
}
