#include "coord/server/session_stream.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coord/server/sim_core.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SessionStreamTest : public ::testing::Test {
 protected:
  SessionStreamTest() : client_(&core_, "client") {}
  void SetUp() override { core_.Start(); }
  void Run(base::Duration duration) { core_.world.RunFor(duration); }
  void ExpectClosed(SimClient& client, absl::StatusCode code) {
    ASSERT_TRUE(client.RunUntil([&] { return client.closed; }));
    EXPECT_EQ(client.status.code(), code) << client.status;
  }

  SimCore core_;
  SimClient client_;
};

TEST_F(SessionStreamTest, OpenGrantsASession) {
  client_.Connect(0, 250);
  EXPECT_GT(client_.grant->session_id(), 0U);
  EXPECT_EQ(client_.grant->secret().size(), 16U);
  EXPECT_EQ(client_.grant->timeout_ms(), 6000U);
  EXPECT_EQ(client_.grant->last_write(), 0U);
  EXPECT_EQ(client_.grant->node_id(), 1U);
  EXPECT_EQ(client_.grant->cluster_id(), core_.node->Status().cluster.value);
  EXPECT_EQ(client_.credits, core_.options.stream.credits_start);
}

TEST_F(SessionStreamTest, NothingIsAnsweredBeforeItIsDurable) {
  client_.Connect();
  core_.disk->Stall(seconds(5));
  const auto number = client_.Create("/a");
  client_.Flush();
  Run(seconds(4));
  EXPECT_EQ(client_.Written(number), nullptr);
  EXPECT_EQ(client_.AwaitWrite(number).code(), v1::OK);
}

TEST_F(SessionStreamTest, RequestsTakeEffectInTheOrderSent) {
  client_.Connect();
  client_.Create("/a", "0");
  std::vector<std::uint64_t> reads;
  for (int i = 1; i <= 4; ++i) {
    reads.push_back(client_.Get("/a", i % 2 == 0));
    client_.Set("/a", std::to_string(i));
  }
  reads.push_back(client_.Get("/a"));
  client_.Flush();
  for (std::size_t i = 0; i < reads.size(); ++i) EXPECT_EQ(client_.AwaitRead(reads[i]).data(), std::to_string(i)) << i;
}

TEST_F(SessionStreamTest, OneFrameAnswersManyRequests) {
  client_.Connect();
  const std::size_t before = client_.frames;
  std::uint64_t last = 0;
  for (int i = 0; i < 16; ++i) last = client_.Create("/n" + std::to_string(i));
  client_.Flush();
  client_.AwaitWrite(last);
  EXPECT_EQ(client_.frames, before + 1);
}

TEST_F(SessionStreamTest, AResendGetsTheFirstAnswer) {
  client_.Connect();
  const auto number = client_.Create("/seq-", "", false, true);
  client_.Flush();
  ASSERT_TRUE(client_.RunUntil([&] { return core_.node->state().tree().node_count() == 2; }));
  core_.network.Reset("client", SimCore::kHost);  // the answer is lost
  ExpectClosed(client_, absl::StatusCode::kUnavailable);
  ASSERT_EQ(client_.Written(number), nullptr);
  client_.Reconnect();
  EXPECT_EQ(client_.grant->last_write(), number);
  client_.Resend(1);
  EXPECT_EQ(client_.AwaitWrite(number).path(), "/seq-0000000000");
  EXPECT_EQ(core_.node->state().tree().node_count(), 2U);
}

TEST_F(SessionStreamTest, ResumeNeedsTheSecretAndALivingSession) {
  client_.Connect();
  const std::string secret = client_.secret;
  client_.secret = std::string(16, 'x');
  client_.Dial();
  client_.Resume();
  ExpectClosed(client_, absl::StatusCode::kUnauthenticated);
  client_.secret = "";
  client_.Dial();
  client_.Resume();
  ExpectClosed(client_, absl::StatusCode::kUnauthenticated);
  client_.secret = secret;
  client_.Reconnect();
  const auto number = client_.CloseSession();
  client_.Flush();
  EXPECT_EQ(client_.AwaitWrite(number).code(), v1::OK);
  ExpectClosed(client_, absl::StatusCode::kOk);
  client_.Dial();
  client_.Resume();
  ExpectClosed(client_, absl::StatusCode::kNotFound);
}

