// The rules of single writes: ZooKeeper's, case by case.
#include "coord/tree/writes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Writes, RootExistsFromTheBeginning) {
  Machine m;
  EXPECT_EQ(m.StatOf("/"), Stat());
  EXPECT_EQ(m.Create("/").code, Code::kNodeExists);
  EXPECT_EQ(m.Delete("/").code, Code::kInvalidArgument);
  EXPECT_EQ(m.Set("/", "root").code, Code::kOk);
  EXPECT_EQ(m.StatOf("/").version, 1u);
}

TEST(Writes, CreateGivesTheStatThatZooKeeperGives) {
  Machine m;
  m.now_ms = 5000;
  const DecodedAnswer made = m.Create("/a", "data");
  EXPECT_EQ(made.code, Code::kOk);
  EXPECT_EQ(made.path, "/a");
  EXPECT_EQ(made.zxid, 1u);
  Stat stat;
  stat.czxid = stat.mzxid = stat.pzxid = base::Zxid(1);
  stat.ctime = stat.mtime = base::WallTime(5000);
  stat.data_length = 4;
  EXPECT_EQ(made.stat, stat);
  EXPECT_EQ(m.StatOf("/a"), stat);
}

TEST(Writes, CreateTouchesOnlyPzxidAndCversionOfTheParent) {
  Machine m;
  m.Create("/a", "x");
  const Stat before = m.StatOf("/a");
  m.now_ms = 9000;
  m.Create("/a/b");
  Stat after = before;
  after.pzxid = base::Zxid(2);
  after.cversion = 1;
  after.num_children = 1;
  EXPECT_EQ(m.StatOf("/a"), after);
  EXPECT_EQ(m.StatOf("/").pzxid, base::Zxid(1)) << "the grandparent is not touched";
}

TEST(Writes, SetTouchesDataVersionMzxidAndMtimeAndNotTheParent) {
  Machine m;
  m.Create("/a");
  m.Create("/a/b", "1");
  const Stat parent = m.StatOf("/a");
  m.now_ms = 2000;
  const DecodedAnswer set = m.Set("/a/b", "three");
  EXPECT_EQ(set.stat.version, 1u);
  EXPECT_EQ(set.stat.czxid, base::Zxid(2));
  EXPECT_EQ(set.stat.mzxid, base::Zxid(3));
  EXPECT_EQ(set.stat.pzxid, base::Zxid(2));
  EXPECT_EQ(set.stat.ctime, base::WallTime(1000));
  EXPECT_EQ(set.stat.mtime, base::WallTime(2000));
  EXPECT_EQ(set.stat.data_length, 5u);
  EXPECT_EQ(m.StatOf("/a"), parent);
}

TEST(Writes, SetOfTheSameDataCounts) {
  Machine m;
  m.Create("/a", "x");
  EXPECT_EQ(m.Set("/a", "x").stat.version, 1u);
  EXPECT_EQ(m.Set("/a", "").stat.version, 2u);
}

TEST(Writes, CversionCountsDeletionsTooAndPzxidMoves) {
  Machine m;
  m.Create("/a");
  m.Create("/a/b");
  m.Create("/a/c");
  EXPECT_EQ(m.StatOf("/a").cversion, 2u);
  m.Delete("/a/b");
  EXPECT_EQ(m.StatOf("/a").cversion, 3u);
  EXPECT_EQ(m.StatOf("/a").pzxid, base::Zxid(4));
  EXPECT_EQ(m.StatOf("/a").num_children, 1u);
  EXPECT_EQ(m.StatOf("/a").mzxid, base::Zxid(1));
}

TEST(Writes, VersionsStartAnewWithTheNode) {
  Machine m;
  m.Create("/a");
  m.Set("/a", "x");
  m.Delete("/a");
  m.Create("/a");
  EXPECT_EQ(m.StatOf("/a").version, 0u);
  EXPECT_EQ(m.StatOf("/a").czxid, base::Zxid(4));
}

