// Snapshots: what a walk says of a state that goes on changing, and what a loader believes. (model_test walks under random load.)
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/wire.h"
#include "coord/tree/invariants.h"
#include "coord/tree/snapshot_loader.h"
#include "coord/tree/snapshot_walk.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

constexpr std::size_t kAll = 1'000'000;

absl::StatusOr<std::unique_ptr<StateMachine>> Load(const std::vector<std::string>& parts) {
  SnapshotLoader loader{Options()};
  for (const std::string& part : parts) {
    if (const absl::Status added = loader.Add(part); !added.ok()) return added;
  }
  return loader.Finish();
}

// The rest of a walk, in parts of about `bytes`.
std::vector<std::string> Finish(SnapshotWalk* walk, std::size_t bytes = kAll) {
  std::vector<std::string> parts;
  bool more = true;
  while (more) {
    more = walk->Step(kAll, bytes);
    parts.push_back(walk->TakePart());
  }
  return parts;
}

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/bb", "/d", "/d/e"}) machine_.Create(path, absl::StrCat("data of ", path));
  }

  void ExpectLoads(const std::vector<std::string>& parts, std::uint64_t digest) {
    const auto loaded = Load(parts);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ((*loaded)->Digest(), digest);
    const absl::Status invariants = CheckInvariants(**loaded);
    EXPECT_TRUE(invariants.ok()) << invariants;
  }

  Machine machine_;
};

TEST_F(SnapshotTest, OfAStateAtRestLoadsTheSameState) {
  SnapshotWalk walk(&*machine_);
  const std::uint64_t digest = machine_->Digest();
  ExpectLoads(Finish(&walk), digest);
  EXPECT_EQ(walk.nodes(), machine_->tree().node_count());
  EXPECT_EQ(walk.saved(), 0u);
}

TEST_F(SnapshotTest, TellsWhatEndsByItself) {
  CreateView create{"/t"};
  create.ttl_ms = 1'000'000;
  machine_.Unary(EncodeCreate({}, create));
  create = {"/a/c"};
  create.container = true;
  machine_.Unary(EncodeCreate({}, create));
  SnapshotWalk walk(&*machine_);
  const auto parts = Finish(&walk);
  ExpectLoads(parts, machine_->Digest());
  EXPECT_EQ((*Load(parts))->tree().mortals().size(), 2u);
}

TEST_F(SnapshotTest, OfAnEmptyStateHasItsRoot) {
  Machine empty;
  SnapshotWalk walk(&*empty);
  ExpectLoads(Finish(&walk), empty->Digest());
}

TEST_F(SnapshotTest, PartsAreSmallWhereAsked) {
  SnapshotWalk walk(&*machine_);
  const std::uint64_t digest = machine_->Digest();
  const std::vector<std::string> parts = Finish(&walk, 1);
  EXPECT_GE(parts.size(), machine_->tree().node_count());
  ExpectLoads(parts, digest);
}

TEST_F(SnapshotTest, WhatIsChangedAheadOfTheWalkIsSavedAsItWas) {
  const std::uint64_t digest = machine_->Digest();
  SnapshotWalk walk(&*machine_);
  EXPECT_TRUE(walk.Step(2, kAll));  // the root and /a
  machine_.Set("/a/b/c", "changed");
  machine_.Delete("/a/bb");
  machine_.Create("/a/bb", "another");
  machine_.Create("/a/b/new", "new");
  machine_.Delete("/d/e");
  machine_.Delete("/d");
  machine_.Set("/a", "behind the walk");
  EXPECT_EQ(walk.saved(), 5u);  // /a/b and /a/b/c, /a/bb, /d and /d/e
  ExpectLoads(Finish(&walk), digest);
  EXPECT_EQ(walk.nodes(), 7u);
}

TEST_F(SnapshotTest, ARefusedTransactionChangesNothing) {
  const std::uint64_t digest = machine_->Digest();
  SnapshotWalk walk(&*machine_);
  TransactionBuilder builder;
  builder.Then(SetView{"/a/b/c", "changed"}).Then(DeleteView{"/d/e"}).Then(CreateView{"/d/x"}).Then(DeleteView{"/missing"});
  EXPECT_EQ(machine_.Unary(builder.Encode({})).code, Code::kNoNode);
  ExpectLoads(Finish(&walk), digest);
  EXPECT_EQ(machine_->Digest(), digest);
}