TEST_F(SessionStreamTest, ANodeThatHasNotSeenWhatTheSessionSawDoesNotServeIt) {
  client_.Connect();
  client_.seen_zxid += 1000;
  client_.Dial();
  client_.Resume();
  Run(seconds(5));
  EXPECT_FALSE(client_.grant.has_value());
  EXPECT_FALSE(client_.closed);
  ExpectClosed(client_, absl::StatusCode::kUnavailable);
}

TEST_F(SessionStreamTest, AResumedSessionLeavesItsOlderStream) {
  client_.Connect(0, 250);
  SimClient second(&core_, "elsewhere");
  second.session = client_.session;
  second.secret = client_.secret;
  second.Reconnect();
  ExpectClosed(client_, absl::StatusCode::kUnavailable);
  core_.network.Kill("client");
  second.KeepContact(seconds(1));
  Run(seconds(10));
  EXPECT_FALSE(second.closed) << "the older stream's end is no disconnect";
  EXPECT_EQ(core_.node->Status().sessions, 1U);
}

TEST_F(SessionStreamTest, WhatBreaksTheProtocolIsInvalid) {
  v1::ClientFrame both;
  both.mutable_open();
  both.mutable_resume();
  v1::ClientFrame neither;
  neither.set_seen(1);
  v1::ClientFrame early;
  early.mutable_open();
  early.add_requests()->set_id(1);
  for (const v1::ClientFrame& frame : {both, neither, early}) {
    client_.Dial();
    client_.Send(frame);
    ExpectClosed(client_, absl::StatusCode::kInvalidArgument);
  }
  client_.Dial();
  client_.connection->Send(base::Bytes::Copy("\x0a\x7f"));
  ExpectClosed(client_, absl::StatusCode::kInvalidArgument);
  client_.Connect();
  client_.Open();
  ExpectClosed(client_, absl::StatusCode::kInvalidArgument);
  client_.Connect();
  for (std::uint64_t i = 0; i <= core_.options.stream.credits_start; ++i) client_.Get("/");
  client_.Flush();
  ExpectClosed(client_, absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(client_.status.message()), HasSubstr("credits"));
}

TEST_F(SessionStreamTest, CreditsGrowWithAnswersAndStayLowForLargeRequests) {
  client_.Connect();
  client_.AwaitRead((client_.Get("/"), client_.Flush(), 1));
  EXPECT_EQ(client_.credits, 1 + core_.options.stream.credits_max);

  SimClient large(&core_, "large");
  large.Connect();
  const auto number = large.Create("/large", std::string(1 << 20, 'x'));
  large.Flush();
  EXPECT_EQ(large.AwaitWrite(number).code(), v1::OK);
  EXPECT_LE(large.credits, 1 + 32U) << "32 MiB of requests of 1 MiB";
}

TEST_F(SessionStreamTest, RequestsThatNoStateAcceptsAreAnsweredInTheirPlace) {
  client_.Connect();
  client_.NewRead();  // no operation
  const std::uint64_t unnumbered = client_.NewRead()->id();
  client_.NewRead()->mutable_remove_watch()->set_watch_id(77);
  client_.NewWrite()->mutable_get()->set_path("/");  // a read with a number
  client_.Flush();
  EXPECT_EQ(client_.AwaitRead(1).code(), v1::UNIMPLEMENTED);
  EXPECT_EQ(client_.AwaitRead(unnumbered).code(), v1::UNIMPLEMENTED);
  EXPECT_EQ(client_.AwaitRead(3).code(), v1::INVALID_ARGUMENT);
  EXPECT_EQ(client_.AwaitWrite(1).code(), v1::INVALID_ARGUMENT);
  v1::Request* create = client_.NewRead();
  create->mutable_create()->set_path("/x");
  client_.Flush();
  EXPECT_EQ(client_.AwaitRead(4).code(), v1::INVALID_ARGUMENT) << "a write without a number";
}

TEST_F(SessionStreamTest, EventsComeBeforeTheAnswersThatShowThem) {
  client_.Connect();
  const auto watch = client_.Watch("/");
  const auto a = client_.Create("/a", "1");
  const auto get = client_.Get("/a");
  const auto b = client_.Set("/a", "2");
  client_.Flush();
  client_.AwaitWrite(b);
  const auto event = [](const v1::Answer& answer) { return "e" + std::to_string(answer.zxid()) + ".0"; };
  EXPECT_THAT(client_.order, ElementsAre("r" + std::to_string(watch), event(*client_.Written(a)), "w" + std::to_string(a),
                                         "r" + std::to_string(get), event(*client_.Written(b)), "w" + std::to_string(b)));
  EXPECT_EQ(client_.events[1].data(), "2");
  EXPECT_THAT(client_.events[1].watch_ids(), ElementsAre(watch));
  EXPECT_EQ(client_.bookmark, client_.Written(b)->zxid());
}

