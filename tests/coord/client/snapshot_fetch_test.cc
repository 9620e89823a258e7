// Fetching a backup: from a server that says what the test wants, over a real link.
#include "coord/client/snapshot_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_server.h"
#include "coord/transport/message_bytes.h"
#include "drover/coord/v1/coord.pb.h"

namespace drover::coord {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// Sends `pieces` to whoever asks, then ends the stream with `end`; or goes on holding it.
class SnapshotFetchTest : public ::testing::Test {
 protected:
  void Serve(std::vector<std::string> pieces, std::optional<absl::Status> end) {
    thread_.RunOnLoop([&] {
      server_ = std::make_unique<transport::Server>(thread_.loop(), transport::ServerOptions());
      server_->RegisterServerStream(
          "/drover.coord.v1.Coordination/SaveSnapshot",
          [this, pieces, end](const base::Bytes&, std::unique_ptr<base::Connection> connection, const transport::CallInfo&) {
            for (const std::string& data : pieces) {
              v1::SnapshotPiece piece;
              piece.set_data(data);
              connection->Send(transport::Encode(piece));
            }
            if (end) connection->Close(*end);
            connection_ = std::move(connection);
            return static_cast<base::ConnectionEvents*>(&listener_);
          });
      ASSERT_TRUE(server_->Start().ok());
      address_ = server_->address();
    });
  }
  ~SnapshotFetchTest() override {
    thread_.RunOnLoop([this] {
      connection_.reset();
      server_.reset();
    });
  }
  absl::Status Fetch(base::Duration patience = seconds(60)) {
    return FetchSnapshot(
        address_, patience,
        [this](absl::string_view piece) {
          got_.append(piece.data(), piece.size());
          return refuse_;
        },
        [this] { return stop_ && !got_.empty(); });
  }

  struct Listener final : base::ConnectionEvents {
    void OnFrame(base::Bytes) override {}
    void OnClosed(base::CloseCause, const absl::Status&) override {}
  };

  Listener listener_;  // the loop's thread calls it: it outlives that
  transport::LoopThread thread_;
  std::unique_ptr<transport::Server> server_;
  std::unique_ptr<base::Connection> connection_;
  std::string address_;
  std::string got_;
  absl::Status refuse_;
  bool stop_ = false;
};

TEST_F(SnapshotFetchTest, PiecesComeInOrderToTheEnd) {
  Serve({"one ", "two ", "three"}, absl::OkStatus());
  const absl::Status fetched = Fetch();
  EXPECT_TRUE(fetched.ok()) << fetched;
  EXPECT_EQ(got_, "one two three");
}

TEST_F(SnapshotFetchTest, TheNodesWordEndsIt) {
  Serve({"half"}, absl::ResourceExhaustedError("the disk is full"));
  EXPECT_EQ(Fetch(), absl::ResourceExhaustedError("the disk is full"));
}

TEST_F(SnapshotFetchTest, WhoTakesThePiecesMayEndIt) {
  Serve({"one", "two"}, std::nullopt);
  refuse_ = absl::ResourceExhaustedError("no space here");
  EXPECT_EQ(Fetch(), refuse_);
  EXPECT_EQ(got_, "one");
}

TEST_F(SnapshotFetchTest, ItStopsWhenAskedToThoughNothingComes) {
  Serve({"one"}, std::nullopt);
  stop_ = true;
  EXPECT_EQ(Fetch().code(), absl::StatusCode::kCancelled);
}

TEST_F(SnapshotFetchTest, SilenceEndsIt) {
  Serve({"one"}, std::nullopt);
  const absl::Status silent = Fetch(milliseconds(200));
  EXPECT_EQ(silent.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(silent.message()), HasSubstr("has sent nothing for 200 ms"));
}

TEST_F(SnapshotFetchTest, WhereNobodyIsItSaysSo) {
  Serve({}, std::nullopt);
  thread_.RunOnLoop([this] { server_.reset(); });
  EXPECT_EQ(Fetch().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace drover::coord
