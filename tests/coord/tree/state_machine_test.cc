// Sessions, numbering, zxids and time as a batch meets them.
#include "coord/tree/state_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "coord/base/wire.h"
#include "coord/tree/acl.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string NumberedCreate(std::uint64_t number, absl::string_view path) {
  return EncodeCreate({.number = number}, {path});
}

TEST(StateMachine, SessionIdIsTheZxidOfItsOpening) {
  Machine m;
  m.Create("/a");
  const base::SessionId id = m.Open(10'000, 250, "me");
  EXPECT_EQ(id, base::SessionId(2));
  EXPECT_EQ(m->last_zxid(), base::Zxid(2));
  const Session* session = m->sessions().Find(id);
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->timeout_ms(), 10'000u);
  EXPECT_EQ(session->disconnect_grace_ms(), 250u);
  EXPECT_EQ(session->name(), "me");
  EXPECT_TRUE(session->SecretIs("0123456789abcdef"));
  EXPECT_EQ(m.Create("/b").zxid, 3u);
}

TEST(StateMachine, ACommandThatOnlyANewerProgramKnowsIsNeitherAppliedNorLeftOut) {
  Machine m;
  m.Create("/a");
  std::string command;
  base::WireWriter(&command).BytesAlways(19, "what is this?");
  std::string batch;
  base::WireWriter out(&batch);
  out.Varint(1, 5'000);
  out.BytesAlways(2, command);
  BatchView view;
  ASSERT_TRUE(BatchView::Parse(batch, &view));
  EXPECT_FALSE(view.OnlyKnownCommands());
  const absl::Status refused = m->Apply(Machine::kTerm, batch, m.sink());
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnimplemented) << refused;
  EXPECT_EQ(m->last_zxid(), base::Zxid(1));
}

TEST(StateMachine, TimeOutsAreClamped) {
  Machine m;
  EXPECT_EQ(m->sessions().Find(m.Open(0))->timeout_ms(), 6000u);
  EXPECT_EQ(m->sessions().Find(m.Open(1))->timeout_ms(), 500u);
  EXPECT_EQ(m->sessions().Find(m.Open(1'000'000))->timeout_ms(), 300'000u);
  EXPECT_EQ(m->sessions().Find(m.Open(1000, 5000))->disconnect_grace_ms(), 1000u);
}

TEST(StateMachine, OpeningsThatMakeNoSenseAreRefused) {
  Options options;
  options.sessions_max = 1;
  Machine m(options);
  const auto open = [&](absl::string_view secret, absl::string_view name) {
    BatchBuilder batch{base::WallTime(1)};
    batch.AddOpen({}, {secret, 0, 0, name});
    m.Apply(batch.Finish());
    return m.answers.back().code;
  };
  EXPECT_EQ(open("short", ""), Code::kInvalidArgument);
  EXPECT_EQ(open("0123456789abcdef", std::string(129, 'n')), Code::kInvalidArgument);
  EXPECT_EQ(open("0123456789abcdef", "\xff"), Code::kInvalidArgument);
  EXPECT_EQ(m->last_zxid(), base::Zxid(0));
  EXPECT_EQ(open("0123456789abcdef", std::string(128, 'n')), Code::kOk);
  EXPECT_EQ(open("0123456789abcdef", ""), Code::kResourceExhausted);
  EXPECT_EQ(m.opened.size(), 1u);
}

TEST(StateMachine, ResentWriteGetsItsFirstAnswerByteForByte) {
  Machine m;
  const base::SessionId s = m.Open();
  m.Write(s, 0, NumberedCreate(1, "/a"));
  const base::Bytes first = m.answers.back().bytes;
  m.Write(s, 0, NumberedCreate(2, "/b"));
  m.Delete("/a");
  const std::uint64_t digest = m->Digest();
  m.TakeEvents();
  const DecodedAnswer again = m.Write(s, 0, NumberedCreate(1, "/a"));
  EXPECT_EQ(again.code, Code::kOk);
  EXPECT_EQ(m.answers.back().bytes, first);
  EXPECT_FALSE(m.Has("/a")) << "it was not applied again";
  EXPECT_EQ(m->Digest(), digest);
  EXPECT_THAT(m.TakeEvents(), IsEmpty());
}

TEST(StateMachine, InvalidWriteIsANumberedWriteWithAKeptAnswer) {
  Machine m;
  const base::SessionId s = m.Open();
  EXPECT_EQ(m.Write(s, 0, NumberedCreate(1, "no path")).code, Code::kInvalidArgument);
  EXPECT_EQ(m->sessions().Find(s)->last_write(), 1u);
  m.Create("/no");
  EXPECT_EQ(m.Write(s, 0, NumberedCreate(1, "/fine")).code, Code::kInvalidArgument) << "the answer that number 1 got";
  EXPECT_EQ(m.Write(s, 0, NumberedCreate(2, "/no")).code, Code::kNodeExists);
  EXPECT_EQ(m.Write(s, 0, EncodeGet({.number = 3}, "/")).code, Code::kInvalidArgument) << "a read as a write";
  std::string malformed;
  base::WireWriter out(&malformed);
  out.Varint(1, 4);
  out.BytesAlways(10, "\x0a\x7f");
  EXPECT_EQ(m.Write(s, 0, malformed).code, Code::kInvalidArgument);
  EXPECT_EQ(m->sessions().Find(s)->last_write(), 4u);
}

TEST(StateMachine, OutOfOrderAndUnnumberedWritesHaveNoEffect) {
  Machine m;
  const base::SessionId s = m.Open();
  const std::uint64_t digest = m->Digest();
  EXPECT_EQ(m.Write(s, 0, NumberedCreate(2, "/a")).code, Code::kOutOfOrder);
  EXPECT_EQ(m.Write(s, 0, NumberedCreate(0, "/a")).code, Code::kInvalidArgument);
  EXPECT_EQ(m.Write(s, 0, "\x0a").code, Code::kInvalidArgument) << "bytes that are no request";
  EXPECT_EQ(m->Digest(), digest);
  EXPECT_EQ(m.Write(s, 0, NumberedCreate(1, "/a")).code, Code::kOk);
}

TEST(StateMachine, SeenMarkIsAppliedBeforeTheWriteBesideIt) {
  Options options;
  options.window_max = 2;
  Machine m(options);
  const base::SessionId s = m.Open();
  m.Write(s, 0, NumberedCreate(1, "/1"));
  m.Write(s, 0, NumberedCreate(2, "/2"));
  const DecodedAnswer full = m.Write(s, 0, NumberedCreate(3, "/3"));
  EXPECT_EQ(full.code, Code::kWindowFull);
  EXPECT_EQ(full.number, 3u);
  EXPECT_EQ(m->sessions().Find(s)->last_write(), 2u) << "the number is not used up";
  EXPECT_FALSE(m.Has("/3"));
  EXPECT_EQ(m.Write(s, 1, NumberedCreate(3, "/3")).code, Code::kOk);
  EXPECT_EQ(m.Write(s, 0, NumberedCreate(1, "/1")).code, Code::kOutOfOrder) << "seen, so forgotten";
  EXPECT_EQ(m.Write(s, 0, NumberedCreate(2, "/2")).code, Code::kOk) << "unseen, so kept";
}

TEST(StateMachine, WindowIsFullBySizeToo) {
  Options options;
  options.kept_bytes_max = 1;
  Machine m(options);
  const base::SessionId s = m.Open();
  EXPECT_EQ(m.Write(s, 0, NumberedCreate(1, "/1")).code, Code::kOk);
  EXPECT_EQ(m.Write(s, 0, NumberedCreate(2, "/2")).code, Code::kWindowFull);
  EXPECT_EQ(m.Write(s, 0, NumberedCreate(1, "/1")).code, Code::kOk) << "kept answers are given all the same";
  EXPECT_EQ(m.Write(s, 1, NumberedCreate(2, "/2")).code, Code::kOk);
}

TEST(StateMachine, CloseDeletesEphemeralsInOneTransactionInOrderOfCreation) {
  Machine m;
  Client c(&m);
  Client other(&m);
  c.Create({"/z", "1", true});
  other.Create({"/o", "", true});
  c.Create({"/a", "2", true});
  c.Create({"/stays", ""});
  m.TakeEvents();
  m.order.clear();
  const DecodedAnswer closed = c.Close();
  EXPECT_EQ(closed.code, Code::kOk);
  EXPECT_EQ(closed.number, 4u);
  EXPECT_EQ(closed.zxid, 7u);
  EXPECT_THAT(m.TakeEvents(), ElementsAre("7.0 deleted /z ''", "7.1 deleted /a ''"));
  EXPECT_THAT(m.order, ElementsAre("events", "answer", "ended"));
  EXPECT_TRUE(m.Has("/stays"));
  EXPECT_TRUE(m.Has("/o"));
  EXPECT_EQ(m.Write(c.id(), 0, EncodeCloseSession({.number = 4})).code, Code::kSessionExpired);
  EXPECT_EQ(m.ended.size(), 1u);
}

TEST(StateMachine, ExpiryIsVoidUnlessItsTermIsTheEntrys) {
  Machine m;
  Client c(&m);
  c.Create({"/e", "", true});
  m.Expire({c.id()}, raft::Term(6));
  EXPECT_TRUE(m.Has("/e"));
  EXPECT_NE(m->sessions().Find(c.id()), nullptr);
  m.Expire({c.id()}, Machine::kTerm);
  EXPECT_FALSE(m.Has("/e"));
  EXPECT_EQ(m->sessions().Find(c.id()), nullptr);
  ASSERT_EQ(m.ended.size(), 1u);
  EXPECT_EQ(m.ended[0].second, SessionEnd::kExpired);
}

TEST(StateMachine, EachExpiredSessionIsATransactionOfItsOwnAndHappensOnce) {
  Machine m;
  Client a(&m);
  Client b(&m);
  a.Create({"/a", "", true});
  b.Create({"/b", "", true});
  m.TakeEvents();
  m.Expire({b.id(), a.id(), b.id(), base::SessionId(99)});
  EXPECT_THAT(m.TakeEvents(), ElementsAre("5.0 deleted /b ''", "6.0 deleted /a ''"));
  EXPECT_EQ(m->last_zxid(), base::Zxid(6)) << "the repeated and the unknown one took none";
  EXPECT_EQ(m.ended.size(), 2u);
  EXPECT_EQ(m.Write(a.id(), 0, NumberedCreate(2, "/x")).code, Code::kSessionExpired);
}

TEST(StateMachine, SessionWithoutEphemeralsEndsWithoutEventsButWithAZxid) {
  Machine m;
  Client c(&m);
  c.Close();
  EXPECT_THAT(m.TakeEvents(), IsEmpty());
  EXPECT_EQ(m->last_zxid(), base::Zxid(2));
}

TEST(StateMachine, UnaryWritesEchoTheirIdAndCannotClose) {
  Machine m;
  const DecodedAnswer answer = m.Unary(EncodeCreate({.number = 9, .id = 33}, {"/a"}));
  EXPECT_EQ(answer.code, Code::kOk);
  EXPECT_EQ(answer.id, 33u);
  EXPECT_EQ(answer.number, 0u);
  EXPECT_EQ(m.Unary(EncodeCloseSession({})).code, Code::kInvalidArgument);
}

TEST(StateMachine, TimeNeverGoesBack) {
  Machine m;
  m.now_ms = 5000;
  m.Create("/a");
  m.now_ms = 3000;
  m.Create("/b");
  EXPECT_EQ(m.StatOf("/b").ctime, base::WallTime(5000));
  m.now_ms = 6000;
  m.Create("/c");
  EXPECT_EQ(m.StatOf("/c").ctime, base::WallTime(6000));
}

TEST(StateMachine, SinkHearsOfEachCommandInOrder) {
  Machine m;
  Client c(&m);
  BatchBuilder batch{base::WallTime(1)};
  batch.AddRequest({base::NodeId(1), base::BootNonce(1), 1}, c.id(), 0, EncodeCreate({.number = 1}, {"/e", "", true}));
  batch.AddRequest({base::NodeId(2), base::BootNonce(1), 2}, {}, 0, EncodeDelete({}, {"/missing"}));
  batch.AddOpen({base::NodeId(3), base::BootNonce(1), 3}, {"0123456789abcdef", 0, 0, ""});
  batch.AddExpire(Machine::kTerm, {c.id()});
  batch.AddRequest({base::NodeId(1), base::BootNonce(1), 4}, c.id(), 0, EncodeCreate({.number = 2}, {"/x"}));
  EXPECT_EQ(batch.count(), 5u);
  m.order.clear();
  m.answers.clear();
  m.Apply(batch.Finish());
  EXPECT_THAT(m.order, ElementsAre("events", "answer", "answer", "answer", "opened", "events", "ended", "answer"));
  ASSERT_EQ(m.answers.size(), 4u);
  EXPECT_EQ(m.answers[0].origin.node, base::NodeId(1));
  EXPECT_EQ(m.answers[1].origin.tag, 2u);
  EXPECT_EQ(m.answers[1].code, Code::kNoNode);
  EXPECT_EQ(m.answers[2].origin.node, base::NodeId(3));
  EXPECT_EQ(m.answers[3].code, Code::kSessionExpired);
  EXPECT_EQ(m.events.front().session(), c.id());
}

TEST(StateMachine, MalformedBatchesAreToldAndLeaveAWholeState) {
  Machine m;
  BatchBuilder batch{base::WallTime(1)};
  batch.AddRequest({}, {}, 0, EncodeCreate({}, {"/a"}));
  const std::string good = batch.Finish().ToString();
  EXPECT_FALSE(m->Apply(Machine::kTerm, good + "\x12\x7f", &m).ok());
  EXPECT_TRUE(m.Has("/a")) << "what came before it was applied";
  EXPECT_FALSE(m->Apply(Machine::kTerm, "\x12\x02\x0a\x7f", &m).ok());
}

TEST(StateMachine, DigestSeesEveryPartOfTheState) {
  std::vector<std::uint64_t> digests;
  const auto add = [&](auto&& change) {
    Machine m;
    m.Create("/a", "x");
    change(m);
    for (const std::uint64_t other : digests) EXPECT_NE(m->Digest(), other) << digests.size();
    digests.push_back(m->Digest());
  };
  add([](Machine&) {});
  add([](Machine& m) { m.Set("/a", "y"); });
  add([](Machine& m) { m.Create("/b", "x"); });
  add([](Machine& m) { m.Create("/a/b", "x"); });
  add([](Machine& m) { m.Open(); });
  add([](Machine& m) { m.Open(1000); });
  add([](Machine& m) { m.Open(0, 100); });
  add([](Machine& m) { m.Open(0, 0, "other"); });
  add([](Machine& m) { m.Write(m.Open(), 0, NumberedCreate(1, "no path")); });
  add([](Machine& m) {
    const base::SessionId s = m.Open();
    m.Write(s, 0, NumberedCreate(1, "no path"));
    m.Write(s, 1, NumberedCreate(7, "/x"));
  });
  add([](Machine& m) {
    m.now_ms = 2000;
    m.Delete("/missing");
  });
  for (const std::uint32_t permissions : {1u, 3u}) {
    add([permissions](Machine& m) {
      const Acl acl({{permissions, "world", "anyone"}});
      m.Unary(EncodeSetAcl({}, {"/a", acl.encoded()}));
    });
  }
  add([](Machine& m) { m.Unary(EncodeSetQuota({}, {"/a", 10, 0})); });
  add([](Machine& m) { m.Unary(EncodeSetQuota({}, {"/a", 0, 10})); });
  add([](Machine& m) { m.Write(m.Open(), 0, EncodeAuthenticate({1, 0, false}, {"digest", "ann:hash"})); });
}

}  // namespace
}  // namespace drover::coord::tree