TEST_F(SessionStreamTest, AWatchIsResumedByPositionAcrossStreams) {
  client_.Connect();
  client_.AwaitRead((client_.Watch("/"), client_.Flush(), 1));
  SimClient writer(&core_, "writer");
  writer.Connect();
  writer.AwaitWrite((writer.Create("/a"), writer.Flush(), 1));
  ASSERT_TRUE(client_.RunUntil([&] { return client_.events.size() == 1; }));
  core_.network.Reset("client", SimCore::kHost);
  ExpectClosed(client_, absl::StatusCode::kUnavailable);
  writer.AwaitWrite((writer.Create("/b"), writer.Create("/c"), writer.Flush(), 3));
  client_.Reconnect();
  v1::Position after;
  after.set_zxid(client_.events[0].zxid());
  after.set_ordinal(client_.events[0].ordinal());
  const auto again = client_.Watch("/", after);
  client_.Flush();
  EXPECT_EQ(client_.AwaitRead(again).code(), v1::OK);
  ASSERT_EQ(client_.events.size(), 3U);
  EXPECT_EQ(client_.events[1].path(), "/b");
  EXPECT_EQ(client_.events[2].path(), "/c");
  writer.AwaitWrite((writer.Create("/d"), writer.Flush(), 4));
  ASSERT_TRUE(client_.RunUntil([&] { return client_.events.size() == 4; }));
  EXPECT_EQ(client_.events[3].path(), "/d");
}

TEST_F(SessionStreamTest, AWatchTooFarBackIsCompacted) {
  core_.Crash(sim::Survival::kEverything);
  core_.options.history.bytes_max = 1000;
  core_.Start();
  client_.Connect();
  std::uint64_t last = 0;
  for (int i = 0; i < 16; ++i) last = client_.Create("/n" + std::to_string(i));
  client_.Flush();
  client_.AwaitWrite(last);
  v1::Position start;
  start.set_zxid(1);
  const auto watch = client_.Watch("/", start);
  client_.Flush();
  const v1::Answer& answer = client_.AwaitRead(watch);
  EXPECT_EQ(answer.code(), v1::COMPACTED);
  EXPECT_GT(answer.oldest().zxid(), 1U);
  const auto again = client_.Watch("/", answer.oldest());
  client_.Flush();
  EXPECT_EQ(client_.AwaitRead(again).code(), v1::OK);
  EXPECT_FALSE(client_.events.empty());
}

v1::Position AllOf(std::uint64_t zxid) {
  v1::Position position;
  position.set_zxid(zxid);
  position.set_ordinal(4294967295);
  return position;
}

TEST_F(SessionStreamTest, AWatchAheadOfTheNodeIsArmedWhenTheNodeIsThere) {
  client_.Connect();
  const std::uint64_t now = core_.node->Status().last_zxid.value;
  const auto watch = client_.Watch("/", AllOf(now + 2));
  client_.Flush();
  Run(seconds(5));
  EXPECT_EQ(client_.Read(watch), nullptr);
  // What was sent behind it does not wait for it.
  client_.AwaitWrite((client_.Create("/a"), client_.Flush(), 1));
  EXPECT_EQ(client_.AwaitRead((client_.Get("/a"), client_.Flush(), watch + 1)).code(), v1::OK);
  EXPECT_EQ(client_.Read(watch), nullptr);
  client_.Create("/b");
  client_.Create("/c");
  client_.Flush();
  EXPECT_EQ(client_.AwaitRead(watch).code(), v1::OK);
  client_.AwaitWrite(3);
  Run(seconds(1));
  ASSERT_EQ(client_.events.size(), 1U) << "only what comes after its position";
  EXPECT_EQ(client_.events[0].path(), "/c");
}

TEST_F(SessionStreamTest, AWatchAheadOfTheNodeCanBeRemoved) {
  client_.Connect();
  const auto watch = client_.Watch("/", AllOf(core_.node->Status().last_zxid.value + 1));
  v1::Request* remove = client_.NewRead();
  remove->mutable_remove_watch()->set_watch_id(watch);
  const auto removal = remove->id();
  client_.Flush();
  EXPECT_EQ(client_.AwaitRead(removal).code(), v1::OK);
  EXPECT_EQ(client_.AwaitRead(watch).code(), v1::UNAVAILABLE);
  client_.AwaitWrite((client_.Create("/a"), client_.Create("/b"), client_.Flush(), 2));
  Run(seconds(1));
  EXPECT_TRUE(client_.events.empty());
}