TEST(Writes, VersionsAreComparedUnlessZero) {
  Machine m;
  m.Create("/a");
  EXPECT_EQ(m.Set("/a", "x", 2).code, Code::kBadVersion);
  EXPECT_EQ(m.Set("/a", "x", 1).code, Code::kOk);
  EXPECT_EQ(m.Delete("/a", 1).code, Code::kBadVersion);
  EXPECT_EQ(m.Delete("/a", 2).code, Code::kOk);
  m.Create("/a");
  m.Set("/a", "x");
  EXPECT_EQ(m.Set("/a", "y", 0).code, Code::kOk);
  EXPECT_EQ(m.Delete("/a", 0).code, Code::kOk);
}

TEST(Writes, ARefusalSaysWhichVersionThereIsAndWhichRuleAPathBreaks) {
  Machine m;
  m.Create("/a");
  m.Set("/a", "x");
  EXPECT_EQ(m.Set("/a", "x", 1).message, "the node has version 1, not 0");
  EXPECT_EQ(m.Delete("/a", 10).message, "the node has version 1, not 9");
  EXPECT_EQ(m.Set("", "x").message, "a path begins with \"/\"");
  EXPECT_EQ(m.Delete("/a/").message, "a path has no empty names: no \"//\", and no \"/\" at its end");
  EXPECT_EQ(m.Set("/none", "x").message, MessageOf(Code::kNoNode)) << "nothing is left of the refusal before";
}

TEST(Writes, RefusalsComeInZooKeepersOrder) {
  Machine m;
  Client c(&m);
  m.Create("/a");
  m.Create("/a/b");
  c.Create({"/e", "", true});
  // Delete: no node, then version, then children.
  EXPECT_EQ(m.Delete("/x", 9).code, Code::kNoNode);
  EXPECT_EQ(m.Delete("/a", 9).code, Code::kBadVersion);
  EXPECT_EQ(m.Delete("/a", 1).code, Code::kNotEmpty);
  // Create: path, parent, existence, ephemeral parent.
  EXPECT_EQ(m.Create("/x/").code, Code::kInvalidArgument);
  EXPECT_EQ(m.Create("/x/y").code, Code::kNoNode);
  EXPECT_EQ(m.Create("/a/b").code, Code::kNodeExists);
  EXPECT_EQ(m.Create("/e/x").code, Code::kNoChildrenForEphemerals);
  EXPECT_EQ(m.Create("/e/x/y").code, Code::kNoNode);
  // Set: path, node, version.
  EXPECT_EQ(m.Set("a", "", 9).code, Code::kInvalidArgument);
  EXPECT_EQ(m.Set("/x", "", 9).code, Code::kNoNode);
}

TEST(Writes, RefusalsHaveNoEffectNoEventAndNoZxid) {
  Machine m;
  m.Create("/a");
  m.TakeEvents();
  const std::uint64_t digest = m->Digest();
  for (const DecodedAnswer& answer : {m.Create("/a"), m.Create("/b/c"), m.Create("b"), m.Delete("/b"), m.Set("/a", "x", 5)}) {
    EXPECT_NE(answer.code, Code::kOk);
    EXPECT_EQ(answer.zxid, 1u) << "the zxid of the state that refused it";
    EXPECT_TRUE(answer.path.empty());
  }
  EXPECT_EQ(m->Digest(), digest);
  EXPECT_THAT(m.TakeEvents(), IsEmpty());
  EXPECT_EQ(m.Create("/b").zxid, 2u);
}

TEST(Writes, SequenceIsTenDigitsOfChildrenEverCreated) {
  Machine m;
  Client c(&m);
  m.Create("/q");
  EXPECT_EQ(c.Create({"/q/n-", "", false, true}).path, "/q/n-0000000000");
  EXPECT_EQ(c.Create({"/q/n-", "", true, true}).path, "/q/n-0000000001");
  m.Create("/q/other");  // counts as well
  EXPECT_EQ(c.Create({"/q/m-", "", false, true}).path, "/q/m-0000000003");
  EXPECT_EQ(c.Create({"/q/", "", false, true}).path, "/q/0000000004");
  EXPECT_EQ(c.Create({"/", "", false, true}).path, "/0000000001");
}

