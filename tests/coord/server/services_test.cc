#include "coord/server/services.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/file_system.h"
#include "coord/base/random.h"
#include "coord/base/thread_executor.h"
#include "coord/log/snapshot_file.h"
#include "coord/process/metrics.h"
#include "coord/server/prometheus_observer.h"
#include "coord/server/recovery.h"
#include "coord/transport/grpc_dialer.h"
#include "coord/transport/message_bytes.h"
#include "coord/transport/unary_client.h"
#include "drover/coord/v1/coord.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::coord::server {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Peer final : base::ConnectionEvents {
  void OnFrame(base::Bytes frame) override {
    const auto decoded = transport::Decode<v1::ServerFrame>(frame);
    ASSERT_TRUE(decoded.ok());
    all.MergeFrom(*decoded);
    if (on_change) on_change();
  }
  void OnClosed(base::CloseCause, const absl::Status& s) override {
    status = s;
    closed = true;
    if (on_change) on_change();
  }
  v1::ServerFrame all;
  bool closed = false;
  absl::Status status;
  std::function<void()> on_change;
  std::unique_ptr<base::Connection> connection;
};

// A directory of this test's own, removed with it.
class Directory {
 public:
  Directory() : path_(::testing::TempDir() + "/services_test." + std::to_string(getpid())) {}
  ~Directory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// A node with its services on a real loop, real sockets, and a real disk with its thread: a simulated disk is for one thread, and
// what the log holds open is closed by whichever of the two lets go of it last.
class ServicesTest : public ::testing::Test {
 protected:
  ServicesTest()
      : disk_(&loop_, {}),
        snapshots_(&loop_, {}),
        services_(&loop_, {}, "core.example:7400"),
        observer_(&metrics_, [this](const NodeStatus& s) { services_.SetServing(s.serving); }) {
    NodeSeams seams;
    seams.loop = &loop_;
    seams.disk = &disk_;
    seams.snapshots = &snapshots_;
    seams.files = files_.get();
    seams.random = &random_;
    seams.observer = &observer_;
    NodeOptions options;
    options.id = base::NodeId(1);
    options.data_directory = directory_.path();
    options.found_after = base::Duration::zero();
    process_ = *MemberProcess::Open(seams, options, {});
    EXPECT_TRUE(services_.Start(process_.get()).ok());
    process_->Start();
    calls_ = std::make_unique<transport::UnaryClient>(&loop_);
  }

  // Calls, and runs the loop until the answer is there. Once per test: a loop that was stopped does not run again.
  void Call(const std::string& method, const base::Bytes& request, std::function<void(absl::StatusOr<base::Bytes>)> then) {
    call_ = calls_->Call(services_.address(), method, request, {}, std::move(then));
  }

