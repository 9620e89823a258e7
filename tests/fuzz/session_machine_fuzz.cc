// coord/client/session_machine.h: frames of a node, in any number and order, to a client that waits for answers of every kind.
//
// An input is a byte (bit 0: the session lives below /a), then pieces (input.h), each a frame to the newest stream. Before each the
// client's time goes on by the piece's length in milliseconds. Whatever comes, no call is answered twice, and a frame that cannot
// be read ends its stream.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/check.h"
#include "coord/base/connection.h"
#include "coord/client/session_machine.h"
#include "tests/fuzz/input.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_world.h"

namespace drover::fuzz {
namespace {

using namespace coord;  // NOLINT

// A stream to the node that the input plays.
struct Stream {
  base::ConnectionEvents* events = nullptr;  // null: gone
};

class OneStream final : public base::Connection {
 public:
  explicit OneStream(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  ~OneStream() override { stream_->events = nullptr; }
  void Send(base::Bytes frame) override {
    base::WireReader in(frame.view());
    while (in.Next()) {
    }
    DROVER_CHECK(in.ok());
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
  void Close(const absl::Status&) override {}

 private:
  const std::shared_ptr<Stream> stream_;
};

class Dialer final : public base::Dialer {
 public:
  std::unique_ptr<base::Connection> Dial(const std::string&, base::ConnectionEvents* events) override {
    newest = std::make_shared<Stream>(Stream{events});
    return std::make_unique<OneStream>(newest);
  }
  std::shared_ptr<Stream> newest;
};

class Listener final : public WatchListener {
 public:
  void OnArmed(Zxid) override { DROVER_CHECK(!ended_ && !std::exchange(armed_, true)); }
  void OnEvent(const Event& event) override {
    DROVER_CHECK(!ended_);
    const Position at{event.zxid, event.ordinal};
    DROVER_CHECK(before_ < at);  // in order, each once
    before_ = at;
  }
  void OnProgress(Zxid) override { DROVER_CHECK(!ended_); }
  void OnCompacted() override { DROVER_CHECK(!std::exchange(ended_, true)); }
  void OnEnded(const absl::Status& why) override {
    DROVER_CHECK(!std::exchange(ended_, true));
    DROVER_CHECK(!why.message().empty());
  }

 private:
  bool armed_ = false;
  bool ended_ = false;
  Position before_{Zxid(), 0};
};

class Client {
 public:
  explicit Client(bool below) : world_(1), loop_(&world_), machine_(&loop_, &dialer_, Options(below)) {
    machine_.Create("/a", "data", {}, Wait<CreateResult>(), {});
    machine_.Set("/a", "data", 1, Wait<SetResult>(), {});
    machine_.Delete("/a", 2, Wait<DeleteResult>(), {});
    machine_.DeleteSubtree("/a", {}, Wait<DeleteSubtreeResult>(), {});
    machine_.Commit({}, Wait<TransactionResult>(), {});
    machine_.SetAcl("/a", {}, {}, Wait<SetResult>(), {});
    machine_.SetQuota("/a", {}, Wait<Zxid>(), {});
    machine_.Authenticate({"digest", "a:b"}, Wait<Zxid>(), {});
    machine_.Get("/a", Wait<GetResult>(), {});
    machine_.Exists("/a", Wait<ExistsResult>(), {});
    machine_.Children("/a", "", 1, Wait<ChildrenPage>(), {});
    machine_.List("/a", "", 1, Wait<ListPage>(), {});
    machine_.MultiRead({}, Wait<MultiReadResult>(), {});
    machine_.CountDescendants("/a", Wait<CountResult>(), {});
    machine_.Ephemerals(SessionId(), "/", {}, 1, Wait<ListPage>(), {});
    machine_.GetAcl("/a", Wait<AclResult>(), {});
    machine_.Quotas("/", {}, 1, Wait<QuotasPage>(), {});
    machine_.WhoAmI(Wait<IdentitiesResult>(), {});
    machine_.Sessions(SessionId(), 1, Wait<SessionsPage>(), {});
    machine_.Sync(Wait<Zxid>(), {});
    machine_.Watch("/a", {}, &first_);
    machine_.Watch("/b", {.after = Position{Zxid(1), 0}}, &second_);
  }

  void Take(absl::string_view frame) {
    world_.RunFor(std::chrono::milliseconds(1 + frame.size()));
    const std::shared_ptr<Stream> stream = dialer_.newest;
    if (stream == nullptr || stream->events == nullptr) return;
    const bool readable = IsReadable(frame);
    stream->events->OnFrame(base::Bytes::Copy(frame));
    world_.RunFor(std::chrono::milliseconds(1));
    DROVER_CHECK(readable || stream->events == nullptr);
  }

 private:
  static SessionOptions Options(bool below) {
    SessionOptions options;
    options.endpoints = {"a:1", "b:2"};
    if (below) options.chroot = "/a";
    return options;
  }
  // The frame's own fields, and the one in each of its items.
  static bool IsReadable(absl::string_view frame) {
    base::WireReader in(frame);
    bool readable = true;
    while (in.Next()) {
      if (!in.Is(4, base::WireType::kBytes)) continue;
      base::WireReader item(in.bytes());
      while (item.Next()) {
      }
      readable = readable && item.ok();
    }
    return readable && in.ok();
  }
  template <typename T>
  Callback<T> Wait() {
    return [called = false](absl::StatusOr<T> result) mutable {
      DROVER_CHECK(!std::exchange(called, true));
      if (!result.ok()) DROVER_CHECK(!result.status().message().empty());
    };
  }

  sim::SimWorld world_;
  sim::SimLoop loop_;
  Dialer dialer_;
  Listener first_;
  Listener second_;
  client::SessionMachine machine_;
};

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  Input input(data, size);
  Client client((input.Byte() & 1) != 0);
  while (!input.empty()) client.Take(input.Piece());
  return 0;
}