TEST_F(SessionStreamTest, AcknowledgementsThatAreNotReadDoNotPileUp) {
  core_.Crash(sim::Survival::kEverything);
  core_.options.stream.outbound_pause_bytes = 1'000;
  core_.Start();
  client_.Connect(60'000);
  client_.AwaitWrite((client_.Create("/a", std::string(300'000, 'x')), client_.Flush(), 1));
  // More than the network holds for a client that does not read: what follows stays with the node.
  core_.network.Cut(SimCore::kHost, "client");
  const auto read = client_.Get("/a");
  client_.Flush();
  const std::size_t frames = client_.frames;
  for (int i = 0; i < 500; ++i) {
    client_.Contact();
    Run(milliseconds(20));
  }
  ASSERT_FALSE(client_.closed);
  core_.network.HealAll();
  ASSERT_TRUE(client_.RunUntil([&] { return client_.acked_nonce == 500; })) << "the newest is acknowledged";
  EXPECT_NE(client_.Read(read), nullptr);
  EXPECT_LT(client_.frames - frames, 100U);
}

TEST_F(SessionStreamTest, ALongReplayComesInSlicesWithoutGapOrRepeat) {
  core_.Crash(sim::Survival::kEverything);
  core_.options.stream.outbound_pause_bytes = 4'000;
  core_.options.stream.outbound_bytes_max = 40'000;
  core_.Start();
  client_.Connect();
  const std::string data(500, 'd');
  constexpr std::size_t kNodes = 300;
  for (std::size_t i = 0; i < kNodes; ++i) {
    const auto number = client_.Create("/n" + std::to_string(i), data);
    client_.Flush();
    client_.AwaitWrite(number);
  }
  SimClient watcher(&core_, "watcher");
  watcher.Connect();
  v1::Position start;
  start.set_zxid(0);
  start.set_ordinal(4294967295);
  const auto watch = watcher.Watch("/", start);
  watcher.Flush();
  // While it is replayed, more is written.
  for (std::size_t i = 0; i < 50; ++i) client_.Set("/n0", "x" + std::to_string(i)), client_.Flush();
  EXPECT_EQ(watcher.AwaitRead(watch).code(), v1::OK);
  ASSERT_TRUE(watcher.RunUntil([&] { return watcher.events.size() >= kNodes + 50; }));
  Run(seconds(1));
  ASSERT_EQ(watcher.events.size(), kNodes + 50);
  for (std::size_t i = 1; i < watcher.events.size(); ++i) EXPECT_GT(watcher.events[i].zxid(), watcher.events[i - 1].zxid());
  EXPECT_FALSE(watcher.closed);
}

TEST_F(SessionStreamTest, ASlowReaderIsCutOffAndResumes) {
  core_.Crash(sim::Survival::kEverything);
  core_.options.stream.outbound_pause_bytes = 20'000;
  core_.options.stream.outbound_bytes_max = 100'000;
  core_.Start();
  client_.Connect(60'000);
  client_.AwaitRead((client_.Watch("/"), client_.Flush(), 1));
  const v1::Position from = [&] {
    v1::Position p;
    p.set_zxid(client_.Read(1)->zxid());
    p.set_ordinal(4294967295);
    return p;
  }();
  SimClient writer(&core_, "writer");
  writer.Connect();
  writer.AwaitWrite((writer.Create("/a"), writer.Flush(), 1));
  core_.network.Cut(SimCore::kHost, "client");
  for (int i = 0; i < 200; ++i) {
    const auto number = writer.Set("/a", std::string(5'000, 'x'));
    writer.Flush();
    writer.AwaitWrite(number);
  }
  EXPECT_LE(core_.node->Status().watches, 0U) << "the stream is closed, so nobody watches";
  core_.network.HealAll();
  ExpectClosed(client_, absl::StatusCode::kResourceExhausted);
  client_.events.clear();
  client_.Reconnect();
  const auto again = client_.Watch("/", from);
  client_.Flush();
  EXPECT_EQ(client_.AwaitRead(again).code(), v1::OK);
  EXPECT_EQ(client_.events.size(), 201U);
}

TEST_F(SessionStreamTest, AClosedStreamWhoseClientDoesNotReadIsCut) {
  client_.Connect(60'000);
  SimClient writer(&core_, "writer");
  writer.Connect(60'000);
  writer.AwaitWrite((writer.Create("/a", std::string(900'000, 'x')), writer.Flush(), 1));
  core_.network.Cut(SimCore::kHost, "client");
  for (int i = 0; i < 16; ++i) client_.Get("/a");
  client_.Flush();
  Run(seconds(1));
  client_.Open();  // breaks the protocol
  Run(seconds(4));
  EXPECT_EQ(core_.node->Status().streams, 2U);
  Run(seconds(2));
  EXPECT_EQ(core_.node->Status().streams, 1U);
}

TEST_F(SessionStreamTest, AnIdleStreamWhoseSessionExpiresIsCutWhenItsClientDoesNotRead) {
  client_.Connect();
  client_.AwaitRead((client_.Watch("/"), client_.Flush(), 1));
  SimClient writer(&core_, "writer");
  writer.Connect(60'000);
  writer.AwaitWrite((writer.Create("/a"), writer.Flush(), 1));
  core_.network.Cut(SimCore::kHost, "client");
  for (int i = 0; i < 100; ++i) {
    const auto number = writer.Set("/a", std::string(10'000, 'x'));
    writer.Flush();
    writer.AwaitWrite(number);
  }
  ASSERT_TRUE(client_.RunUntil([&] { return core_.node->Status().sessions == 1; }));
  EXPECT_EQ(core_.node->Status().streams, 2U) << "what is queued may still leave";
  Run(core_.options.stream.close_timeout + seconds(1));
  EXPECT_EQ(core_.node->Status().streams, 1U);
}

TEST_F(SessionStreamTest, ANumberedReadIsRefusedAndTheReadBehindItIsAnswered) {
  client_.Connect();
  v1::Request* const odd = client_.NewWrite();
  odd->mutable_get()->set_path("/");
  const auto number = odd->number();
  const auto read = client_.Get("/");
  client_.Flush();
  EXPECT_NE(client_.AwaitWrite(number).code(), v1::OK);
  EXPECT_EQ(client_.AwaitRead(read).code(), v1::OK);
}

TEST_F(SessionStreamTest, LargeReadsWaitForAReaderThatIsSlow) {
  SimClient writer(&core_, "writer");
  writer.Connect();
  writer.AwaitWrite((writer.Create("/big", std::string(900'000, 'b')), writer.Flush(), 1));
  client_.Connect();
  client_.AwaitRead((client_.Get("/"), client_.Flush(), 1));
  std::vector<std::uint64_t> reads;
  for (int i = 0; i < 64; ++i) reads.push_back(client_.Get("/big"));
  const auto write = client_.Set("/big", "small");
  const auto after = client_.Get("/big");
  client_.Flush();
  EXPECT_EQ(client_.AwaitRead(after).data(), "small");
  for (std::uint64_t id : reads) EXPECT_EQ(client_.AwaitRead(id).data().size(), 900'000U);
  EXPECT_EQ(client_.AwaitWrite(write).code(), v1::OK);
  EXPECT_FALSE(client_.closed) << client_.status;
}

TEST_F(SessionStreamTest, AStreamThatNeverSaysWhoItIsIsClosed) {
  client_.Dial();
  Run(seconds(9));
  EXPECT_FALSE(client_.closed);
  ExpectClosed(client_, absl::StatusCode::kUnavailable);
}

TEST_F(SessionStreamTest, RequestsSentJustBeforeTheEndStillCount) {
  client_.Connect();
  client_.Create("/last");
  client_.CloseSession();
  client_.Flush();
  client_.connection->Close(absl::OkStatus());
  ASSERT_TRUE(client_.RunUntil([&] { return core_.node->Status().sessions == 0; }, seconds(2)));
  EXPECT_EQ(core_.node->Status().nodes, 2U);
}

TEST_F(SessionStreamTest, ContactsAreAcknowledgedWithTheTimeOfTheCluster) {
  client_.Connect();
  client_.Contact();
  client_.Contact();
  ASSERT_TRUE(client_.RunUntil([&] { return client_.acked_nonce == 2; }));
  const std::int64_t first = client_.acked_time;
  client_.KeepContact(milliseconds(500));
  Run(seconds(20));
  EXPECT_GE(client_.acked_time - first, 17'000) << "time passes although nothing is written";
  EXPECT_LE(client_.acked_time - first, 21'000);
}

}  // namespace
}  // namespace drover::coord::server
