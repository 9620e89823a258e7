#include "coord/server/proposal_queue.h"

#include <string>
#include <variant>
#include <vector>

#include "gtest/gtest.h"

namespace drover::coord::server {
namespace {

using tree::Origin;

constexpr base::NodeId kNode(1);
constexpr base::BootNonce kBoot(9);

Origin Tag(std::uint64_t tag) {
  return Origin{kNode, kBoot, tag};
}

TEST(ProposalQueueTest, GathersCommandsIntoOneBatchInOrder) {
  ProposalQueue queue(kNode, kBoot, 1000);
  EXPECT_EQ(queue.Front(), nullptr);
  queue.AddRequest(StreamWrite{tree::StreamId(4)}, {base::SessionId(7)}, 3, "first");
  queue.AddRequest(StreamWrite{tree::StreamId(5)}, {base::SessionId(8)}, 0, "second");
  EXPECT_FALSE(queue.backed_up());
  const ProposalQueue::Batch* batch = queue.Front();
  ASSERT_NE(batch, nullptr);
  EXPECT_TRUE(queue.backed_up()) << "until it is popped";
  EXPECT_EQ(batch->count, 2U);
  tree::BatchView view;
  ASSERT_TRUE(tree::BatchView::Parse(batch->commands.view(), &view));
  EXPECT_EQ(view.time, base::WallTime()) << "the leader adds it";
  base::RepeatedBytes commands = view.commands();
  absl::string_view bytes;
  tree::CommandView command;
  ASSERT_TRUE(commands.Next(&bytes) && tree::CommandView::Parse(bytes, &command));
  EXPECT_EQ(command.origin, Tag(1));
  EXPECT_EQ(command.session, base::SessionId(7));
  EXPECT_EQ(command.seen, 3U);
  EXPECT_EQ(command.body, "first");
  ASSERT_TRUE(commands.Next(&bytes) && tree::CommandView::Parse(bytes, &command));
  EXPECT_EQ(command.origin, Tag(2));
  queue.HandOver();
  EXPECT_EQ(queue.Front(), nullptr);
}

TEST(ProposalQueueTest, AFullBatchIsFollowedByAnother) {
  ProposalQueue queue(kNode, kBoot, 100);
  for (int i = 0; i < 5; ++i) {
    queue.AddRequest(StreamWrite{tree::StreamId(1)}, {base::SessionId(7)}, 0, std::string(60, 'x'));
  }
  std::size_t commands = 0;
  std::size_t batches = 0;
  while (const ProposalQueue::Batch* batch = queue.Front()) {
    EXPECT_LT(batch->commands.size(), 300U);
    commands += batch->count;
    ++batches;
    queue.HandOver();
  }
  EXPECT_EQ(commands, 5U);
  EXPECT_EQ(batches, 3U);
}

TEST(ProposalQueueTest, AWaiterIsFoundOnceAndOnlyByItsOwnBoot) {
  ProposalQueue queue(kNode, kBoot, 100);
  queue.AddOpen(StreamOpening{tree::StreamId(4)}, tree::OpenSessionView{"0123456789abcdef", 0, 0, ""});
  EXPECT_EQ(queue.Peek(Origin{kNode, base::BootNonce(8), 1}), nullptr);
  EXPECT_FALSE(queue.Take(Origin{base::NodeId(2), kBoot, 1}).has_value());
  EXPECT_NE(queue.Peek(Tag(1)), nullptr);
  EXPECT_TRUE(queue.Take(Tag(1)).has_value());
  EXPECT_FALSE(queue.Take(Tag(1)).has_value());
  EXPECT_EQ(queue.waiting(), 0U);
}

TEST(ProposalQueueTest, CallsFailTogetherAndStreamsGoOnWaiting) {
  ProposalQueue queue(kNode, kBoot, 100);
  absl::Status told;
  queue.AddRequest(StreamWrite{tree::StreamId(1)}, {base::SessionId(7)}, 0, "x");
  queue.AddRequest(ExecuteDone([&told](absl::StatusOr<base::Bytes> r) { told = r.status(); }), {}, 0, "y");
  queue.FailCalls(absl::UnavailableError("stopping"));
  EXPECT_EQ(told.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(queue.waiting(), 1U);
}

TEST(ProposalQueueTest, WhatWasHandedOverIsUnknownWhenTheLeaderChangesAndTheRestGoesOn) {
  ProposalQueue queue(kNode, kBoot, 100);
  for (std::uint64_t stream = 1; stream <= 3; ++stream) {
    queue.AddRequest(StreamWrite{tree::StreamId(stream)}, {base::SessionId(7)}, 0, std::string(120, 'x'));
  }
  ASSERT_NE(queue.Front(), nullptr);
  queue.HandOver();
  ASSERT_NE(queue.Front(), nullptr);
  queue.HandOver();
  EXPECT_GT(queue.handed_over_bytes(), 240U);
  EXPECT_TRUE(queue.Take(Tag(1)).has_value());
  EXPECT_LT(queue.handed_over_bytes(), 200U) << "the first is applied";
  const std::vector<Waiter> unknown = queue.TakeHandedOver();
  ASSERT_EQ(unknown.size(), 1U);
  EXPECT_EQ(std::get<StreamWrite>(unknown[0]).stream, tree::StreamId(2));
  EXPECT_EQ(queue.handed_over_bytes(), 0U);
  EXPECT_FALSE(queue.Take(Tag(2)).has_value()) << "applied after all: nobody waits";
  EXPECT_TRUE(queue.backed_up()) << "the third was not handed over";
  EXPECT_TRUE(queue.TakeHandedOver().empty());
}

}  // namespace
}  // namespace drover::coord::server