TEST(Writes, SequenceDoesNotComeBackAfterDeletes) {
  Machine m;
  Client c(&m);
  m.Create("/q");
  const std::string first = c.Create({"/q/n", "", false, true}).path;
  m.Delete(first);
  EXPECT_EQ(c.Create({"/q/n", "", false, true}).path, "/q/n0000000001");
  EXPECT_EQ(m.StatOf("/q").cversion, 3u) << "which Stat.cversion would have made 2";
}

TEST(Writes, SequenceThatMeetsAnExistingNameIsRefused) {
  Machine m;
  m.Create("/q");
  m.Create("/q/n0000000001");
  EXPECT_EQ(m.Unary(EncodeCreate({}, {"/q/n", "", false, true})).code, Code::kNodeExists);
}

TEST(Writes, SequencesOfRefusedTransactionsAreNotUsedUp) {
  Machine m;
  m.Create("/q");
  TransactionBuilder t;
  t.Then(CreateView{"/q/n", "", false, true}).Then(DeleteView{"/missing"});
  EXPECT_EQ(m.Unary(t.Encode({})).code, Code::kNoNode);
  EXPECT_EQ(m.Unary(EncodeCreate({}, {"/q/n", "", false, true})).path, "/q/n0000000000");
}

TEST(Writes, EphemeralsBelongToTheirSession) {
  Machine m;
  Client c(&m);
  const DecodedAnswer made = c.Create({"/e", "x", true});
  EXPECT_EQ(made.stat.ephemeral_owner, c.id());
  EXPECT_EQ(m.Set("/e", "by anybody").code, Code::kOk);
  EXPECT_EQ(m.Delete("/e").code, Code::kOk);
}

TEST(Writes, EphemeralsNeedASession) {
  Machine m;
  EXPECT_EQ(m.Unary(EncodeCreate({}, {"/e", "", true})).code, Code::kInvalidArgument);
}

TEST(Writes, EphemeralsHaveNoChildrenNotEvenWithParents) {
  Machine m;
  Client c(&m);
  c.Create({"/e", "", true});
  EXPECT_EQ(c.Create({"/e/x"}).code, Code::kNoChildrenForEphemerals);
  EXPECT_EQ(c.Create({"/e/x", "", true}).code, Code::kNoChildrenForEphemerals);
  EXPECT_EQ(c.Create({"/e/x", "", false, true}).code, Code::kNoChildrenForEphemerals);
  EXPECT_EQ(c.Create({"/e/x/y", "", false, false, true}).code, Code::kNoChildrenForEphemerals);
}

TEST(Writes, MissingParentsAreMadePersistentAndEmpty) {
  Machine m;
  Client c(&m);
  m.Create("/a");
  m.TakeEvents();
  const DecodedAnswer made = c.Create({"/a/b/c/d", "data", true, false, true});
  EXPECT_EQ(made.code, Code::kOk);
  EXPECT_EQ(made.path, "/a/b/c/d");
  EXPECT_EQ(m.StatOf("/a/b").ephemeral_owner, base::SessionId());
  EXPECT_EQ(m.StatOf("/a/b/c").data_length, 0u);
  EXPECT_EQ(m.StatOf("/a/b/c/d").ephemeral_owner, c.id());
  EXPECT_THAT(m.TakeEvents(), ElementsAre("3.0 created /a/b ''", "3.1 created /a/b/c ''", "3.2 created /a/b/c/d 'data'"));
  EXPECT_EQ(c.Create({"/a/b/c/d", "", false, false, true}).code, Code::kNodeExists);
  EXPECT_EQ(c.Create({"/x/y/z-", "", false, true, true}).path, "/x/y/z-0000000000");
}