TEST_F(SnapshotTest, SessionsGoOnWithTheirNumbersAndAnswers) {
  Client client(&machine_);
  Client leaving(&machine_);
  client.Create({"/mine", "x", true});
  leaving.Create({"/theirs", "x", true});
  client.seen = 1;
  client.Create({"/a/f"});
  const std::uint64_t digest = machine_->Digest();
  SnapshotWalk walk(&*machine_);
  client.Create({"/a/g"});
  leaving.Close();
  const base::SessionId opened = machine_.Open();
  const std::vector<std::string> parts = Finish(&walk);
  ExpectLoads(parts, digest);

  const auto loaded = Load(parts);
  const Session* const session = (*loaded)->sessions().Find(client.id());
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->seen(), 1u);
  EXPECT_EQ(session->last_write(), 2u);
  EXPECT_EQ(std::as_const(**loaded).sessions().Find(opened), nullptr);
  EXPECT_NE(std::as_const(**loaded).sessions().Find(leaving.id()), nullptr);
}

TEST_F(SnapshotTest, WhatIsChangedWhileNobodyTakesAPartFillsSeveral) {
  constexpr int kNodes = 12;
  for (int i = 0; i < kNodes; ++i) machine_.Create(absl::StrCat("/large-", i), std::string(1'000'000, static_cast<char>('a' + i)));
  const std::uint64_t digest = machine_->Digest();
  SnapshotWalk walk(&*machine_);
  for (int i = 0; i < kNodes; ++i) machine_.Set(absl::StrCat("/large-", i), "small");
  EXPECT_TRUE(walk.has_more_parts());
  std::vector<std::string> parts;
  while (walk.Step(1, SIZE_MAX)) {
  }
  while (walk.part_bytes() > 0) {
    parts.push_back(walk.TakePart());
    EXPECT_LT(parts.back().size(), SnapshotWalk::kPartBytesMax + 2'000'000);
  }
  EXPECT_GE(parts.size(), 3u);
  ExpectLoads(parts, digest);
}

TEST_F(SnapshotTest, OneAfterAnotherAndOneGivenUp) {
  { const SnapshotWalk given_up(&*machine_); }
  for (int i = 0; i < 3; ++i) {
    machine_.Set("/d/e", absl::StrCat(i));
    const std::uint64_t digest = machine_->Digest();
    SnapshotWalk walk(&*machine_);
    walk.Step(3, kAll);
    machine_.Set("/d/e", "later");
    ExpectLoads(Finish(&walk), digest);
  }
}

TEST_F(SnapshotTest, ALoadedStateGoesOnLikeTheOneItIsOf) {
  SnapshotWalk walk(&*machine_);
  const auto loaded = Load(Finish(&walk));
  ASSERT_TRUE(loaded.ok());
  const std::size_t before = machine_.log.size();
  Client client(&machine_);
  client.Create({"/a/b/s-", "x", true, true});
  machine_.Set("/a", "y");
  Machine other;  // only listens
  for (std::size_t i = before; i < machine_.log.size(); ++i) {
    ASSERT_TRUE((*loaded)->Apply(machine_.log[i].first, machine_.log[i].second.view(), other.sink()).ok());
  }
  EXPECT_EQ((*loaded)->Digest(), machine_->Digest());
}

// Loading -----------------------------------------------------------------------------------------------------------------------

// A part with fields of its own.
struct Part {
  std::string bytes;
  base::WireWriter out{&bytes};