  const Directory directory_;
  const std::unique_ptr<base::FileSystem> files_ = base::NewRealFileSystem();
  transport::CqLoop loop_;
  base::SeededRandom random_{1};
  process::Metrics metrics_;
  base::ThreadExecutor disk_, snapshots_;
  Services services_;
  PrometheusObserver observer_;
  std::unique_ptr<MemberProcess> process_;
  std::unique_ptr<transport::UnaryClient> calls_;
  std::unique_ptr<transport::PendingCall> call_;
};

TEST_F(ServicesTest, ExecuteThenStatusThenMetrics) {
  v1::Request create;
  create.mutable_create()->set_path("/made");
  v1::StatusResponse status;
  Call("/drover.coord.v1.Coordination/Execute", transport::Encode(create), [&](absl::StatusOr<base::Bytes> bytes) {
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(transport::Decode<v1::Answer>(*bytes)->path(), "/made");
    Call("/drover.coord.v1.Coordination/Status", {}, [&](absl::StatusOr<base::Bytes> answer) {
      ASSERT_TRUE(answer.ok()) << answer.status();
      status = *transport::Decode<v1::StatusResponse>(*answer);
      loop_.Stop();
    });
  });
  loop_.Run();
  EXPECT_EQ(status.node_id(), 1U);
  EXPECT_EQ(status.role(), "leader");
  EXPECT_EQ(status.nodes(), 2U);
  EXPECT_EQ(status.last_zxid(), 1U);
  ASSERT_EQ(status.members_size(), 1);
  EXPECT_EQ(status.members(0).address(), "core.example:7400");
  EXPECT_THAT(metrics_.Text(), HasSubstr("drover_coord_commands_total 1"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("drover_coord_commit_seconds_count 1"));
}

// A node that was removed stood there for ever, as if it had all.
TEST_F(ServicesTest, OnlyMembersHaveSeries) {
  NodeStatus status;
  status.peers = {{base::NodeId(2), 7, 0}, {base::NodeId(3), 0, 0}};
  observer_.OnStatus(status);
  EXPECT_THAT(metrics_.Text(), AllOf(HasSubstr("drover_coord_peer_lag_entries{peer=\"2\"} 7"), HasSubstr("{peer=\"3\"}")));
  status.peers.erase(status.peers.begin());
  observer_.OnStatus(status);
  EXPECT_THAT(metrics_.Text(), AllOf(Not(HasSubstr("{peer=\"2\"}")), HasSubstr("{peer=\"3\"}")));
}

TEST_F(ServicesTest, ABackupIsAWholeSnapshotFileInSmallPieces) {
  std::string file;
  std::size_t largest = 0;
  absl::Status ended = absl::UnknownError("not yet");
  std::unique_ptr<transport::ServerStreamCall> save;
  std::function<void()> read = [&] {
    save->Read([&](absl::StatusOr<std::optional<base::Bytes>> got) {
      if (got.ok() && *got) {
        const auto piece = transport::Decode<v1::SnapshotPiece>(**got);
        ASSERT_TRUE(piece.ok());
        largest = std::max(largest, piece->data().size());
        file += piece->data();
        return read();
      }
      ended = got.status();
      loop_.Stop();
    });
  };
  // A megabyte that does not compress.
  v1::Request create;
  create.mutable_create()->set_path("/made");
  std::string noise;
  base::SeededRandom random(2);
  while (noise.size() < 1'000'000) noise.push_back(static_cast<char>(random.Below(256)));
  create.mutable_create()->set_data(noise);
  Call("/drover.coord.v1.Coordination/Execute", transport::Encode(create), [&](absl::StatusOr<base::Bytes> bytes) {
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    save = calls_->CallForStream(services_.address(), "/drover.coord.v1.Coordination/SaveSnapshot",
                                 transport::Encode(v1::SaveSnapshotRequest()), {});
    read();
  });
  loop_.Run();
  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_LE(largest, 256U << 10);
  const std::string path = directory_.path() + "/fetched";
  std::ofstream(path, std::ios::binary) << file;
  const auto reader = log::SnapshotReader::Open(files_.get(), path, process_->node()->Status().cluster);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto state = LoadSnapshot(reader->get(), {});
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ((*state)->tree().Find("/made")->data(), noise);
  save.reset();
}

TEST_F(ServicesTest, ASessionOpensOverARealLinkAndStopEndsIt) {
  transport::GrpcDialer dialer(&loop_, "/drover.coord.v1.Coordination/Session");
  Peer peer;
  v1::ClientFrame open;
  open.mutable_open()->set_name("test");
  peer.connection = dialer.Dial(services_.address(), &peer);
  peer.connection->Send(transport::Encode(open));
  bool asked = false;
  peer.on_change = [&] {
    if (peer.all.has_grant() && !std::exchange(asked, true)) {
      v1::ClientFrame frame;
      frame.mutable_contact()->set_nonce(4);
      frame.add_requests()->set_number(1);
      frame.mutable_requests(0)->mutable_create()->set_path("/e");
      frame.mutable_requests(0)->mutable_create()->set_ephemeral(true);
      peer.connection->Send(transport::Encode(frame));
    }
    if (peer.all.items_size() == 1 && peer.all.contact().nonce() == 4 && !peer.closed) process_->Stop();
    if (peer.closed) loop_.Stop();
  };
  loop_.Run();
  EXPECT_EQ(peer.all.grant().session_id(), 1U);
  EXPECT_EQ(peer.all.items(0).answer().path(), "/e");
  EXPECT_EQ(peer.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(process_->node()->Status().sessions, 1U) << "a stopping node ends no session";
  peer.connection.reset();
}

// Clients in a thread of their own that dial again as soon as a stream ends, and write on each.
class Redialling {
 public:
  Redialling(std::string address, int clients) : address_(std::move(address)) {
    thread_.RunOnLoop([this, clients] {
      dialer_ = std::make_unique<transport::GrpcDialer>(thread_.loop(), "/drover.coord.v1.Coordination/Session");
      for (int i = 0; i < clients; ++i) {
        peers_.push_back(std::make_unique<Peer>());
        Dial(peers_.back().get());
      }
    });
  }
  ~Redialling() {
    thread_.RunOnLoop([this] {
      peers_.clear();
      dialer_.reset();
    });
  }
  [[nodiscard]] int answers() const { return answers_; }
  [[nodiscard]] int ends() const { return ends_; }

 private:
  void Dial(Peer* peer) {
    peer->all.Clear();
    peer->closed = false;
    peer->on_change = [this, peer, asked = false]() mutable {
      if (peer->closed) {
        ++ends_;
        thread_.loop()->Post([this, peer] { Dial(peer); });
      } else if (peer->all.has_grant() && !std::exchange(asked, true)) {
        v1::ClientFrame frame;
        for (std::uint64_t number = 1; number <= 16; ++number) {
          v1::Request* request = frame.add_requests();
          request->set_number(number);
          request->mutable_create()->set_path("/n-");
          request->mutable_create()->set_sequential(true);
        }
        peer->connection->Send(transport::Encode(frame));
      }
      if (peer->all.items_size() > 0) ++answers_;
    };
    peer->connection = dialer_->Dial(address_, peer);
    v1::ClientFrame open;
    open.mutable_open()->set_name("again");
    peer->connection->Send(transport::Encode(open));
  }

  const std::string address_;
  std::atomic<int> answers_ = 0, ends_ = 0;
  transport::LoopThread thread_;
  std::unique_ptr<transport::GrpcDialer> dialer_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

TEST_F(ServicesTest, ANodeGoesUnderClientsThatDialAgainWithWritesOnTheirWayToTheDisk) {
  Redialling clients(services_.address(), 8);
  base::Timer poll(&loop_);
  std::function<void(std::function<bool()>, std::function<void()>)> when = [&](std::function<bool()> condition,
                                                                               std::function<void()> then) {
    if (condition()) return then();
    poll.Set(std::chrono::milliseconds(1), [&when, condition, then] { when(condition, then); });
  };
  when([&] { return clients.answers() >= 8; },
       [&] {
         process_->Stop();
         const int ends = clients.ends();
         when([&clients, ends] { return clients.ends() >= ends + 16; }, [this] { loop_.Stop(); });
       });
  loop_.Run();
  EXPECT_GE(clients.ends(), 16) << "they were sent away, came again and were sent away again";
  process_.reset();
}

}  // namespace
}  // namespace drover::coord::server