TEST(Writes, LimitsAreRefusedAndNotCut) {
  Options options;
  options.data_bytes_max = 10;
  options.path_bytes_max = 20;
  Machine m(options);
  EXPECT_EQ(m.Create("/a", "0123456789").code, Code::kOk);
  EXPECT_EQ(m.Create("/b", "0123456789x").code, Code::kTooLarge);
  EXPECT_EQ(m.Set("/a", "0123456789x").code, Code::kTooLarge);
  EXPECT_EQ(m.Create("/" + std::string(19, 'p')).code, Code::kOk);
  EXPECT_EQ(m.Create("/" + std::string(20, 'p')).code, Code::kTooLarge);
  EXPECT_EQ(m.Unary(EncodeCreate({}, {"/123456789", "", false, true})).code, Code::kOk);
  EXPECT_EQ(m.Unary(EncodeCreate({}, {"/1234567890", "", false, true})).code, Code::kTooLarge) << "with its sequence number";
  EXPECT_EQ(m.Delete("/" + std::string(20, 'p')).code, Code::kTooLarge);
}

TEST(Writes, FullTreeRefusesGrowthWhileDeletesReadsAndShrinkingWork) {
  Options options;
  options.tree_bytes_max = 3 * Tree::kNodeBytes + 20;  // the root and two more
  Machine m(options);
  EXPECT_EQ(m.Create("/a", "0123456789").code, Code::kOk);
  EXPECT_EQ(m.Create("/b").code, Code::kOk);
  EXPECT_EQ(m.Create("/c").code, Code::kResourceExhausted);
  EXPECT_EQ(m.Set("/b", "012345678").code, Code::kResourceExhausted);
  EXPECT_EQ(m.Set("/b", "01234567").code, Code::kOk) << "exactly full";
  EXPECT_EQ(m.Set("/a", "9876543210").code, Code::kOk) << "does not grow";
  EXPECT_EQ(m.Read(EncodeGet({.id = 1}, "/a")).data, "9876543210");
  EXPECT_EQ(m.Unary(EncodeCreate({}, {"/x/y", "", false, false, true})).code, Code::kResourceExhausted);
  EXPECT_FALSE(m.Has("/x"));
  EXPECT_EQ(m.Set("/a", "").code, Code::kOk);
  EXPECT_EQ(m.Delete("/a").code, Code::kOk);
  EXPECT_EQ(m.Create("/c").code, Code::kOk);
}

TEST(Writes, EventsTellTheNodeAfterAChangeAndBeforeADeletion) {
  Machine m;
  m.Create("/a", "one");
  m.Set("/a", "two");
  m.Delete("/a");
  EXPECT_THAT(m.TakeEvents(), ElementsAre("1.0 created /a 'one'", "2.0 changed /a 'two'", "3.0 deleted /a ''"));
  EXPECT_EQ(DecodeEvent(m.events[1].encoded(true)).stat.version, 1u);
  EXPECT_EQ(DecodeEvent(m.events[2].encoded(true)).stat.version, 1u);
  EXPECT_EQ(DecodeEvent(m.events[2].encoded(true)).stat.mzxid, base::Zxid(2));
  EXPECT_EQ(DecodeEvent(m.events[1].encoded(false)).data, "");
  EXPECT_EQ(m.events[1].path(), "/a");
}

TEST(Writes, MalformedOperationsAreRefused) {
  Machine m;
  std::string request;
  base::WireWriter(&request).BytesAlways(10, "\x0a\x7f");  // a Create whose path is cut
  EXPECT_EQ(m.Unary(request).code, Code::kInvalidArgument);
  EXPECT_EQ(m.Unary("").code, Code::kInvalidArgument) << "no operation at all";
  EXPECT_EQ(m.Unary("\x0a").code, Code::kInvalidArgument) << "no request";
  EXPECT_EQ(m.Unary(EncodeGet({}, "/")).code, Code::kInvalidArgument) << "a read";
}

// ---- transactions ----

