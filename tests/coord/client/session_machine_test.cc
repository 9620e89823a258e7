// The session client against scripted nodes, on a simulated network.
#include "coord/client/session_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "drover/coord/session.h"
#include "tests/coord/client/session_fixture.h"

namespace drover::coord {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(SessionMachineTest, OpensASessionAsAsked) {
  Nodes(1);
  options_.timeout = seconds(4);
  options_.disconnect_grace = milliseconds(250);
  options_.name = "master-1";
  Open();
  EXPECT_EQ(session_->lease_deadline(), base::Instant());
  const base::Instant sent = loop_.Now();
  ASSERT_TRUE(world_.RunUntil([&] { return session_->state() == SessionState::kConnected; }, seconds(5)));
  const v1::ClientFrame& first = nodes_[0]->stream()->frames.front();
  EXPECT_EQ(first.open().timeout_ms(), 4000U);
  EXPECT_EQ(first.open().disconnect_grace_ms(), 250U);
  EXPECT_EQ(first.open().name(), "master-1");
  EXPECT_EQ(session_->id(), SessionId(7));
  EXPECT_EQ(session_->ticket()->secret, "0123456789abcdef");
  EXPECT_EQ(session_->timeout(), seconds(6)) << "as granted, not as asked";
  EXPECT_GE(session_->lease_deadline(), sent + seconds(6));
  EXPECT_LT(session_->lease_deadline(), sent + seconds(6) + milliseconds(1)) << "counted from sending, not from the grant";
  EXPECT_THAT(observer_.heard, ElementsAre("connected"));
}

TEST_F(SessionMachineTest, CallsOfOneWakeUpLeaveAsOneFrameInOrder) {
  Nodes(1);
  Connect();
  Settle();
  const std::size_t frames = nodes_[0]->stream()->frames.size();
  Set("a");
  Get("b");
  Set("c");
  FakeNode::Stream* stream = Requests(1, 3);
  EXPECT_EQ(stream->frames.size(), frames + 1);
  EXPECT_THAT(Numbers(*stream), ElementsAre(1, 0, 2));
  EXPECT_EQ(stream->requests[0].set().path(), "/a");
  EXPECT_EQ(stream->requests[1].get().path(), "/b");
  EXPECT_NE(stream->requests[1].id(), 0U);
}

TEST_F(SessionMachineTest, SendsNoMoreThanItHasCreditsFor) {
  Nodes(1);
  nodes_[0]->credits = 2;
  Connect();
  for (const char* name : {"a", "b", "c", "d"}) Set(name);
  FakeNode::Stream* stream = Requests(1, 2);
  Settle();
  EXPECT_EQ(stream->requests.size(), 2U);
  v1::ServerFrame more;
  more.set_credits(3);
  stream->Send(more);
  Requests(1, 3);
  Settle();
  EXPECT_THAT(Numbers(*stream), ElementsAre(1, 2, 3));
}

TEST_F(SessionMachineTest, AWriteWhoseAnswerWasLostIsAskedForAgainUnderItsNumber) {
  Nodes(2);
  Connect();
  Set("a");
  Set("b");
  Requests(1, 2)->AnswerWrite(1, 20);
  ASSERT_TRUE(Done("a"));
  nodes_[0]->Kill();
  FakeNode::Stream* stream = Requests(2, 1);
  ASSERT_TRUE(stream->frames[0].has_resume());
  EXPECT_EQ(stream->frames[0].resume().session_id(), 7U);
  EXPECT_EQ(stream->frames[0].resume().secret(), "0123456789abcdef");
  EXPECT_EQ(stream->frames[0].resume().seen_zxid(), 20U);
  EXPECT_THAT(Numbers(*stream), ElementsAre(2));
  std::uint64_t seen = 0;
  for (const v1::ClientFrame& frame : stream->frames) seen = std::max(seen, frame.seen());
  EXPECT_EQ(seen, 1U);
  stream->AnswerWrite(2, 21);
  ASSERT_TRUE(Done("b"));
  EXPECT_TRUE(outcomes_["b"].ok());
  EXPECT_THAT(order_, ElementsAre("a", "b")) << "each answered once";
  EXPECT_THAT(observer_.heard, ElementsAre("connected", "suspended", "connected"));
}

TEST_F(SessionMachineTest, AReadIsAskedAgainOnTheNextNode) {
  Nodes(2);
  Connect();
  Get("a");
  Requests(1, 1);
  nodes_[0]->Kill();
  FakeNode::Stream* stream = Requests(2, 1);
  stream->AnswerId(stream->requests[0].id(), 30);
  ASSERT_TRUE(Done("a"));
  EXPECT_TRUE(outcomes_["a"].ok());
}

TEST_F(SessionMachineTest, AnswersOutOfStepWithTheCallsReachTheRightCaller) {
  Nodes(1);
  Connect();
  Get("a");
  Get("b");
  FakeNode::Stream* stream = Requests(1, 2);
  stream->AnswerId(stream->requests[1].id(), 30, v1::NO_NODE);
  stream->AnswerId(stream->requests[0].id(), 30);
  stream->AnswerId(stream->requests[0].id(), 31, v1::NO_NODE);  // a repetition counts for nothing
  ASSERT_TRUE(Done("a"));
  Settle();
  EXPECT_TRUE(outcomes_["a"].ok());
  EXPECT_TRUE(IsNoNode(outcomes_["b"]));
  EXPECT_EQ(RefusalZxid(outcomes_["b"]), Zxid(30));
}

TEST_F(SessionMachineTest, WritesTurnedBackByAFullWindowGoOutAgainInOrder) {
  Nodes(1);
  Connect();
  Set("a");
  Set("b");
  Get("r");
  Set("c");
  FakeNode::Stream* stream = Requests(1, 4);
  stream->AnswerWrite(1, 20);
  stream->AnswerWrite(2, 20, v1::WINDOW_FULL);
  stream->AnswerId(stream->requests[2].id(), 20);  // shows a state without b
  Settle();
  EXPECT_EQ(stream->requests.size(), 4U) << "nothing goes out again before all has come back";
  EXPECT_EQ(outcomes_.count("r"), 0U);
  stream->AnswerWrite(3, 20, v1::OUT_OF_ORDER);
  Requests(1, 7);
  EXPECT_THAT(Numbers(*stream), ElementsAre(1, 2, 0, 3, 2, 0, 3));
  EXPECT_EQ(stream->frames.back().seen(), 1U);
  stream->AnswerWrite(2, 21);
  stream->AnswerId(stream->requests[5].id(), 21);
  stream->AnswerWrite(3, 22);
  ASSERT_TRUE(Done("c"));
  EXPECT_THAT(order_, ElementsAre("a", "b", "r", "c"));
  for (const auto& [name, status] : outcomes_) EXPECT_TRUE(status.ok()) << name << status;
}

TEST_F(SessionMachineTest, OutOfOrderForTheOldestWriteEndsTheSession) {
  Nodes(1);
  Connect();
  Set("a");
  Requests(1, 1)->AnswerWrite(1, 20, v1::OUT_OF_ORDER);
  ASSERT_TRUE(Done("a"));
  EXPECT_TRUE(IsOutcomeUnknown(outcomes_["a"]));
  EXPECT_EQ(session_->state(), SessionState::kExpired);
}

TEST_F(SessionMachineTest, ASessionInWhichSomebodyElseWritesIsGivenUp) {
  Nodes(1);
  Connect();
  nodes_[0]->last_write = 5;
  network_.Reset("client", "n1");
  ASSERT_TRUE(world_.RunUntil([&] { return session_->state() == SessionState::kExpired; }, seconds(5)));
  EXPECT_THAT(observer_.heard, ElementsAre("connected", "suspended", "expired"));
}

// ---- liveness ----

TEST_F(SessionMachineTest, TheLeaseCountsFromWhenTheAcknowledgedContactWasSent) {
  Nodes(1);
  network_.SetLatency("client", "n1", milliseconds(300), milliseconds(300));
  network_.SetLatency("n1", "client", milliseconds(300), milliseconds(300));
  Connect();
  world_.RunFor(seconds(20));
  FakeNode::Stream* stream = nodes_[0]->stream();
  ASSERT_GE(stream->contacts.size(), 9U);
  // The newest contact that can have been acknowledged arrived at most 2.3 s ago, and was sent 0.3 s before it arrived.
  const base::Instant newest_acknowledged = stream->arrived.back() + milliseconds(300) <= loop_.Now()
                                                ? stream->arrived.back()
                                                : stream->arrived[stream->arrived.size() - 2];
  EXPECT_EQ(session_->lease_deadline(), newest_acknowledged - milliseconds(300) + seconds(6));
  EXPECT_EQ(session_->cluster_time(), base::WallTime(1'000'000));
}

TEST_F(SessionMachineTest, TheFirstLeaseCountsFromWhenTheOpenWasSent) {
  Nodes(1);
  network_.SetLatency("client", "n1", milliseconds(200), milliseconds(200));
  network_.SetLatency("n1", "client", milliseconds(200), milliseconds(200));
  nodes_[0]->acknowledges = false;
  const base::Instant began = loop_.Now();
  Connect();
  EXPECT_GE(loop_.Now(), began + milliseconds(400));
  EXPECT_EQ(session_->lease_deadline(), began + seconds(6));
}

TEST_F(SessionMachineTest, ContactsGoOutAtAThirdOfTheTimeout) {
  Nodes(1);
  Connect();
  const base::Instant begin = loop_.Now();
  ASSERT_TRUE(world_.RunUntil([&] { return nodes_[0]->stream()->contacts.size() == 4; }, seconds(30)));
  EXPECT_GE(loop_.Now() - begin, seconds(6));
  EXPECT_LT(loop_.Now() - begin, seconds(6) + milliseconds(10));
}

TEST_F(SessionMachineTest, ASilentNodeIsLeftAfterAThirdOfTheTimeout) {
  Nodes(2);
  Connect();
  Settle();
  network_.CutPair("client", "n1");
  const base::Instant cut = loop_.Now();
  ASSERT_TRUE(world_.RunUntil([&] { return nodes_[1]->attaches() == 1; }, seconds(10)));
  // One contact was sent a third after the last, and waited for a third.
  EXPECT_LT(loop_.Now() - cut, seconds(4) + milliseconds(10));
  ASSERT_TRUE(world_.RunUntil([&] { return session_->state() == SessionState::kConnected; }, seconds(1)));
  EXPECT_GT(session_->lease_deadline(), loop_.Now());
  EXPECT_THAT(observer_.heard, ElementsAre("connected", "suspended", "connected"));
}

TEST_F(SessionMachineTest, ANodeThatGrantsButAcknowledgesNothingIsLeftToo) {
  Nodes(2);
  Connect();
  nodes_[0]->acknowledges = false;
  ASSERT_TRUE(world_.RunUntil([&] { return nodes_[1]->attaches() == 1; }, seconds(10)));
}

TEST_F(SessionMachineTest, TheLeaseIsLostAtItsDeadlineAndRestoredByAnAcknowledgedContact) {
  Nodes(1);
  Connect();
  world_.RunFor(seconds(3));
  network_.CutPair("client", "n1");
  const base::Instant deadline = session_->lease_deadline();
  ASSERT_TRUE(world_.RunUntil([&] { return !observer_.heard.empty() && observer_.heard.back() == "lease lost"; }, seconds(10)));
  EXPECT_EQ(loop_.Now(), deadline);
  network_.HealAll();
  ASSERT_TRUE(world_.RunUntil([&] { return observer_.heard.back() == "lease restored"; }, seconds(10)));
  EXPECT_GT(session_->lease_deadline(), loop_.Now());
  EXPECT_EQ(std::count(observer_.heard.begin(), observer_.heard.end(), "lease lost"), 1);
}

TEST_F(SessionMachineTest, AGrantAloneDoesNotExtendTheLease) {
  Nodes(1);
  Connect();
  world_.RunFor(milliseconds(500));
  const base::Instant deadline = session_->lease_deadline();
  nodes_[0]->acknowledges = false;
  network_.Reset("client", "n1");
  ASSERT_TRUE(
      world_.RunUntil([&] { return nodes_[0]->attaches() == 2 && session_->state() == SessionState::kConnected; }, seconds(5)));
  Settle();
  EXPECT_EQ(session_->lease_deadline(), deadline);
}

// ---- dialling ----

TEST_F(SessionMachineTest, AfterABreakTheOthersAreDialledAtOnceThenEachWithAGrowingPause) {
  Nodes(3);
  Connect();
  Settle();
  std::vector<std::pair<int, base::Duration>> dials;
  const base::Instant broke = loop_.Now();
  for (int i = 0; i < 3; ++i) {
    nodes_[i]->Kill();
    nodes_[i]->Start();
    nodes_[i]->grants = false;
  }
  std::vector<std::size_t> known(3);
  for (int i = 0; i < 3; ++i) known[i] = nodes_[i]->streams.size();
  // Each stream is ended as soon as it resumes, until eight have been.
  while (dials.size() < 8) {
    ASSERT_TRUE(world_.Step());
    for (int i = 0; i < 3; ++i) {
      FakeNode& node = *nodes_[i];
      if (node.streams.size() > known[i] && !node.stream()->frames.empty()) {
        known[i] = node.streams.size();
        dials.emplace_back(i + 1, loop_.Now() - broke);
        node.stream()->End(absl::UnavailableError("no quorum"));
      }
    }
  }
  std::vector<int> order;
  for (const auto& [node, when] : dials) order.push_back(node);
  EXPECT_THAT(order, ElementsAre(2, 3, 1, 2, 3, 1, 2, 3));
  // A round trip takes at most 1 ms here.
  const std::vector<int> pauses_ms = {0, 0, 0, 20, 20, 20, 30, 30};
  for (std::size_t i = 1; i < dials.size(); ++i) {
    const base::Duration pause = dials[i].second - dials[i - 1].second;
    EXPECT_GE(pause, milliseconds(pauses_ms[i])) << i;
    EXPECT_LE(pause, milliseconds(pauses_ms[i] + 3)) << i;
  }
}

TEST_F(SessionMachineTest, BeforeItIsGrantedItGoesFromNodeToNode) {
  Nodes(3);
  nodes_[0]->Kill();
  network_.CutPair("client", "n2");
  Open();
  ASSERT_TRUE(world_.RunUntil([&] { return session_->state() == SessionState::kConnected; }, seconds(10)));
  EXPECT_EQ(nodes_[2]->attaches(), 1U);
  EXPECT_FALSE(session_->last_break().ok());
}

// The one that is full is asked first, the one that is dead last, in every round.
TEST_F(SessionMachineTest, WhatANodeSaysIsNotHiddenByOneThatIsDead) {
  Nodes(2);
  nodes_[0]->grants = false;
  nodes_[1]->Kill();
  Open();
  for (int i = 0; i < 3; ++i) {
    const std::size_t streams = nodes_[0]->streams.size();
    ASSERT_TRUE(world_.RunUntil([&] { return nodes_[0]->streams.size() > streams; }, seconds(10)));
    nodes_[0]->stream()->End(absl::ResourceExhaustedError("the disk of this node is full"));
    Settle();
    EXPECT_EQ(session_->last_break(), absl::ResourceExhaustedError("n1:7400: the disk of this node is full"));
  }
  nodes_[0]->Kill();
  ASSERT_TRUE(world_.RunUntil([&] { return absl::IsUnavailable(session_->last_break()); }, seconds(10)));
}

TEST_F(SessionMachineTest, AskedToMoveItAttachesElsewhereBeforeItLeaves) {
  Nodes(2);
  Connect();
  Settle();
  nodes_[1]->grants = false;
  FakeNode::Stream* old = nodes_[0]->stream();
  v1::ServerFrame move;
  move.set_move(true);
  old->Send(move);
  ASSERT_TRUE(world_.RunUntil([&] { return nodes_[1]->attaches() == 1; }, seconds(5)));
  Set("a");
  EXPECT_EQ(Requests(1, 1), old) << "the old stream serves until the new one is granted";
  EXPECT_TRUE(old->open);
  nodes_[1]->Grant(nodes_[1]->stream());
  Requests(2, 1)->AnswerWrite(1, 20);
  ASSERT_TRUE(Done("a"));
  Settle();
  EXPECT_FALSE(old->open);
  EXPECT_EQ(*old->closed, base::CloseCause::kPeerClosed) << "left, not broken";
  EXPECT_THAT(observer_.heard, ElementsAre("connected"));
}

TEST_F(SessionMachineTest, AskedToMoveWithNowhereToGoItStays) {
  Nodes(2);
  Connect();
  Settle();
  nodes_[1]->Kill();
  v1::ServerFrame move;
  move.set_move(true);
  nodes_[0]->stream()->Send(move);
  world_.RunFor(seconds(10));
  EXPECT_TRUE(nodes_[0]->stream()->open);
  EXPECT_EQ(nodes_[0]->attaches(), 1U);
}

// ---- ends ----

TEST_F(SessionMachineTest, ExpiryIsReportedOnceAndLeavesOnlyWritesInFlightUnknown) {
  Nodes(1);
  nodes_[0]->credits = 3;
  Connect();
  Events events;
  session_->Watch("/", {}, &events);
  Set("sent");
  Get("read");
  Set("waiting");
  Requests(1, 3);
  nodes_[0]->grants = false;
  network_.Reset("client", "n1");
  ASSERT_TRUE(world_.RunUntil([&] { return nodes_[0]->attaches() == 2; }, seconds(5)));
  nodes_[0]->stream()->End(absl::NotFoundError("the session has expired"));
  ASSERT_TRUE(world_.RunUntil([&] { return session_->state() == SessionState::kExpired; }, seconds(5)));
  EXPECT_TRUE(IsOutcomeUnknown(outcomes_["sent"])) << outcomes_["sent"];
  EXPECT_TRUE(IsSessionExpired(outcomes_["read"])) << outcomes_["read"];
  EXPECT_TRUE(IsSessionExpired(outcomes_["waiting"])) << outcomes_["waiting"];
  EXPECT_TRUE(IsSessionExpired(*events.ended));
  Set("late");
  world_.RunFor(seconds(20));
  EXPECT_TRUE(IsSessionExpired(outcomes_["late"]));
  EXPECT_THAT(observer_.heard, ElementsAre("connected", "suspended", "expired"));
  EXPECT_EQ(nodes_[0]->attaches(), 2U) << "an expired session dials no more";
}

TEST_F(SessionMachineTest, AnAnswerThatTheSessionHasExpiredEndsIt) {
  Nodes(1);
  Connect();
  Set("a");
  Requests(1, 1)->AnswerWrite(1, 20, v1::SESSION_EXPIRED);
  ASSERT_TRUE(Done("a"));
  Settle();
  EXPECT_TRUE(IsSessionExpired(outcomes_["a"])) << "this one certainly had no effect";
  EXPECT_THAT(observer_.heard, ElementsAre("connected", "expired"));
}

TEST_F(SessionMachineTest, ADeadlineEndsTheWaitAndNotTheWrite) {
  Nodes(1);
  nodes_[0]->credits = 2;
  Connect();
  Set("sent", {.timeout = seconds(1)});
  Get("read", {.timeout = seconds(1)});
  Set("never sent", {.timeout = seconds(1)});
  Requests(1, 2);
  ASSERT_TRUE(Done("never sent", seconds(2)));
  EXPECT_TRUE(IsOutcomeUnknown(outcomes_["sent"]));
  EXPECT_EQ(outcomes_["sent"].code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(IsOutcomeUnknown(outcomes_["read"]));
  EXPECT_EQ(outcomes_["read"].code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(IsOutcomeUnknown(outcomes_["never sent"])) << "withdrawn: it had no effect";
  FakeNode::Stream* stream = nodes_[0]->stream();
  stream->AnswerWrite(1, 20);  // nobody waits; the number is seen all the same
  v1::ServerFrame more;
  more.set_credits(10);
  stream->Send(more);
  Set("next");
  Requests(1, 3);
  EXPECT_EQ(stream->requests.back().number(), 2U) << "the one never sent has used up no number";
  EXPECT_EQ(stream->requests.back().set().path(), "/next");
}

TEST_F(SessionMachineTest, OverItsBoundsACallIsRefusedAndNotSent) {
  Nodes(1);
  options_.pending_requests_max = 2;
  Connect();
  Set("a");
  Set("b");
  Set("c");
  ASSERT_TRUE(Done("c"));
  EXPECT_EQ(RefusalOf(outcomes_["c"]), Code::kResourceExhausted);
  session_->Create("/big", std::string(9 << 20, 'x'), {}, [&](absl::StatusOr<CreateResult> r) { Record("big", r.status()); }, {});
  ASSERT_TRUE(Done("big"));
  EXPECT_EQ(RefusalOf(outcomes_["big"]), Code::kTooLarge);
  Requests(1, 2)->AnswerWrite(1, 20);
  ASSERT_TRUE(Done("a"));
  Set("d");
  Requests(1, 3);
  EXPECT_EQ(nodes_[0]->stream()->requests.back().set().path(), "/d");
}

TEST_F(SessionMachineTest, CloseComesAfterTheWritesBeforeIt) {
  Nodes(1);
  Connect();
  Set("a");
  session_->Close(Note("close"));
  Set("late");
  FakeNode::Stream* stream = Requests(1, 2);
  EXPECT_TRUE(stream->requests[1].has_close_session());
  EXPECT_EQ(stream->requests[1].number(), 2U);
  stream->AnswerWrite(1, 20);
  stream->AnswerWrite(2, 21);
  ASSERT_TRUE(Done("close"));
  EXPECT_TRUE(outcomes_["close"].ok());
  EXPECT_TRUE(IsSessionExpired(outcomes_["late"]));
  EXPECT_EQ(session_->state(), SessionState::kClosed);
  Settle();
  EXPECT_THAT(observer_.heard, ElementsAre("connected"));
  EXPECT_FALSE(stream->open);
}

TEST_F(SessionMachineTest, ACloseWhoseAnswerWasLostIsDoneWhenTheSessionIsGone) {
  Nodes(1);
  Connect();
  session_->Close(Note("close"));
  Requests(1, 1);
  nodes_[0]->grants = false;
  network_.Reset("client", "n1");
  ASSERT_TRUE(world_.RunUntil([&] { return nodes_[0]->attaches() == 2; }, seconds(5)));
  nodes_[0]->stream()->End(absl::NotFoundError("no such session"));
  ASSERT_TRUE(Done("close"));
  EXPECT_TRUE(outcomes_["close"].ok());
  EXPECT_EQ(session_->state(), SessionState::kClosed);
}

TEST_F(SessionMachineTest, ClosedBeforeItWasGrantedItIsJustDone) {
  Nodes(1);
  nodes_[0]->grants = false;
  Open();
  session_->Close(Note("close"));
  ASSERT_TRUE(Done("close"));
  EXPECT_TRUE(outcomes_["close"].ok());
}

TEST_F(SessionMachineTest, MayBeDestroyedInsideItsOwnCallbacks) {
  Nodes(1);
  Connect();
  session_->Set("/a", "", std::nullopt, [&](absl::StatusOr<SetResult> r) {
    Record("a", r.status());
    session_.reset();
  });
  Set("b");
  FakeNode::Stream* stream = Requests(1, 2);
  v1::ServerFrame both;
  for (std::uint64_t number : {1, 2}) both.add_items()->mutable_answer()->set_number(number);
  stream->Send(both);
  ASSERT_TRUE(Done("a"));
  Settle();
  EXPECT_EQ(outcomes_.count("b"), 0U) << "callbacks are dropped with the session";
}

// ---- watches ----

TEST_F(SessionMachineTest, AnEventReachesItsListenerBeforeTheAnswerBehindIt) {
  Nodes(1);
  Connect();
  Events events;
  session_->Watch("/", {}, &events);
  session_->Set("/a", "", std::nullopt, [&](absl::StatusOr<SetResult>) {
    events.order.push_back("answer");
    EXPECT_EQ(events.progress, 30U) << "a call's callback sees a view that has reached its zxid";
  });
  FakeNode::Stream* stream = Requests(1, 2);
  ASSERT_TRUE(stream->requests[0].has_add_watch()) << "a watch goes before the calls made after it";
  const std::uint64_t id = stream->requests[0].add_watch().watch_id();
  EXPECT_TRUE(stream->requests[0].add_watch().with_data());
  EXPECT_FALSE(stream->requests[0].add_watch().has_after());
  stream->AnswerId(stream->requests[0].id(), 20);
  v1::ServerFrame frame;
  *frame.add_items() = EventItem(30, 0, {id});
  frame.add_items()->mutable_answer()->set_number(1);
  frame.mutable_items(1)->mutable_answer()->set_zxid(30);
  stream->Send(frame);
  ASSERT_TRUE(world_.RunUntil([&] { return events.order.size() == 2; }, seconds(5)));
  EXPECT_THAT(events.order, ElementsAre("event", "answer"));
  EXPECT_THAT(events.armed, ElementsAre(20));
}

// A service with a fixed history, which sends a watch what comes after its position. The link is cut after each number of frames in
// turn; whatever the cut, the listener sees the history once and in order.
TEST_F(SessionMachineTest, NoEventIsLostOrDoubledWhereverTheLinkIsCut) {
  const std::vector<std::pair<std::uint64_t, std::uint32_t>> history = {{20, 0}, {20, 1}, {20, 2}, {23, 0}, {23, 1}, {40, 0}};
  for (std::size_t first_cut = 0; first_cut <= history.size(); ++first_cut) {
    for (std::size_t second_cut = 0; second_cut <= history.size(); ++second_cut) {
      SCOPED_TRACE(testing::Message() << "cut after " << first_cut << ", then after " << second_cut);
      sim::SimWorld world(first_cut * 100 + second_cut);
      sim::SimNetwork network(&world);
      sim::SimLoop loop(&world);
      FakeNode node(&world, &network, "n1", 1);
      auto dialer = network.NewDialer(&loop, "client");
      auto session = Session::Open(&loop, dialer.get(), {.endpoints = {node.address()}});
      Events events;
      session->Watch("/", {.with_data = true, .after = Position{Zxid(10)}}, &events);

      std::size_t attach = 0;
      for (const std::size_t cut : {first_cut, second_cut, history.size()}) {
        ++attach;
        ASSERT_TRUE(world.RunUntil([&] { return node.attaches() == attach && !node.stream()->requests.empty(); }, seconds(5)));
        FakeNode::Stream* stream = node.stream();
        const v1::Request request = stream->requests[0];
        const std::pair after(request.add_watch().after().zxid(), request.add_watch().after().ordinal());
        std::size_t sent = 0;
        for (const auto& [zxid, ordinal] : history) {
          if (std::pair<std::uint64_t, std::uint32_t>(zxid, ordinal) <= after) continue;
          if (sent++ == cut) break;
          v1::ServerFrame frame;
          *frame.add_items() = EventItem(zxid, ordinal, {request.add_watch().watch_id()});
          *frame.add_items() = EventItem(zxid, ordinal, {request.add_watch().watch_id()});  // repeated: counts once
          stream->Send(frame);
        }
        if (sent <= cut) {
          stream->AnswerId(request.id(), 40);
          v1::ServerFrame frame;
          frame.set_bookmark_zxid(45);
          stream->Send(frame);
        }
        world.RunFor(milliseconds(20));
        network.Reset("client", "n1");
      }
      EXPECT_EQ(events.seen, history);
      EXPECT_EQ(events.armed.size(), 1U);
      EXPECT_EQ(events.progress, 45U);
    }
  }
}

TEST_F(SessionMachineTest, ABookmarkMovesThePositionOn) {
  Nodes(2);
  Connect();
  Events events;
  session_->Watch("/", {}, &events);
  FakeNode::Stream* stream = Requests(1, 1);
  stream->AnswerId(stream->requests[0].id(), 20);
  v1::ServerFrame frame;
  frame.set_bookmark_zxid(33);
  stream->Send(frame);
  ASSERT_TRUE(world_.RunUntil([&] { return events.progress == 33; }, seconds(5)));
  nodes_[0]->Kill();
  stream = Requests(2, 1);
  EXPECT_EQ(stream->frames[0].resume().seen_zxid(), 33U);
  EXPECT_EQ(stream->requests[0].add_watch().after().zxid(), 33U);
  EXPECT_EQ(stream->requests[0].add_watch().after().ordinal(), 4294967295U);
}

TEST_F(SessionMachineTest, WatchesAreArmedAgainBeforeReadsAreAskedAgain) {
  Nodes(2);
  Connect();
  Get("r");
  Events events;
  session_->Watch("/", {}, &events);
  FakeNode::Stream* stream = Requests(1, 2);
  stream->AnswerId(stream->requests[1].has_add_watch() ? stream->requests[1].id() : stream->requests[0].id(), 20);
  ASSERT_TRUE(world_.RunUntil([&] { return events.armed.size() == 1; }, seconds(5)));
  nodes_[0]->Kill();
  // An answer could show what the watch has not told of yet, so until it stands again nothing is asked.
  stream = Requests(2, 1);
  EXPECT_TRUE(stream->requests[0].has_add_watch());
  world_.RunFor(milliseconds(200));
  EXPECT_EQ(stream->requests.size(), 1U);
  stream->AnswerId(stream->requests[0].id(), 21);
  stream = Requests(2, 2);
  EXPECT_TRUE(stream->requests[1].has_get());
}

TEST_F(SessionMachineTest, NothingIsAskedWhereAWatchCannotBeResumedUntilAllNodesWereAsked) {
  Nodes(2);
  Connect();
  Events events;
  session_->Watch("/", {.with_data = true, .after = Position{Zxid(10)}}, &events);
  Get("r");
  for (int node = 1; node <= 2; ++node) {
    FakeNode::Stream* stream = Requests(node, 1);
    EXPECT_TRUE(stream->requests[0].has_add_watch());
    EXPECT_EQ(stream->requests.size(), 1U);
    EXPECT_EQ(events.compacted, 0);
    stream->AnswerId(stream->requests[0].id(), 50, v1::COMPACTED);
  }
  ASSERT_TRUE(world_.RunUntil([&] { return events.compacted == 1; }, seconds(5)));
  EXPECT_TRUE(Requests(2, 2)->requests[1].has_get());
}

TEST_F(SessionMachineTest, ACompactedWatchAsksEveryOtherNodeBeforeItGivesUp) {
  Nodes(3);
  Connect();
  Events events;
  session_->Watch("/", {.with_data = true, .after = Position{Zxid(10)}}, &events);
  for (int node = 1; node <= 3; ++node) {
    EXPECT_EQ(events.compacted, 0);
    FakeNode::Stream* stream = Requests(node, 1);
    EXPECT_EQ(stream->requests[0].add_watch().after().zxid(), 10U);
    stream->AnswerId(stream->requests[0].id(), 50, v1::COMPACTED);
  }
  ASSERT_TRUE(world_.RunUntil([&] { return events.compacted == 1; }, seconds(5)));
  world_.RunFor(seconds(10));
  EXPECT_EQ(events.compacted, 1);
  EXPECT_THAT(observer_.heard, ElementsAre("connected")) << "it moved without a break";
}

TEST_F(SessionMachineTest, ACompactedWatchIsResumedByTheNodeThatStillCan) {
  Nodes(3);
  Connect();
  nodes_[1]->Kill();
  Events events;
  session_->Watch("/", {.with_data = true, .after = Position{Zxid(10)}}, &events);
  FakeNode::Stream* stream = Requests(1, 1);
  stream->AnswerId(stream->requests[0].id(), 50, v1::COMPACTED);
  stream = Requests(3, 1);
  stream->AnswerId(stream->requests[0].id(), 50);
  ASSERT_TRUE(world_.RunUntil([&] { return !events.armed.empty(); }, seconds(5)));
  EXPECT_EQ(events.compacted, 0);
}

TEST_F(SessionMachineTest, ARefusedWatchEndsAndAnUnwatchedOneIsSilent) {
  Nodes(1);
  Connect();
  Events refused;
  Events dropped;
  session_->Watch("not a path", {}, &refused);
  const WatchId id = session_->Watch("/", {}, &dropped);
  FakeNode::Stream* stream = Requests(1, 2);
  stream->AnswerId(stream->requests[0].id(), 20, v1::INVALID_ARGUMENT);
  stream->AnswerId(stream->requests[1].id(), 20);
  ASSERT_TRUE(world_.RunUntil([&] { return refused.ended.has_value() && !dropped.armed.empty(); }, seconds(5)));
  EXPECT_EQ(RefusalOf(*refused.ended), Code::kInvalidArgument);
  session_->Unwatch(id);
  v1::ServerFrame frame;
  *frame.add_items() = EventItem(30, 0, {stream->requests[1].add_watch().watch_id()});
  stream->Send(frame);
  Requests(1, 3);
  Settle();
  EXPECT_EQ(stream->requests[2].remove_watch().watch_id(), stream->requests[1].add_watch().watch_id());
  EXPECT_THAT(dropped.seen, IsEmpty());
}

TEST_F(SessionMachineTest, AWatchThatANodeCannotArmYetIsAskedForAtThePaceOfContacts) {
  Nodes(1);
  Connect();
  Events events;
  session_->Watch("/", {.with_data = true, .after = Position{Zxid(10)}}, &events);
  FakeNode::Stream* stream = Requests(1, 1);
  for (std::size_t asked = 1; asked <= 3; ++asked) {
    const std::size_t contacts = stream->contacts.size();
    stream->AnswerId(stream->requests.back().id(), 5, v1::UNAVAILABLE);
    Requests(1, asked + 1);
    EXPECT_EQ(stream->requests.size(), asked + 1);
    EXPECT_GT(stream->contacts.size(), contacts);
  }
  stream->AnswerId(stream->requests.back().id(), 10);
  ASSERT_TRUE(world_.RunUntil([&] { return !events.armed.empty(); }, seconds(5)));
}

TEST_F(SessionMachineTest, AFrameThatCannotBeReadBreaksTheLink) {
  Nodes(2);
  Connect();
  nodes_[0]->stream()->connection->Send(base::Bytes::Copy("\x0a\xff"));
  ASSERT_TRUE(world_.RunUntil([&] { return nodes_[1]->attaches() == 1; }, seconds(5)));
  EXPECT_TRUE(nodes_[1]->stream()->frames[0].has_resume());
}

// Whose answer it was would wait for ever.
TEST_F(SessionMachineTest, AnItemThatCannotBeReadBreaksTheLink) {
  Nodes(2);
  Connect();
  nodes_[0]->stream()->connection->Send(base::Bytes::Copy("\x22\x02\x0a\xff"));
  ASSERT_TRUE(world_.RunUntil([&] { return nodes_[1]->attaches() == 1; }, seconds(5)));
  EXPECT_TRUE(nodes_[1]->stream()->frames[0].has_resume());
}

}  // namespace
}  // namespace drover::coord