  Part& Head(std::uint64_t zxid = 10, std::int64_t time = 100) {
    const std::size_t mark = out.Open(1);
    out.Varint(1, zxid);
    out.Signed(2, time);
    out.Close(mark);
    return *this;
  }
  Part& Session(std::uint64_t id, absl::string_view secret = "0123456789abcdef") {
    const std::size_t mark = out.Open(2);
    out.Varint(1, id);
    out.Bytes(2, secret);
    out.Close(mark);
    return *this;
  }
  // One that has seen the answers up to `seen`, and keeps `answer` and the next.
  Part& KeepingSession(std::uint64_t id, std::uint64_t seen, absl::string_view answer) {
    const std::size_t mark = out.Open(2);
    out.Varint(1, id);
    out.Bytes(2, "0123456789abcdef");
    out.Varint(6, seen);
    out.BytesAlways(7, answer);
    out.BytesAlways(7, "another");
    out.Close(mark);
    return *this;
  }
  Part& Node(absl::string_view path, std::uint64_t zxid = 1, std::uint64_t owner = 0, std::uint64_t shared = 0) {
    return Node(path, {{4, zxid}, {6, zxid < 10 ? 10 - zxid : 0}, {11, 100}, {12, owner}}, shared);
  }
  // By the numbers of its fields.
  Part& Node(absl::string_view path, const std::vector<std::pair<std::uint32_t, std::uint64_t>>& numbers,
             std::uint64_t shared = 0) {
    const std::size_t mark = out.Open(3);
    out.Varint(1, shared);
    out.Bytes(2, path);
    for (const auto& [field, number] : numbers) out.Varint(field, number);
    out.Close(mark);
    return *this;
  }
  Part& Totals(std::uint64_t sessions, std::uint64_t nodes) {
    const std::size_t mark = out.Open(4);
    out.Varint(1, sessions);
    out.Varint(2, nodes);
    out.Close(mark);
    return *this;
  }
};

void ExpectRefused(const Part& part, absl::string_view why) {
  const auto loaded = Load({part.bytes});
  EXPECT_TRUE(absl::IsDataLoss(loaded.status())) << loaded.status();
  EXPECT_NE(loaded.status().message().find(why), absl::string_view::npos) << loaded.status();
}

TEST(SnapshotLoader, RefusesWhatIsNotWhole) {
  EXPECT_TRUE(Load({Part().Head().Session(3).Node("/").Node("/a", 4, 3).Totals(1, 2).bytes}).ok());
  ExpectRefused(Part(), "its end is missing");
  ExpectRefused(Part().Node("/"), "does not begin with its head");
  ExpectRefused(Part().Head().Head(), "two heads");
  ExpectRefused(Part().Head().Node("/"), "its end is missing");
  ExpectRefused(Part().Head().Node("/").Totals(0, 2), "should have 2 and 0");
  ExpectRefused(Part().Head().Totals(0, 0).Node("/"), "behind the totals");
  ExpectRefused(Part().Head().Node("/").Node("/"), "the root is there twice");
  ExpectRefused(Part().Head().Node("/").Node("/a").Node("/a"), "is there twice");
  ExpectRefused(Part().Head().Node("/a"), "before its parent");
  ExpectRefused(Part().Head().Node("/").Node("/a/b"), "before its parent");
  ExpectRefused(Part().Head().Node("/").Node("a"), "path is none");
  ExpectRefused(Part().Head().Node("/").Node("x", 1, 0, 9), "no beginning");
  ExpectRefused(Part().Head().Node("/").Node("/a", 11), "newer than it");
  ExpectRefused(Part().Head().Node("/").Node("/a", 1, 3).Totals(0, 2), "session that is not there");
  ExpectRefused(Part().Head().Session(3).Node("/").Node("/a", 1, 3).Node("/a/b"), "is ephemeral");
  ExpectRefused(Part().Head().Session(3).Session(3), "session 3 is there twice");
  ExpectRefused(Part().Head().Session(11), "newer than it");
  ExpectRefused(Part().Head().Session(3, "short"), "secret has another length");
}

