#include "coord/server/peer_links.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"

namespace drover::coord::server {
namespace {

using base::NodeId;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string Host(std::uint64_t id) {
  return "n" + std::to_string(id);
}
std::string Address(std::uint64_t id) {
  return Host(id) + ":1";
}

// A process with nothing but its links; what it hears of them is kept as words.
struct Process final : PeerLinks::Events {
  Process(sim::SimWorld* world, sim::SimNetwork* network, std::uint64_t own_id, PeerLinks::Options options)
      : id(own_id), net(network), loop(world), dialer(network->NewDialer(&loop, Host(own_id))) {
    links = std::make_unique<PeerLinks>(&loop, dialer.get(), this, options);
    Listen(Address(id));
  }
  void Listen(const std::string& address) {
    net->Listen(&loop, address,
                [this](std::unique_ptr<base::Connection> connection) { return links->Accept(std::move(connection)); });
  }

  void OnPeerFrame(PeerFrame frame) override {
    for (const PeerItem& item : frame.items) {
      if (const auto* word = std::get_if<Hello>(&item)) heard[frame.header.from.value] += word->members + " ";
    }
    frames.push_back(std::move(frame));
    if (on_frame) on_frame();
  }
  void OnLinkUp(NodeId peer) override { log += "up " + std::to_string(peer.value) + ";"; }
  void OnLinkReset(NodeId peer, base::Incarnation) override {
    log += "reset " + std::to_string(peer.value) + ";";
    if (on_reset) on_reset();
  }
  void OnDismissed(NodeId peer, const absl::Status& why) override {
    log += "dismissed by " + std::to_string(peer.value) + ";";
    dismissed = why;
  }
  void OnBadFrame(const absl::Status& status) override { bad.push_back(status); }

  void Peer(std::uint64_t to) { links->SetPeers({{NodeId(to), Address(to)}}); }
  void Say(std::uint64_t to, const std::string& word) { links->Send(NodeId(to), Hello{0, false, 0, word, {}}); }
  void Flush() {
    links->Flush({.cluster = base::ClusterId(9), .from = NodeId(id), .clock = loop.WallNow()},
                 [](NodeId peer) { return base::Incarnation(peer.value * 100); });
  }
  void SayNow(std::uint64_t to, const std::string& word) {
    Say(to, word);
    Flush();
  }

  const std::uint64_t id;
  sim::SimNetwork* const net;
  sim::SimLoop loop;
  const std::unique_ptr<base::Dialer> dialer;
  std::unique_ptr<PeerLinks> links;
  std::map<std::uint64_t, std::string> heard;  // by sender
  std::vector<PeerFrame> frames;
  std::string log;
  std::vector<absl::Status> bad;
  absl::Status dismissed;
  std::function<void()> on_frame;
  std::function<void()> on_reset;
};

// One dialled stream whose frames the test writes itself.
struct Raw final : base::ConnectionEvents {
  Raw(base::Dialer* dialer, const std::string& address) : connection(dialer->Dial(address, this)) {}
  void OnFrame(base::Bytes /*frame*/) override {}
  void OnClosed(base::CloseCause why, const absl::Status& s) override {
    closed = true;
    cause = why;
    status = s;
  }
  void Say(std::uint64_t from, const std::string& word, std::uint64_t incarnation = 0) {
    PeerFrameBuilder builder;
    builder.Add(Hello{0, false, 0, word, {}});
    connection->Send(builder.Finish({.from = NodeId(from), .from_incarnation = base::Incarnation(incarnation), .to = NodeId(2)}));
  }
  bool closed = false;
  base::CloseCause cause{};
  absl::Status status;
  const std::unique_ptr<base::Connection> connection;
};

class PeerLinksTest : public ::testing::Test {
 protected:
  PeerLinksTest() : world_(1), network_(&world_), loop_(&world_), dialer_(network_.NewDialer(&loop_, "raw")) {}

