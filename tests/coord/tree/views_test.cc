#include "coord/tree/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "coord/base/random.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;

TEST(Views, RequestIsItsEnvelopeAndItsOperation) {
  const std::string bytes = EncodeCreate({.number = 3, .id = 4, .local = true}, {"/a", "data", true, false, true});
  RequestView request;
  ASSERT_TRUE(RequestView::Parse(bytes, &request));
  EXPECT_EQ(request.number, 3u);
  EXPECT_EQ(request.id, 4u);
  EXPECT_TRUE(request.local);
  EXPECT_EQ(request.kind, RequestKind::kCreate);
  EXPECT_TRUE(IsWrite(request.kind));
  CreateView create;
  ASSERT_TRUE(CreateView::Parse(request.body, &create));
  EXPECT_EQ(create.path, "/a");
  EXPECT_EQ(create.data, "data");
  EXPECT_TRUE(create.ephemeral);
  EXPECT_FALSE(create.sequential);
  EXPECT_TRUE(create.parents);
  EXPECT_GE(create.path.data(), bytes.data());
  EXPECT_LE(create.path.data() + create.path.size(), bytes.data() + bytes.size()) << "a view, not a copy";
}

TEST(Views, WatchKnowsWhetherItHasAPosition) {
  AddWatchView watch;
  watch.watch_id = 9;
  watch.path = "/a";
  watch.kind = 1;
  RequestView request;
  AddWatchView out;
  const std::string without = EncodeAddWatch({}, watch);
  ASSERT_TRUE(RequestView::Parse(without, &request));
  ASSERT_TRUE(AddWatchView::Parse(request.body, &out));
  EXPECT_FALSE(out.has_after);
  watch.has_after = true;
  watch.after = {base::Zxid(0), 0};
  const std::string with = EncodeAddWatch({}, watch);
  ASSERT_TRUE(RequestView::Parse(with, &request));
  ASSERT_TRUE(AddWatchView::Parse(request.body, &out));
  EXPECT_TRUE(out.has_after);
  EXPECT_EQ(out.after, (Position{base::Zxid(0), 0}));
}

TEST(Views, ExpiredIdsAreReadInBothEncodings) {
  std::string bytes;
  base::WireWriter out(&bytes);
  out.Varint(1, 7);
  out.VarintAlways(2, 5);
  out.BytesAlways(2, "\x06\x07");
  ExpireSessionsView view;
  ASSERT_TRUE(ExpireSessionsView::Parse(bytes, &view));
  std::vector<base::SessionId> ids;
  view.AppendIds(&ids);
  EXPECT_THAT(ids, ElementsAre(base::SessionId(5), base::SessionId(6), base::SessionId(7)));
  out.BytesAlways(2, "\xff");
  EXPECT_FALSE(ExpireSessionsView::Parse(bytes, &view));
}

TEST(Views, BatchMadeOfCommandsIsTheBatchTheBuilderMakes) {
  const Origin origin{base::NodeId(1), base::BootNonce(2), 3};
  const std::string request = EncodeDelete({.number = 1}, {"/a", 2});
  const OpenSessionView open{"0123456789abcdef", 1, 2, "n"};
  const std::vector<base::SessionId> ids = {base::SessionId(300), base::SessionId(4)};
  BatchBuilder builder{base::WallTime(99)};
  builder.AddRequest(origin, base::SessionId(8), 7, request);
  builder.AddOpen(origin, open);
  builder.AddExpire(raft::Term(5), ids);
  std::string parts;
  AppendBatchTime(base::WallTime(99), &parts);
  AppendCommand(EncodeRequestCommand(origin, base::SessionId(8), 7, request), &parts);
  AppendCommand(EncodeOpenCommand(origin, open), &parts);
  AppendCommand(EncodeExpireCommand(raft::Term(5), ids), &parts);
  EXPECT_EQ(builder.size(), parts.size());
  EXPECT_EQ(builder.Finish().view(), parts);

  BatchView batch;
  ASSERT_TRUE(BatchView::Parse(parts, &batch));
  EXPECT_EQ(batch.time, base::WallTime(99));
  EXPECT_EQ(batch.command_count, 3u);
  base::RepeatedBytes commands = batch.commands();
  absl::string_view bytes;
  ASSERT_TRUE(commands.Next(&bytes));
  CommandView command;
  ASSERT_TRUE(CommandView::Parse(bytes, &command));
  EXPECT_EQ(command.origin, origin);
  EXPECT_EQ(command.session, base::SessionId(8));
  EXPECT_EQ(command.seen, 7u);
  EXPECT_EQ(command.kind, CommandKind::kRequest);
  EXPECT_EQ(command.body, request);
}

