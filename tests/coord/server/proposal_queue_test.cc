#include "coord/server/proposal_queue.h"

#include <string>

#include "gtest/gtest.h"

namespace drover::coord::server {
namespace {

using tree::Origin;

constexpr base::NodeId kNode(1);
constexpr base::BootNonce kBoot(9);
constexpr base::WallTime kNow(1000);

Origin Tag(std::uint64_t tag) {
  return Origin{kNode, kBoot, tag};
}

TEST(ProposalQueueTest, GathersCommandsIntoOneBatchInOrder) {
  ProposalQueue queue(kNode, kBoot, 1000);
  EXPECT_EQ(queue.Front(), nullptr);
  queue.AddRequest(kNow, StreamWrite{tree::StreamId(4)}, base::SessionId(7), 3, "first");
  queue.AddRequest(base::WallTime(2000), StreamWrite{tree::StreamId(5)}, base::SessionId(8), 0, "second");
  EXPECT_FALSE(queue.backed_up());
  const ProposalQueue::Batch* batch = queue.Front();
  ASSERT_NE(batch, nullptr);
  EXPECT_TRUE(queue.backed_up()) << "until it is popped";
  EXPECT_EQ(batch->commands, 2U);
  tree::BatchView view;
  ASSERT_TRUE(tree::BatchView::Parse(batch->payload.view(), &view));
  EXPECT_EQ(view.time, kNow);
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
  queue.PopFront();
  EXPECT_EQ(queue.Front(), nullptr);
}

TEST(ProposalQueueTest, AFullBatchIsFollowedByAnother) {
  ProposalQueue queue(kNode, kBoot, 100);
  for (int i = 0; i < 5; ++i) {
    queue.AddRequest(kNow, StreamWrite{tree::StreamId(1)}, base::SessionId(7), 0, std::string(60, 'x'));
  }
  std::size_t commands = 0;
  std::size_t batches = 0;
  while (const ProposalQueue::Batch* batch = queue.Front()) {
    EXPECT_LT(batch->payload.size(), 300U);
    commands += batch->commands;
    ++batches;
    queue.PopFront();
  }
  EXPECT_EQ(commands, 5U);
  EXPECT_EQ(batches, 3U);
}

TEST(ProposalQueueTest, AWaiterIsFoundOnceAndOnlyByItsOwnBoot) {
  ProposalQueue queue(kNode, kBoot, 100);
  queue.AddOpen(kNow, StreamOpening{tree::StreamId(4)}, tree::OpenSessionView{"0123456789abcdef", 0, 0, ""});
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
  queue.AddRequest(kNow, StreamWrite{tree::StreamId(1)}, base::SessionId(7), 0, "x");
  queue.AddRequest(kNow, ExecuteDone([&told](absl::StatusOr<base::Bytes> r) { told = r.status(); }), base::SessionId(), 0, "y");
  queue.FailCalls(absl::UnavailableError("stopping"));
  EXPECT_EQ(told.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(queue.waiting(), 1U);
}

}  // namespace
}  // namespace drover::coord::server