  Process* Start(std::uint64_t id, PeerLinks::Options options = {}) {
    processes_[id] = std::make_unique<Process>(&world_, &network_, id, options);
    return processes_[id].get();
  }
  void Kill(std::uint64_t id) {
    network_.Kill(Host(id));
    processes_.at(id)->loop.Stop();
    processes_.erase(id);
  }
  void Run(base::Duration duration = milliseconds(100)) { world_.RunFor(duration); }
  [[nodiscard]] bool Await(const std::function<bool()>& condition) { return world_.RunUntil(condition, seconds(10)); }
  // What is said without a link is lost: says something each millisecond until it is heard.
  [[nodiscard]] bool SayUntilHeard(Process* from, Process* to) {
    const std::size_t before = to->frames.size();
    for (int i = 0; i < 10'000 && to->frames.size() == before; ++i) {
      from->SayNow(to->id, "hello");
      Run(milliseconds(1));
    }
    return to->frames.size() > before;
  }

  sim::SimWorld world_;
  sim::SimNetwork network_;
  sim::SimLoop loop_;  // of the raw ends
  std::unique_ptr<base::Dialer> dialer_;
  std::map<std::uint64_t, std::unique_ptr<Process>> processes_;
};

TEST_F(PeerLinksTest, WhatIsSentBetweenFlushesArrivesAsOneFrameInOrder) {
  Process* const a = Start(1);
  Process* const b = Start(2);
  a->Peer(2);
  for (const char* word : {"a", "b", "c"}) a->Say(2, word);
  Run();
  EXPECT_TRUE(b->frames.empty()) << "nothing leaves before Flush";
  a->Flush();
  a->Flush();
  EXPECT_TRUE(b->frames.empty());
  a->SayNow(2, "d");
  Run();
  EXPECT_EQ(b->heard[1], "a b c d ");
  ASSERT_EQ(b->frames.size(), 2U) << "nothing to say, no frame";
  const PeerHeader header = b->frames[0].header;
  EXPECT_EQ(header.cluster, base::ClusterId(9));
  EXPECT_EQ(header.from, NodeId(1));
  EXPECT_EQ(header.to, NodeId(2));
  EXPECT_EQ(header.to_incarnation, base::Incarnation(200));
  EXPECT_EQ(a->links->dropped(), 0U);
  EXPECT_EQ(a->log, "up 2;");
  EXPECT_TRUE(a->links->connected(NodeId(2)));
  EXPECT_EQ(a->links->queued_bytes(NodeId(2)), 0U);
}

TEST_F(PeerLinksTest, AMessageGoesToTheReceiverOfItsEnvelope) {
  Process* const a = Start(1);
  Process* const b = Start(2);
  Start(3);
  a->links->SetPeers({{NodeId(2), Address(2)}, {NodeId(3), Address(3)}});
  raft::Message message;
  message.envelope.to = NodeId(2);
  message.envelope.term = raft::Term(7);
  message.body = raft::ReadIndexAsk{5};
  a->links->Send(message);
  EXPECT_GT(a->links->queued_bytes(NodeId(2)), 0U);
  EXPECT_EQ(a->links->queued_bytes(NodeId(3)), 0U);
  a->Flush();
  Run();
  ASSERT_EQ(b->frames.size(), 1U);
  const auto& item = std::get<RaftItem>(b->frames[0].items.at(0));
  EXPECT_EQ(item.term, raft::Term(7));
  EXPECT_EQ(std::get<raft::ReadIndexAsk>(item.body).context, 5U);
  message.envelope.to = NodeId(4);
  a->links->Send(message);
  EXPECT_EQ(a->links->dropped(), 1U) << "to nobody known";
}

TEST_F(PeerLinksTest, MuchAtOnceIsSeveralFrames) {
  Process* const a = Start(1, {.frame_bytes = 1000});
  Process* const b = Start(2);
  a->Peer(2);
  std::string all;
  for (int i = 0; i < 10; ++i) {
    const std::string word = std::to_string(i) + std::string(400, 'x');
    a->Say(2, word);
    all += word + " ";
  }
  a->Flush();
  Run();
  EXPECT_EQ(b->heard[1], all);
  EXPECT_EQ(b->frames.size(), 4U) << "three items each, and the last";
}

TEST_F(PeerLinksTest, APeerThatIsNotThereIsDialledUntilItIs) {
  Process* const a = Start(1);
  a->Peer(2);
  Run(seconds(5));
  EXPECT_FALSE(a->links->connected(NodeId(2)));
  EXPECT_EQ(a->log, "") << "a link that never came up does not break";
  Process* const b = Start(2);
  ASSERT_TRUE(SayUntilHeard(a, b));
  EXPECT_EQ(a->log, "up 2;");
}

TEST_F(PeerLinksTest, WhoIsDismissedHearsWhyAndMayDialAgain) {
  Process* const a = Start(1);
  Process* const b = Start(2);
  a->Peer(2);
  ASSERT_TRUE(SayUntilHeard(a, b));
  b->on_frame = [b] { b->links->Dismiss(b->frames.back().header, "none of ours"); };
  a->SayNow(2, "once more");
  Run();
  EXPECT_EQ(a->log, "up 2;dismissed by 2;") << "and not a break";
  EXPECT_EQ(a->dismissed, absl::FailedPreconditionError("none of ours"));
  EXPECT_EQ(b->links->accepted(), 1U) << "it has dialled again";
  EXPECT_EQ(b->log, "");
  b->links->Dismiss({.from = NodeId(7)}, "nobody");
}

TEST_F(PeerLinksTest, ThePauseBetweenDialsDoublesToItsBound) {
  std::vector<base::Instant> dials;
  Process* const a = Start(1);
  network_.Listen(&loop_, Address(2), [&](std::unique_ptr<base::Connection> connection) {
    dials.push_back(world_.Now());
    connection->Close(absl::UnavailableError("not now"));
    return nullptr;
  });
  a->Peer(2);
  Run(seconds(10));
  ASSERT_GT(dials.size(), 10U);
  for (std::size_t i = 1; i < dials.size(); ++i) {
    const base::Duration least = std::min<base::Duration>(milliseconds(20) * (1 << std::min<std::size_t>(i - 1, 10)), seconds(1));
    EXPECT_GE(dials[i] - dials[i - 1], least) << i;
    EXPECT_LE(dials[i] - dials[i - 1], least + milliseconds(5)) << i;
  }
}

TEST_F(PeerLinksTest, AfterALinkThatLivedThePauseIsShortAgain) {
  Process* const a = Start(1);
  a->Peer(2);
  Run(seconds(5));
  Process* const b = Start(2);
  ASSERT_TRUE(SayUntilHeard(a, b));
  Run(seconds(2));
  network_.Reset("n1", "n2");
  ASSERT_TRUE(Await([&] { return a->log == "up 2;reset 2;"; }));
  const base::Instant reset = world_.Now();
  ASSERT_TRUE(SayUntilHeard(a, b));
  EXPECT_LE(world_.Now() - reset, milliseconds(25));
}

TEST_F(PeerLinksTest, APeerThatShowsItselfIsDialledAtOnce) {
  Process* const a = Start(1);
  a->Peer(2);
  Run(seconds(10));  // the pause is a second by now
  const base::Instant started = world_.Now();
  Process* const b = Start(2);
  b->Peer(1);
  b->SayNow(1, "I am back");
  ASSERT_TRUE(SayUntilHeard(a, b));
  EXPECT_LE(world_.Now() - started, milliseconds(5));
}

TEST_F(PeerLinksTest, TheDeathOfAProcessIsToldOncePerLink) {
  Process* const a = Start(1);
  Process* const b = Start(2);
  a->Peer(2);
  b->Peer(1);
  a->SayNow(2, "to b");
  b->SayNow(1, "to a");
  Run();
  EXPECT_EQ(a->log, "up 2;");
  Kill(2);
  Run(seconds(5));
  EXPECT_EQ(a->log, "up 2;reset 2;reset 2;") << "its link to us and ours to it";
  EXPECT_FALSE(a->links->connected(NodeId(2)));
  EXPECT_EQ(a->links->accepted(), 0U);
}

TEST_F(PeerLinksTest, OnlyTheLinkThatCarriedSomethingTellsOfADeath) {
  Process* const a = Start(1);
  Process* const b = Start(2);
  a->Peer(2);
  b->Peer(1);
  b->SayNow(1, "to a");
  Run();
  Kill(2);
  Run(seconds(5));
  EXPECT_EQ(a->log, "reset 2;");
}

TEST_F(PeerLinksTest, SilenceTellsNothingAndWhatWasSentArrivesOnceHealed) {
  Process* const a = Start(1);
  Process* const b = Start(2);
  a->Peer(2);
  b->Peer(1);
  a->SayNow(2, "before");
  b->SayNow(1, "before");
  Run();
  network_.CutPair("n1", "n2");
  a->SayNow(2, "during");
  Run(seconds(60));
  EXPECT_EQ(a->log, "up 2;");
  EXPECT_EQ(b->log, "up 1;");
  EXPECT_EQ(b->heard[1], "before ");
  EXPECT_TRUE(a->links->connected(NodeId(2)));
  network_.HealAll();
  Run();
  EXPECT_EQ(b->heard[1], "before during ");
}

TEST_F(PeerLinksTest, OverTheBoundItemsAreDroppedAndCounted) {
  Process* const a = Start(1, {.queued_bytes_max = 10'000});
  Process* const b = Start(2);
  a->Peer(2);
  a->SayNow(2, "first");
  Run();
  network_.CutPair("n1", "n2");
  const std::string big(100'000, 'x');
  std::uint64_t sent = 0;
  while (a->links->dropped() == 0) {
    ASSERT_LT(++sent, 100U);
    a->SayNow(2, big);
    Run(milliseconds(1));
  }
  EXPECT_GT(a->links->queued_bytes(NodeId(2)), 10'000U);
  EXPECT_LT(a->links->queued_bytes(NodeId(2)), 10'000U + 2 * big.size());
  a->Say(2, "not sent either");
  EXPECT_EQ(a->links->dropped(), 2U);
  network_.HealAll();
  Run(seconds(1));
  EXPECT_EQ(a->links->queued_bytes(NodeId(2)), 0U);
  b->heard.clear();
  a->SayNow(2, "after");
  Run();
  EXPECT_EQ(b->heard[1], "after ");
}

TEST_F(PeerLinksTest, WhatIsGatheredCountsAgainstTheBoundToo) {
  Process* const a = Start(1, {.queued_bytes_max = 1000});
  Start(2);
  a->Peer(2);
  for (int i = 0; i < 5; ++i) a->Say(2, std::string(600, 'x'));
  EXPECT_EQ(a->links->dropped(), 3U);
  a->Flush();
  a->Say(2, "still waiting");
  EXPECT_EQ(a->links->dropped(), 4U);
}

TEST_F(PeerLinksTest, WithoutALinkItemsAreDropped) {
  Process* const a = Start(1);
  Process* const b = Start(2);
  a->Peer(2);
  a->SayNow(2, "first");
  Run();
  a->Say(2, "gathered when the link breaks");
  network_.Reset("n1", "n2");
  ASSERT_TRUE(Await([&] { return a->log == "up 2;reset 2;"; }));
  EXPECT_FALSE(a->links->connected(NodeId(2)));
  a->Say(2, "into the void");
  EXPECT_EQ(a->links->dropped(), 1U);
  a->Flush();
  EXPECT_EQ(a->links->dropped(), 2U);
  Run();
  EXPECT_EQ(b->heard[1], "first ");
}

TEST_F(PeerLinksTest, ANewAddressIsDialledInPlaceOfTheOldOneWithoutAReset) {
  Process* const a = Start(1);
  Process* const b = Start(2);
  b->Listen("n2:2");
  a->Peer(2);
  a->SayNow(2, "old");
  Run();
  a->Peer(2);
  EXPECT_TRUE(a->links->connected(NodeId(2))) << "the same address changes nothing";
  a->links->SetPeers({{NodeId(2), "n2:2"}});
  EXPECT_FALSE(a->links->connected(NodeId(2)));
  a->SayNow(2, "new");
  Run();
  EXPECT_EQ(b->heard[1], "old new ");
  EXPECT_EQ(a->log, "up 2;up 2;");
  EXPECT_EQ(b->log, "") << "an end with a word is no reset";
  EXPECT_EQ(b->links->accepted(), 1U);
}

TEST_F(PeerLinksTest, APeerThatIsRemovedHearsAGoodBye) {
  Process* const a = Start(1);
  Process* const b = Start(2);
  a->Peer(2);
  a->SayNow(2, "hello");
  Run();
  a->SayNow(2, "last words");
  a->Say(2, "too late");
  a->links->SetPeers({});
  EXPECT_EQ(a->links->dropped(), 1U);
  Run(seconds(5));
  EXPECT_EQ(b->heard[1], "hello last words ");
  EXPECT_EQ(b->log, "");
  EXPECT_EQ(b->links->accepted(), 0U);
}

TEST_F(PeerLinksTest, TheNewerOfTwoLinksCountsAndTheEndOfTheOlderIsNoReset) {
  Process* const b = Start(2);
  Raw first(dialer_.get(), Address(2));
  first.Say(1, "first");
  Run();
  auto second = std::make_unique<Raw>(dialer_.get(), Address(2));
  Run();
  EXPECT_FALSE(first.closed) << "not before the newer one has named itself";
  second->Say(1, "second");
  Run();
  EXPECT_TRUE(first.closed);
  EXPECT_EQ(first.cause, base::CloseCause::kPeerClosed);
  EXPECT_EQ(first.status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(b->heard[1], "first second ");
  EXPECT_EQ(b->log, "");
  second.reset();
  Run();
  EXPECT_EQ(b->log, "reset 1;");
}

TEST_F(PeerLinksTest, WhoBearsAnothersIdHasALinkOfItsOwn) {
  Process* const b = Start(2);
  Raw member(dialer_.get(), Address(2));
  member.Say(1, "member", 100);
  Run();
  auto stranger = std::make_unique<Raw>(dialer_.get(), Address(2));
  stranger->Say(1, "stranger", 200);
  Run();
  EXPECT_FALSE(member.closed);
  b->links->Dismiss(b->frames.back().header, "none of ours");
  Run();
  EXPECT_TRUE(stranger->closed);
  EXPECT_FALSE(member.closed);
  member.Say(1, "again", 100);
  Run();
  EXPECT_EQ(b->heard[1], "member stranger again ");
  EXPECT_EQ(b->log, "");
}

TEST_F(PeerLinksTest, ALateFirstFrameOfAnOlderLinkDoesNotDisplaceTheNewer) {
  Process* const b = Start(2);
  Raw first(dialer_.get(), Address(2));
  Run();
  Raw second(dialer_.get(), Address(2));
  second.Say(1, "second");
  Run();
  first.Say(1, "first");
  Run();
  EXPECT_TRUE(first.closed);
  EXPECT_EQ(first.status.code(), absl::StatusCode::kAborted);
  second.Say(1, "again");
  Run();
  EXPECT_EQ(b->heard[1], "second again ");
  EXPECT_EQ(b->log, "");
}

TEST_F(PeerLinksTest, BytesThatAreNoFrameEndTheirLinkAlone) {
  Process* const b = Start(2);
  Raw good(dialer_.get(), Address(2));
  Raw broken(dialer_.get(), Address(2));
  good.Say(1, "good");
  broken.connection->Send(base::Bytes::Copy("no frame"));
  Run();
  EXPECT_TRUE(broken.closed);
  EXPECT_EQ(broken.status.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(b->bad.size(), 1U);
  EXPECT_EQ(b->bad[0].code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(good.closed);
  EXPECT_EQ(b->links->accepted(), 1U);
  EXPECT_EQ(b->log, "");
}

TEST_F(PeerLinksTest, ALinkThatChangesItsSenderIsEnded) {
  Process* const b = Start(2);
  Raw link(dialer_.get(), Address(2));
  link.Say(1, "mine");
  link.Say(3, "not mine");
  Run();
  EXPECT_TRUE(link.closed);
  EXPECT_EQ(b->heard.size(), 1U);
  ASSERT_EQ(b->bad.size(), 1U);
  EXPECT_EQ(b->bad[0].message(), "peer frame: of node 3 on a link of node 1, or of another life of it");
  EXPECT_EQ(b->log, "") << "ended here";
}

TEST_F(PeerLinksTest, AFrameFromTheAcceptingSideEndsTheLink) {
  Process* const a = Start(1);
  Raw accepting(dialer_.get(), "nobody:1");
  std::vector<std::unique_ptr<base::Connection>> connections;
  network_.Listen(&loop_, Address(2), [&](std::unique_ptr<base::Connection> connection) -> base::ConnectionEvents* {
    connections.push_back(std::move(connection));
    return &accepting;
  });
  a->Peer(2);
  Run();
  ASSERT_EQ(connections.size(), 1U);
  connections[0]->Send(base::Bytes::Copy("an answer"));
  ASSERT_TRUE(Await([&] { return connections.size() == 2; })) << "it is dialled again";
  ASSERT_EQ(a->bad.size(), 1U);
  EXPECT_EQ(a->bad[0].message(), "node 2 sent a frame on a link that it accepted");
  EXPECT_EQ(a->log, "");
}

TEST_F(PeerLinksTest, AcceptedLinksAreBoundedAndTheOldestSilentOneMakesRoom) {
  Process* const b = Start(2, {.accepted_max = 2});
  Raw named(dialer_.get(), Address(2));
  named.Say(1, "hello");
  Run();
  Raw silent(dialer_.get(), Address(2));
  Run();
  Raw other(dialer_.get(), Address(2));
  other.Say(3, "hello");
  Run();
  EXPECT_TRUE(silent.closed);
  EXPECT_EQ(silent.status.code(), absl::StatusCode::kResourceExhausted);
  Raw refused(dialer_.get(), Address(2));
  Run();
  EXPECT_TRUE(refused.closed) << "all others have named themselves";
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(named.closed || other.closed);
  EXPECT_EQ(b->links->accepted(), 2U);
}

TEST_F(PeerLinksTest, StopSaysGoodByeAndRefusesWhatComesLater) {
  Process* const a = Start(1);
  Process* const b = Start(2);
  a->Peer(2);
  b->Peer(1);
  a->SayNow(2, "hello");
  b->SayNow(1, "hello");
  Run();
  a->SayNow(2, "last words");
  a->links->Stop();
  a->links->Stop();
  a->Peer(2);
  Run();
  EXPECT_EQ(b->heard[1], "hello last words ");
  EXPECT_EQ(b->log, "up 1;") << "no reset";
  EXPECT_EQ(a->log, "up 2;");
  EXPECT_EQ(a->links->accepted(), 0U);
  EXPECT_FALSE(a->links->connected(NodeId(2)));
  a->Say(2, "nothing");
  EXPECT_EQ(a->links->dropped(), 1U);
  Raw late(dialer_.get(), Address(1));
  Run();
  EXPECT_TRUE(late.closed);
  EXPECT_EQ(late.status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(PeerLinksTest, ItMayBeDestroyedWhileItDials) {
  Process* const a = Start(1);
  network_.CutPair("n1", "n2");
  Start(2);
  a->Peer(2);
  a->SayNow(2, "hello");
  Run();
  a->links.reset();
  network_.HealAll();
  Run(seconds(10));
  EXPECT_EQ(a->log, "");
}

TEST_F(PeerLinksTest, ItMayBeDestroyedWhileItWaitsToDialAgain) {
  Process* const a = Start(1);
  a->Peer(2);
  Run(seconds(3));
  a->links.reset();
  Run(seconds(3));
  EXPECT_EQ(a->log, "");
}

TEST_F(PeerLinksTest, ItMayBeDestroyedInsideItsEvents) {
  for (const bool stop : {false, true}) {
    Process* const a = Start(1);
    Process* const b = Start(2);
    a->Peer(2);
    b->Peer(1);
    auto end = [stop](Process* process) { stop ? process->links->Stop() : process->links.reset(); };
    b->on_frame = [&] { end(b); };
    a->SayNow(2, "hello");
    ASSERT_TRUE(Await([&] { return !b->heard[1].empty(); }));
    network_.StopListening(Address(2));
    Run();
    EXPECT_EQ(a->log, stop ? "up 2;" : "up 2;reset 2;");

    Process* const c = Start(3);
    c->Peer(1);
    c->SayNow(1, "hello");
    Run();
    a->on_reset = [&] { end(a); };
    network_.StopListening(Address(1));
    Kill(3);
    Run();
    EXPECT_EQ(a->log, stop ? "up 2;reset 3;" : "up 2;reset 2;reset 3;");
    Kill(1);
    Kill(2);
  }
}

}  // namespace
}  // namespace drover::coord::server
