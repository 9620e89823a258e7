// Calls of a session: what goes out in which order, what the cluster has to know for it, and what several answers in one become.
#include <gmock/gmock.h>

#include <string>

#include "drover/coord/session.h"
#include "drover/coord/status.h"
#include "tests/coord/client/session_fixture.h"

namespace drover::coord {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

using SessionCallsTest = SessionMachineTest;

TEST_F(SessionCallsTest, WhatTheClusterDoesNotKnowYetIsRefusedUntilItDoes) {
  Nodes(1);
  Open();
  EXPECT_EQ(session_->feature_level(), 0U);
  ASSERT_TRUE(world_.RunUntil([&] { return session_->state() == SessionState::kConnected; }, seconds(5)));
  EXPECT_EQ(session_->feature_level(), 1U) << "a node that does not say";
  const auto create = [this](const std::string& name) {
    session_->Create("/" + name, "", {.container = true},
                     [this, name](absl::StatusOr<CreateResult> r) { Record(name, r.status()); });
  };
  create("a");
  ASSERT_TRUE(Done("a"));
  EXPECT_EQ(RefusalOf(outcomes_["a"]), Code::kUnimplemented);
  EXPECT_THAT(std::string(outcomes_["a"].message()), ::testing::HasSubstr("the cluster is at feature level 1, this needs level 3"));
  session_->DeleteSubtree("/b", std::nullopt, [this](absl::StatusOr<DeleteSubtreeResult> r) { Record("b", r.status()); });
  ASSERT_TRUE(Done("b"));
  EXPECT_EQ(RefusalOf(outcomes_["b"]), Code::kUnimplemented);
  v1::ServerFrame raised;
  raised.set_feature_level(3);
  nodes_[0]->stream()->Send(raised);
  ASSERT_TRUE(world_.RunUntil([&] { return session_->feature_level() == 3; }, seconds(5)));
  create("c");
  FakeNode::Stream* stream = Requests(1, 1);
  EXPECT_EQ(stream->requests[0].number(), 1U) << "what was refused here used no number up";
  EXPECT_TRUE(stream->requests[0].create().container());
}

TEST_F(SessionCallsTest, SeveralReadsAreAnsweredEachWithItsOwnRefusal) {
  Nodes(1);
  Connect();
  absl::StatusOr<MultiReadResult> result = absl::UnknownError("none");
  session_->MultiRead({ReadOperation::Get("/a"), ReadOperation::Exists("/b"), ReadOperation::Children("/c")},
                      [&](absl::StatusOr<MultiReadResult> r) {
                        result = std::move(r);
                        Record("r", result.status());
                      });
  FakeNode::Stream* stream = Requests(1, 1);
  v1::Answer answer;
  answer.set_id(stream->requests[0].id());
  answer.set_zxid(9);
  answer.add_reads()->set_data("data");
  answer.mutable_reads(0)->mutable_stat()->set_version(4);
  answer.mutable_reads(0)->mutable_stat()->set_ttl_ms(1'500);
  answer.add_reads()->set_code(v1::NO_NODE);
  answer.mutable_reads(1)->set_message("there is no such node");
  answer.add_reads()->add_names("n");
  answer.mutable_reads(2)->set_more(true);
  stream->Answer(answer);
  ASSERT_TRUE(Done("r"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->zxid, Zxid(9));
  ASSERT_EQ(result->answers.size(), 3U);
  EXPECT_EQ(result->answers[0].data, "data");
  EXPECT_EQ(result->answers[0].stat.version, 4U);
  EXPECT_EQ(result->answers[0].stat.ttl, milliseconds(1'500));
  EXPECT_EQ(RefusalOf(result->answers[1].status), Code::kNoNode);
  EXPECT_THAT(result->answers[2].names, ElementsAre("n"));
  EXPECT_TRUE(result->answers[2].more);
}

TEST_F(SessionCallsTest, AWatchDoesNotOvertakeTheCallsBeforeIt) {
  Nodes(1);
  Connect();
  Settle();
  const std::size_t frames = nodes_[0]->stream()->frames.size();
  Events events;
  Set("a");
  session_->Watch("/w", {}, &events);
  Set("b");
  Get("c");
  session_->Watch("/x", {}, &events);
  FakeNode::Stream* stream = Requests(1, 5);
  EXPECT_EQ(stream->frames.size(), frames + 1);
  EXPECT_EQ(stream->requests[0].set().path(), "/a");
  EXPECT_EQ(stream->requests[1].add_watch().path(), "/w");
  EXPECT_EQ(stream->requests[2].set().path(), "/b");
  EXPECT_EQ(stream->requests[3].get().path(), "/c");
  EXPECT_EQ(stream->requests[4].add_watch().path(), "/x");
}

}  // namespace
}  // namespace drover::coord