// Batches of all kinds of commands, damaged at random, are applied by twins: no crash, no over-read, equal states, invariants hold.
TEST(Views, DamagedBatchesNeverHurt) {
  base::SeededRandom random(17);
  Machine one;
  Machine two;
  const base::SessionId session = one.Open();
  ASSERT_EQ(two.Open(), session);
  for (int round = 0; round < 20'000; ++round) {
    const std::uint64_t next = one->sessions().Find(session) == nullptr ? 1 : one->sessions().Find(session)->last_write() + 1;
    TransactionBuilder t;
    t.Compare({"/a", CompareField::kVersion, CompareRelation::kEqual, 0}).Then(CreateView{"/a/b", "x"}).Then(SetView{"/a", "y"});
    t.Otherwise(DeleteView{"/a/b"});
    BatchBuilder batch{base::WallTime(round)};
    batch.AddRequest({}, {}, 0, EncodeCreate({}, {"/a", "data", false, random.Below(2) == 0, true}));
    batch.AddRequest({}, session, next - 1, EncodeSet({.number = next}, {"/a", "more", 1}));
    batch.AddRequest({}, {}, 0, t.Encode({}));
    if (random.Below(50) == 0) batch.AddOpen({}, {"0123456789abcdef", 1, 2, "name"});
    if (random.Below(50) == 0) batch.AddExpire(Machine::kTerm, {base::SessionId(random.Below(100))});
    std::string bytes = batch.Finish().ToString();
    for (std::uint64_t n = 1 + random.Below(4); n > 0 && !bytes.empty(); --n) {
      const std::size_t at = random.Below(bytes.size());
      switch (random.Below(4)) {
        case 0:
          bytes[at] = static_cast<char>(random.Next());
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.Below(8)));
          break;
        case 2:
          bytes.resize(at);
          break;
        default:
          bytes.insert(at, 1, static_cast<char>(random.Next()));
      }
    }
    // An exact allocation, so that the sanitizers see a byte too far.
    const base::Bytes exact = base::CopyExact(bytes);
    const bool ok = one->Apply(Machine::kTerm, exact.view(), &one).ok();
    ASSERT_EQ(two->Apply(Machine::kTerm, exact.view(), &two).ok(), ok);
    if (round % 500 == 0) {
      ASSERT_EQ(one->Digest(), two->Digest()) << "round " << round;
      one.Delete("/missing");  // checks the invariants
      two.Delete("/missing");
    }
  }
}

TEST(Views, DamagedReadsNeverHurt) {
  base::SeededRandom random(18);
  Machine m;
  m.Unary(EncodeCreate({}, {"/a/b/c", "data", false, false, true}));
  const std::vector<std::string> good = {EncodeGet({.id = 1}, "/a/b"), EncodeExists({}, "/a"), EncodeChildren({}, {"/a", "x", 3}),
                                         EncodeList({}, {"/a", "/a/b", 3, true}), EncodeSync({})};
  for (int round = 0; round < 100'000; ++round) {
    std::string bytes = good[random.Below(good.size())];
    for (std::uint64_t n = 1 + random.Below(3); n > 0; --n) bytes[random.Below(bytes.size())] = static_cast<char>(random.Next());
    const base::Bytes exact = base::CopyExact(bytes);
    RequestView request;
    if (RequestView::Parse(exact.view(), &request)) DecodeAnswer(m->Read(request).view());
  }
}

}  // namespace
}  // namespace drover::coord::tree