TEST(SnapshotLoader, RefusesNodesThatNoStateHas) {
  constexpr std::uint64_t kMost = UINT64_MAX;
  constexpr std::uint64_t kLess = static_cast<std::uint64_t>(-1);
  EXPECT_TRUE(Load({Part().Head().Node("/").Node("/a", {{4, 2}, {5, 8}, {6, 8}, {7, 90}, {8, 10}}).Totals(0, 2).bytes}).ok());
  ExpectRefused(Part().Head().Node("/").Node("/a", {{4, 2}, {5, 9}}), "newer than it");
  ExpectRefused(Part().Head().Node("/").Node("/a", {{4, 2}, {5, kMost}}), "newer than it");
  ExpectRefused(Part().Head().Node("/").Node("/a", {{4, 2}, {6, kMost}}), "newer than it");
  ExpectRefused(Part().Head().Node("/").Node("/a", {{4, 2}, {7, 101}}), "times of node /a");
  ExpectRefused(Part().Head().Node("/").Node("/a", {{4, 2}, {7, kLess}}), "times of node /a");
  ExpectRefused(Part().Head().Node("/").Node("/a", {{4, 2}, {7, 90}, {8, 11}}), "times of node /a");
  ExpectRefused(Part().Head().Node("/").Node("/a", {{4, 2}, {7, 90}, {8, kLess}}), "times of node /a");
  ExpectRefused(Part().Head().Node("/").Node("/a", {{4, 2}, {7, 90}, {8, kMost >> 1}}), "times of node /a");
  ExpectRefused(Part().Head(10, -1), "before all times");
  ExpectRefused(Part().Head().Session(3).Node("/").Node("/a", {{4, 4}, {12, 3}, {13, 1}}), "ends in two ways");
  ExpectRefused(Part().Head().Session(3).Node("/").Node("/a", {{4, 4}, {12, 3}, {14, 5}}), "ends in two ways");
  ExpectRefused(Part().Head().Node("/").Node("/a", {{4, 4}, {13, 1}, {14, 5}}), "ends in two ways");
  ExpectRefused(Part().Head().Node("/").Node("/a", {{4, 4}, {14, kMost}}), "longer than any may");
  ExpectRefused(Part().Head().Session(3).Node("/", {{12, 3}}), "the root does not end");
  ExpectRefused(Part().Head().Node("/").Node("/a", 5).Node("/a/b", 4), "older than its parent");
  ExpectRefused(Part().Head().Node("/", {{4, 1}, {6, 1}, {11, 5}}).Node("/a", 4), "has not noticed it");
  ExpectRefused(Part().Head().Node("/", {{4, 1}, {6, 9}, {11, 1}}).Node("/a", 4).Node("/b", 5), "more children than were created");
}

TEST(SnapshotLoader, RefusesSessionsThatNoStateHas) {
  EXPECT_TRUE(Load({Part().Head().KeepingSession(3, UINT64_MAX - 2, "answer").Node("/").Totals(1, 1).bytes}).ok());
  ExpectRefused(Part().Head().KeepingSession(3, UINT64_MAX - 1, "answer"), "more answers than there are numbers");
  ExpectRefused(Part().Head().KeepingSession(3, 5, ""), "is empty");
}

TEST(SnapshotLoader, FindsParentsWhateverTheNodeBeforeWas) {
  Part part;
  part.Head().Node("/").Node("/a").Node("b", 1, 0, 1).Node("/ab").Node("/a/x").Node("/ab/x").Node("/a/x/y").Node("/b/z");
  part.Node("y", 1, 0, 3).Totals(0, 9);
  // The last: shares "/b/" with the one before.
  const auto loaded = Load({Part().bytes, part.bytes});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  for (const char* path : {"/a/x/y", "/ab/x", "/b/y", "/b/z"}) EXPECT_NE((*loaded)->tree().Find(path), nullptr) << path;
}

TEST(SnapshotLoader, NoDamagedByteIsTakenForSomethingElseThanItIs) {
  Machine machine;
  Client client(&machine);
  client.Create({"/a", "data", true});
  client.Create({"/b"});
  client.Create({"/b/c", "more"});
  SnapshotWalk walk(&*machine);
  const std::string whole = Finish(&walk).front();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {1, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      // Checksums tell (coord/log); here it must only end well: refused, or a state that holds together.
      const auto loaded = Load({damaged});
      if (!loaded.ok()) continue;
      EXPECT_EQ((*loaded)->tree().node_count(), machine->tree().node_count());
    }
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Load({whole.substr(0, size)}).ok()) << size;
  }
}

}  // namespace
}  // namespace drover::coord::tree