TEST(Transactions, AreOneZxidAndTheirEventsAreNumberedThrough) {
  Machine m;
  TransactionBuilder t;
  t.Then(CreateView{"/a", "1"}).Then(CreateView{"/a/b", "2"}).Then(SetView{"/a", "3"}).Then(DeleteView{"/a/b"});
  const DecodedAnswer answer = m.Unary(t.Encode({}));
  EXPECT_EQ(answer.code, Code::kOk);
  EXPECT_TRUE(answer.succeeded);
  EXPECT_EQ(answer.zxid, 1u);
  ASSERT_EQ(answer.results.size(), 4u);
  EXPECT_EQ(answer.results[0].path, "/a");
  EXPECT_EQ(answer.results[1].path, "/a/b");
  EXPECT_EQ(answer.results[2].stat.version, 1u);
  EXPECT_EQ(answer.results[2].stat.num_children, 1u) << "sees the operations before it";
  EXPECT_EQ(answer.results[3].path, "");
  EXPECT_THAT(m.TakeEvents(),
              ElementsAre("1.0 created /a '1'", "1.1 created /a/b '2'", "1.2 changed /a '3'", "1.3 deleted /a/b ''"));
}

TEST(Transactions, RefusedMiddleOperationUndoesAll) {
  Machine m;
  Client c(&m);
  m.Create("/keep", "kept");
  m.Create("/keep/child");
  c.Create({"/e", "mine", true});
  m.TakeEvents();
  const std::uint64_t digest = m->Digest();
  TransactionBuilder t;
  t.Then(CreateView{"/a/b/c", "", false, false, true})
      .Then(SetView{"/keep", "changed"})
      .Then(SetView{"/keep", "again"})
      .Then(DeleteView{"/keep/child"})
      .Then(DeleteView{"/keep"})
      .Then(DeleteView{"/e"})
      .Then(CreateView{"/e", "other"})
      .Then(CreateView{"/q", "", false, true})
      .Then(DeleteView{"/missing"})
      .Then(CreateView{"/never"});
  const DecodedAnswer answer = m.Unary(t.Encode({.id = 5}));
  EXPECT_EQ(answer.code, Code::kNoNode);
  EXPECT_EQ(answer.id, 5u);
  EXPECT_TRUE(answer.has_transaction);
  EXPECT_TRUE(answer.succeeded) << "the compares held";
  ASSERT_EQ(answer.results.size(), 10u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(answer.results[i].code, Code::kRolledBack) << i;
  EXPECT_EQ(answer.results[8].code, Code::kNoNode);
  EXPECT_EQ(answer.results[9].code, Code::kNotTried);
  EXPECT_EQ(m->Digest(), digest);
  EXPECT_THAT(m.TakeEvents(), IsEmpty());
  EXPECT_EQ(m.Create("/next").zxid, answer.zxid + 1);
}

TEST(Transactions, ComparesChooseTheBranch) {
  Machine m;
  m.Create("/a");
  const auto run = [&](std::uint64_t czxid) {
    TransactionBuilder t;
    t.Compare({"/a", CompareField::kCzxid, CompareRelation::kEqual, czxid});
    t.Then(SetView{"/a", "then"}).Otherwise(SetView{"/a", "otherwise"});
    return m.Unary(t.Encode({}));
  };
  EXPECT_TRUE(run(1).succeeded);
  EXPECT_EQ(m.Read(EncodeGet({}, "/a")).data, "then");
  const DecodedAnswer other = run(2);
  EXPECT_FALSE(other.succeeded);
  EXPECT_EQ(other.code, Code::kOk);
  EXPECT_EQ(m.Read(EncodeGet({}, "/a")).data, "otherwise");
}

TEST(Transactions, AnEmptyBranchIsAWriteToo) {
  Machine m;
  TransactionBuilder t;
  t.Compare({"/a", CompareField::kExists, CompareRelation::kEqual, 1}).Then(CreateView{"/b"});
  const DecodedAnswer answer = m.Unary(t.Encode({}));
  EXPECT_EQ(answer.code, Code::kOk);
  EXPECT_FALSE(answer.succeeded);
  EXPECT_TRUE(answer.results.empty());
  EXPECT_EQ(answer.zxid, 1u);
  EXPECT_THAT(m.TakeEvents(), IsEmpty());
}

TEST(Transactions, EveryFieldAndRelationCompares) {
  Machine m;
  Client c(&m);  // zxid 1
  m.now_ms = 1500;
  m.Create("/p", "abc");  // 2
  m.Create("/p/x");       // 3
  m.Create("/p/y");       // 4
  m.Delete("/p/y");       // 5
  m.now_ms = 2500;
  m.Set("/p", "abcd");         // 6
  c.Create({"/e", "", true});  // 7
  struct Case {
    const char* path;
    CompareField field;
    std::uint64_t value;
  };
  for (const Case& is :
       {Case{"/p", CompareField::kExists, 1}, Case{"/p", CompareField::kCzxid, 2}, Case{"/p", CompareField::kMzxid, 6},
        Case{"/p", CompareField::kPzxid, 5}, Case{"/p", CompareField::kVersion, 1}, Case{"/p", CompareField::kCversion, 3},
        Case{"/e", CompareField::kEphemeralOwner, c.id().value}, Case{"/p", CompareField::kDataLength, 4},
        Case{"/p", CompareField::kNumChildren, 1}, Case{"/p", CompareField::kCtime, 1500}, Case{"/p", CompareField::kMtime, 2500},
        Case{"/p", CompareField::kAversion, 0}, Case{"/p", CompareField::kEphemeralOwner, 0},
        Case{"/missing", CompareField::kExists, 0}}) {
    const auto holds = [&](CompareRelation relation, std::uint64_t value) {
      TransactionBuilder t;
      const DecodedAnswer answer = m.Unary(t.Compare({is.path, is.field, relation, value}).Encode({}));
      EXPECT_EQ(answer.code, Code::kOk);
      return answer.succeeded;
    };
    SCOPED_TRACE(testing::Message() << is.path << " field " << static_cast<int>(is.field));
    EXPECT_TRUE(holds(CompareRelation::kEqual, is.value));
    EXPECT_FALSE(holds(CompareRelation::kEqual, is.value + 1));
    EXPECT_FALSE(holds(CompareRelation::kNotEqual, is.value));
    EXPECT_TRUE(holds(CompareRelation::kNotEqual, is.value + 1));
    EXPECT_TRUE(holds(CompareRelation::kLess, is.value + 1));
    EXPECT_FALSE(holds(CompareRelation::kLess, is.value));
    EXPECT_FALSE(holds(CompareRelation::kGreater, is.value));
    if (is.value > 0) {
      EXPECT_TRUE(holds(CompareRelation::kGreater, is.value - 1));
    }
  }
}

TEST(Transactions, AMissingNodeHasNoFieldButExists) {
  Machine m;
  for (const CompareRelation relation :
       {CompareRelation::kEqual, CompareRelation::kNotEqual, CompareRelation::kLess, CompareRelation::kGreater}) {
    for (const std::uint64_t value : {0u, 1u}) {
      TransactionBuilder t;
      t.Compare({"/missing", CompareField::kVersion, relation, value});
      EXPECT_FALSE(m.Unary(t.Encode({})).succeeded);
    }
  }
}

TEST(Transactions, NonsenseIsRefusedWhole) {
  Options options;
  options.operations_max = 3;
  options.transaction_bytes_max = 100;
  Machine m(options);
  const auto code = [&](const TransactionBuilder& t) {
    const DecodedAnswer answer = m.Unary(t.Encode({}));
    return answer.code;
  };
  EXPECT_EQ(code(TransactionBuilder().Compare({"/a", CompareField::kUnspecified})), Code::kInvalidArgument);
  EXPECT_EQ(code(TransactionBuilder().Compare({"/a", static_cast<CompareField>(13)})), Code::kInvalidArgument);
  EXPECT_EQ(code(TransactionBuilder().Compare({"/a", CompareField::kExists, static_cast<CompareRelation>(4)})),
            Code::kInvalidArgument);
  EXPECT_EQ(code(TransactionBuilder().Compare({"a", CompareField::kExists})), Code::kInvalidArgument);
  TransactionBuilder many;
  many.Then(CreateView{"/1"}).Then(CreateView{"/2"}).Then(CreateView{"/3"});
  EXPECT_EQ(code(many), Code::kOk);
  EXPECT_EQ(code(many.Then(CreateView{"/4"})), Code::kTooLarge);
  EXPECT_EQ(code(TransactionBuilder().Then(CreateView{"/5", std::string(100, 'x')})), Code::kTooLarge);
  std::string empty_operation;
  base::WireWriter(&empty_operation).BytesAlways(13, absl::string_view("\x12\x00", 2));
  const DecodedAnswer answer = m.Unary(empty_operation);
  EXPECT_EQ(answer.code, Code::kInvalidArgument);
  ASSERT_EQ(answer.results.size(), 1u);
}

TEST(Transactions, SessionsEphemeralsMayBeMadeInOne) {
  Machine m;
  Client c(&m);
  TransactionBuilder t;
  t.Then(CreateView{"/x", "", true}).Then(CreateView{"/x/y"});
  const DecodedAnswer refused = c.Transact(t);
  EXPECT_EQ(refused.code, Code::kNoChildrenForEphemerals);
  EXPECT_FALSE(m.Has("/x"));
  TransactionBuilder fine;
  fine.Then(CreateView{"/b", "", true}).Then(CreateView{"/a", "", true});
  EXPECT_EQ(c.Transact(fine).code, Code::kOk);
  m.TakeEvents();
  c.Close();
  EXPECT_THAT(m.TakeEvents(), ElementsAre("3.0 deleted /a ''", "3.1 deleted /b ''")) << "one zxid: by path";
}

TEST(Transactions, AFailedCheckUndoesAll) {
  Machine m;
  m.Create("/a");
  m.Set("/a", "1");
  TransactionBuilder right;
  right.ThenCheck({"/a", 2}).ThenCheck({"/a"}).ThenCheck({"/", 1}).Then(CreateView{"/b"});
  EXPECT_EQ(m.Unary(right.Encode({})).code, Code::kOk);
  TransactionBuilder wrong;
  wrong.Then(CreateView{"/c"}).ThenCheck({"/a", 1});
  const DecodedAnswer version = m.Unary(wrong.Encode({}));
  EXPECT_EQ(version.code, Code::kBadVersion);
  ASSERT_EQ(version.results.size(), 2u);
  EXPECT_EQ(version.results[0].code, Code::kRolledBack);
  EXPECT_EQ(version.results[1].code, Code::kBadVersion);
  TransactionBuilder missing;
  missing.Then(CreateView{"/c"}).ThenCheck({"/x"});
  EXPECT_EQ(m.Unary(missing.Encode({})).code, Code::kNoNode);
  EXPECT_FALSE(m.Has("/c"));
  TransactionBuilder seen;
  seen.Then(CreateView{"/c"}).ThenCheck({"/c", 1});
  EXPECT_EQ(m.Unary(seen.Encode({})).code, Code::kOk) << "it sees the operations before it";
}

TEST(Writes, IfAbsentTakesTheNodeThatIsThereAsItIs) {
  Machine m;
  CreateView create{"/a", "first"};
  create.if_absent = true;
  const DecodedAnswer made = m.Unary(EncodeCreate({}, create));
  EXPECT_EQ(made.code, Code::kOk);
  EXPECT_FALSE(made.existed);
  m.Set("/a", "other");
  m.TakeEvents();
  const DecodedAnswer there = m.Unary(EncodeCreate({}, create));
  EXPECT_EQ(there.code, Code::kOk);
  EXPECT_TRUE(there.existed);
  EXPECT_EQ(there.path, "/a");
  EXPECT_EQ(there.stat, m.StatOf("/a"));
  EXPECT_EQ(there.stat.version, 1u);
  EXPECT_THAT(m.TakeEvents(), IsEmpty());
  create.path = "/";
  EXPECT_TRUE(m.Unary(EncodeCreate({}, create)).existed);
  create.path = "/x/y";
  EXPECT_EQ(m.Unary(EncodeCreate({}, create)).code, Code::kNoNode);
  create.parents = true;
  EXPECT_FALSE(m.Unary(EncodeCreate({}, create)).existed);
  TransactionBuilder t;
  t.Then(create).Then(CreateView{"/z"});
  const DecodedAnswer both = m.Unary(t.Encode({}));
  ASSERT_EQ(both.results.size(), 2u);
  EXPECT_TRUE(both.results[0].existed);
  EXPECT_FALSE(both.results[1].existed);
  create.sequential = true;
  EXPECT_EQ(m.Unary(EncodeCreate({}, create)).code, Code::kInvalidArgument);
}

TEST(Subtrees, GoAsOneTransactionChildrenFirst) {
  Machine m;
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/d", "/ab"}) m.Create(path);
  m.Set("/a", "x");
  m.TakeEvents();
  EXPECT_EQ(m.Unary(EncodeDeleteSubtree({}, {"/a", 1})).code, Code::kBadVersion);
  const DecodedAnswer answer = m.Unary(EncodeDeleteSubtree({}, {"/a", 2}));
  EXPECT_EQ(answer.code, Code::kOk);
  EXPECT_EQ(answer.count, 4u);
  EXPECT_THAT(m.TakeEvents(),
              ElementsAre("7.0 deleted /a/d ''", "7.1 deleted /a/b/c ''", "7.2 deleted /a/b ''", "7.3 deleted /a ''"));
  EXPECT_TRUE(m.Has("/ab"));
  EXPECT_EQ(m.Unary(EncodeDeleteSubtree({}, {"/a"})).code, Code::kNoNode);
  EXPECT_EQ(m.Unary(EncodeDeleteSubtree({}, {"/"})).code, Code::kInvalidArgument);
  EXPECT_EQ(m.Unary(EncodeDeleteSubtree({}, {"/a/"})).code, Code::kInvalidArgument);
}

TEST(Subtrees, TooLargeOnesAreRefusedAndSoAreManyInOneTransaction) {
  Options options;
  options.subtree_nodes_max = 5;
  Machine m(options);
  m.Create("/a");
  for (int i = 0; i < 5; ++i) m.Create("/a/" + std::to_string(i));
  EXPECT_EQ(m.Unary(EncodeDeleteSubtree({}, {"/a"})).code, Code::kTooLarge);
  m.Delete("/a/4");
  m.Create("/b");
  TransactionBuilder t;
  t.ThenDeleteSubtree({"/a"}).ThenDeleteSubtree({"/b"});
  const std::uint64_t digest = m->Digest();
  EXPECT_EQ(m.Unary(t.Encode({})).code, Code::kTooLarge);
  EXPECT_EQ(m->Digest(), digest) << "all that was deleted is there again";
  EXPECT_EQ(m.Unary(EncodeDeleteSubtree({}, {"/a"})).count, 5u);
  EXPECT_EQ(m.Unary(EncodeDeleteSubtree({}, {"/b"})).count, 1u) << "each write has its own limit";
}

TEST(Subtrees, EphemeralsGoWithThem) {
  Machine m;
  Client c(&m);
  m.Create("/a");
  c.Create({"/a/e", "", true});
  TransactionBuilder t;
  t.ThenDeleteSubtree({"/a"}).Then(CreateView{"/a"});
  const DecodedAnswer answer = c.Transact(t);
  ASSERT_EQ(answer.results.size(), 2u);
  EXPECT_EQ(answer.results[0].count, 2u);
  EXPECT_FALSE(m.Has("/a/e"));
  EXPECT_EQ(c.Close().code, Code::kOk);
}

// As a program answers that does not know the operation.
TEST(Subtrees, BelowTheirLevelThereAreNone) {
  Machine m(Options(), base::kLevelInConfigurations);
  m.Create("/a");
  EXPECT_EQ(m.Unary(EncodeDeleteSubtree({}, {"/a"})).code, Code::kInvalidArgument);
  for (const bool check : {true, false}) {
    TransactionBuilder t;
    check ? t.ThenCheck({"/a"}) : t.ThenDeleteSubtree({"/a"});
    EXPECT_EQ(m.Unary(t.Encode({})).code, Code::kInvalidArgument);
  }
  CreateView create{"/a"};
  create.if_absent = true;
  EXPECT_EQ(m.Unary(EncodeCreate({}, create)).code, Code::kNodeExists);
  EXPECT_TRUE(m.Has("/a"));
}

}  // namespace
}  // namespace drover::coord::tree
