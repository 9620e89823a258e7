// PeerLinks on real streams: what the simulated network promises about first frames, breaks and good-byes holds for gRPC too.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coord/server/peer_links.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "coord/transport/grpc_server.h"
#include "gtest/gtest.h"
#include "tests/coord/transport/cut_proxy.h"
#include "tests/coord/transport/stream_fixture.h"

namespace drover::coord::server {
namespace {

using base::NodeId;

constexpr char kMethod[] = "/drover.peer.v1.Peer/Link";

struct End final : PeerLinks::Events {
  End(base::Loop* loop, base::Dialer* dialer) : links(std::make_unique<PeerLinks>(loop, dialer, this, PeerLinks::Options())) {}
  void OnPeerFrame(PeerFrame frame) override {
    for (const PeerItem& item : frame.items) heard += std::get<Hello>(item).members + " ";
  }
  void OnLinkUp(NodeId /*peer*/) override { log += "up;"; }
  void OnDismissed(NodeId, const absl::Status&) override {}
  void OnLinkReset(NodeId /*peer*/, base::Incarnation /*incarnation*/) override { log += "reset;"; }
  void OnBadFrame(const absl::Status& status) override { ADD_FAILURE() << status; }
  void Say(const std::string& word) {
    links->Send(NodeId(2), Hello{0, false, 0, word, {}});
    links->Flush({.from = NodeId(1)}, [](NodeId) { return base::Incarnation(); });
  }
  std::unique_ptr<PeerLinks> links;
  std::string heard;
  std::string log;
};

// Node 1 dials node 2, both on one loop.
class PeerLinksGrpcTest : public ::testing::Test {
 protected:
  PeerLinksGrpcTest() : dialer_(&loop_, kMethod), one_(&loop_, &dialer_), two_(&loop_, &dialer_), server_(&loop_, {}) {
    server_.RegisterStream(kMethod, [this](std::unique_ptr<base::Connection> connection, const transport::CallInfo&) {
      return two_.links->Accept(std::move(connection));
    });
    const absl::Status started = server_.Start();
    EXPECT_TRUE(started.ok()) << started;
  }
  ~PeerLinksGrpcTest() override {
    one_.links.reset();
    two_.links.reset();
  }
  void DialAt(const std::string& address) { one_.links->SetPeers({{NodeId(2), address}}); }

  transport::CqLoop loop_;
  transport::GrpcDialer dialer_;
  End one_;
  End two_;
  transport::Server server_;
  transport::LoopDriver driver_;
};

TEST_F(PeerLinksGrpcTest, FramesTravelAndABrokenLinkIsToldAtBothEndsOnce) {
  transport::CutProxy proxy(server_.address());
  driver_.When([] { return true; },
               [&] {
                 DialAt(proxy.address());
                 one_.Say("hello");
               });
  driver_.When([&] { return two_.heard == "hello " && one_.log == "up;"; },
               [&] {
                 EXPECT_TRUE(one_.links->connected(NodeId(2)));
                 proxy.Cut(transport::CutKind::kReset);
               });
  driver_.When([&] { return one_.log == "up;reset;" && two_.log == "reset;"; },
               [&] {
                 EXPECT_FALSE(one_.links->connected(NodeId(2)));
                 DialAt(server_.address());
                 one_.Say("again");
               });
  driver_.When([&] { return two_.heard == "hello again "; });
  driver_.Run(&loop_);
  EXPECT_EQ(one_.log.substr(0, 9), "up;reset;");
  EXPECT_EQ(two_.log, "reset;");
}

TEST_F(PeerLinksGrpcTest, ALinkThatNeverCameUpCarriesNothingAndDoesNotBreak) {
  driver_.When([] { return true; },
               [&] {
                 DialAt("127.0.0.1:1");
                 one_.Say("into the void");
                 EXPECT_GT(one_.links->queued_bytes(NodeId(2)), 0U);
               });
  driver_.When([&] { return one_.links->queued_bytes(NodeId(2)) == 0; });
  driver_.Run(&loop_);
  EXPECT_EQ(one_.log, "");
}

TEST_F(PeerLinksGrpcTest, AGoodByeIsNoReset) {
  driver_.When([] { return true; },
               [&] {
                 DialAt(server_.address());
                 one_.Say("hello");
               });
  driver_.When([&] { return two_.heard == "hello "; },
               [&] {
                 one_.Say("last words");
                 one_.links->Stop();
               });
  driver_.When([&] { return two_.links->accepted() == 0; });
  driver_.Run(&loop_);
  EXPECT_EQ(two_.heard, "hello last words ");
  EXPECT_EQ(two_.log, "");
}

}  // namespace
}  // namespace drover::coord::server
