#include "coord/server/node.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
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

class NodeTest : public ::testing::Test {
 protected:
  void Run(base::Duration duration) { core_.world.RunFor(duration); }
  [[nodiscard]] std::size_t sessions() const { return core_.node->Status().sessions; }
  [[nodiscard]] bool Exists(const std::string& path) const { return core_.node->state().tree().Find(path) != nullptr; }

  SimCore core_;
};

TEST_F(NodeTest, ARestartRecoversWhatWasAcknowledged) {
  core_.Start();
  SimClient client(&core_, "client");
  client.Connect();
  std::uint64_t last = 0;
  for (int i = 0; i < 10; ++i) last = client.Create("/n" + std::to_string(i), "v");
  client.Flush();
  client.AwaitWrite(last);
  const std::uint64_t digest = core_.node->state().Digest();
  const NodeStatus before = core_.node->Status();
  for (const sim::Survival survival : {sim::Survival::kNothing, sim::Survival::kEverything, sim::Survival::kRandom}) {
    core_.Crash(survival);
    core_.Start();
    EXPECT_EQ(core_.node->state().Digest(), digest);
    Run(milliseconds(100));
  }
  const NodeStatus after = core_.node->Status();
  EXPECT_EQ(after.term.value, before.term.value + 3);
  EXPECT_EQ(after.cluster, before.cluster);
  EXPECT_EQ(after.last_zxid, before.last_zxid);
  EXPECT_TRUE(after.serving);
  client.Reconnect();
  EXPECT_EQ(client.grant->last_write(), last);
}

// A client that creates one sequential node after another and resends after each break, while the process dies before the n-th
// step of Perform, or at the n-th call of the disk. Whatever was acknowledged stays, nothing happens twice.
class CrashTest : public ::testing::TestWithParam<sim::Survival> {};

constexpr std::uint64_t kWrites = 6;

// Runs the schedule with a crash; true if the crash was reached.
bool RunWithCrash(std::uint64_t seed, sim::Survival survival, std::uint64_t step, std::uint64_t call) {
  SimCore core(seed);
  bool reached = false;
  std::uint64_t steps = 0;
  core.options.before_step = [&](PerformStep) { return ++steps != step || !(reached = true); };
  core.files.StopAtCall(call == 0 ? UINT64_MAX : call);
  absl::Status started = core.TryStart();
  SimClient client(&core, "client");
  std::map<std::uint64_t, std::string> acknowledged;
  bool dialed = false;
  const auto drive = [&] {
    if (!core.running()) return;
    if (!dialed || client.closed) {
      client.Dial();
      if (client.session == 0) {
        client.Open();
      } else {
        client.Resume();
      }
      dialed = true;
    }
  };
  // One write at a time, so that each crash falls into a known one.
  std::uint64_t sent = 0;
  bool resent = false;
  for (int turn = 0; turn < 4000 && acknowledged.size() < kWrites; ++turn) {
    const bool died = reached || core.files.fault_reached() || !started.ok();
    if (died) {
      core.options.before_step = nullptr;
      reached = false;
      core.Crash(survival);
      core.files.ClearFaults();
      core.Start();
      started = absl::OkStatus();
      resent = false;
      if (client.session == 0) client.closed = true;
      call = step = 0;
    }
    drive();
    core.world.RunFor(milliseconds(1));
    if (client.grant && !client.closed) {
      for (const auto& [number, answer] : client.write_answers) {
        EXPECT_EQ(answer.code(), v1::OK) << answer.message();
        const auto known = acknowledged.emplace(number, answer.path()).first;
        EXPECT_EQ(known->second, answer.path()) << "another answer to write " << number;
      }
      if (sent == acknowledged.size() && sent < kWrites) {
        sent = client.Create("/s-", "", false, true);
        client.Flush();
        resent = true;
      } else if (!resent && sent > acknowledged.size()) {
        client.Resend(sent);
        resent = true;
      }
    }
    if (client.closed) resent = false;
  }
  EXPECT_EQ(acknowledged.size(), kWrites) << "seed " << seed << " step " << step << " call " << call << " " << client.status;
  EXPECT_EQ(core.node->state().tree().node_count(), kWrites + 1) << "a write was lost or done twice";
  for (const auto& [number, path] : acknowledged) {
    EXPECT_NE(core.node->state().tree().Find(path), nullptr) << "lost: write " << number << " " << path;
  }
  return step == 0 && call == 0;
}

TEST_P(CrashTest, AcknowledgedWritesSurviveACrashBeforeAnyStep) {
  std::uint64_t step = 1;
  while (RunWithCrash(step, GetParam(), step, 0)) {
    ASSERT_FALSE(HasFailure());
    ++step;
  }
  EXPECT_GT(step, 30U);
}

TEST_P(CrashTest, AcknowledgedWritesSurviveACrashAtAnyCallOfTheDisk) {
  std::uint64_t call = 1;
  while (RunWithCrash(call, GetParam(), 0, call)) {
    ASSERT_FALSE(HasFailure());
    ++call;
  }
  EXPECT_GT(call, 20U);
}

INSTANTIATE_TEST_SUITE_P(Survivals, CrashTest,
                         ::testing::Values(sim::Survival::kNothing, sim::Survival::kEverything, sim::Survival::kRandom));

TEST_F(NodeTest, AFailedSyncEndsAllAcknowledgements) {
  core_.Start();
  SimClient client(&core_, "client");
  client.Connect();
  core_.files.FailNextSync(absl::InternalError("EIO"));
  client.Create("/a");
  client.Flush();
  Run(seconds(1));
  EXPECT_FALSE(core_.fatal.ok());
  client.Create("/b");
  client.Get("/");
  client.Contact();
  client.Flush();
  Run(seconds(20));
  EXPECT_TRUE(client.write_answers.empty());
  EXPECT_TRUE(client.read_answers.empty());
  EXPECT_EQ(client.acked_nonce, 0U);
  // The process ends; its successor finds out what the disk has.
  core_.Crash(sim::Survival::kNothing);
  core_.Start();
  client.Reconnect();
  client.Resend(1);
  EXPECT_EQ(client.AwaitWrite(2).code(), v1::OK);
}

// Fills the disk and has a write of `client` find it out.
class FullDiskTest : public NodeTest {
 protected:
  void SetUp() override {
    core_.Start();
    client_.Connect();
    client_.KeepContact(seconds(1));
    client_.AwaitWrite((client_.Create("/a", "x"), client_.Flush(), 1));
    core_.files.SetCapacity(core_.files.bytes());
    client_.Set("/a", std::string(200'000, 'y'));
    client_.Flush();
    ASSERT_TRUE(client_.RunUntil([this] { return core_.node->Status().disk_full; }));
  }
  absl::StatusOr<v1::Answer> Execute(const v1::Request& request) {
    std::optional<absl::StatusOr<base::Bytes>> answer;
    core_.node->Execute(base::Bytes::Adopt(request.SerializeAsString()),
                        [&](absl::StatusOr<base::Bytes> bytes) { answer = std::move(bytes); });
    EXPECT_TRUE(client_.RunUntil([&] { return answer.has_value(); }));
    if (!answer->ok()) return answer->status();
    v1::Answer decoded;
    EXPECT_TRUE(decoded.ParseFromString((*answer)->ToString()));
    return decoded;
  }

  SimClient client_{&core_, "client"};
};

TEST_F(FullDiskTest, ReadsAreServedLocalOrNot) {
  for (const bool local : {false, true}) {
    v1::Request get;
    get.set_local(local);
    get.mutable_get()->set_path("/a");
    const absl::StatusOr<v1::Answer> answer = Execute(get);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->data(), "x") << "the write that waits is not committed";
  }
  EXPECT_TRUE(core_.node->Status().serving);
}

TEST_F(FullDiskTest, WritesAndDeletesOutsideOfSessionsAreRefusedUntilThereIsSpace) {
  v1::Request write;
  write.mutable_create()->set_path("/b");
  v1::Request remove;
  remove.mutable_delete_()->set_path("/a");
  for (const v1::Request& request : {write, remove}) {
    EXPECT_EQ(Execute(request).status().code(), absl::StatusCode::kResourceExhausted);
  }
  core_.files.SetCapacity(UINT64_MAX);
  ASSERT_TRUE(client_.RunUntil([this] { return !core_.node->Status().disk_full; }));
  EXPECT_FALSE(Exists("/b")) << "refused means that nothing was done";
  EXPECT_TRUE(Execute(write).ok());
}

TEST_F(FullDiskTest, ASessionLivesOnAndItsWritesWaitInTheirOrder) {
  const std::uint64_t last = (client_.Set("/a", "1"), client_.Set("/a", "2"));
  client_.Flush();
  Run(seconds(20));
  EXPECT_EQ(client_.write_answers.size(), 1U) << "no answer is final before the write is";
  EXPECT_FALSE(client_.closed) << client_.status;
  EXPECT_EQ(sessions(), 1U);
  core_.files.SetCapacity(UINT64_MAX);
  for (std::uint64_t number = 2; number <= last; ++number) EXPECT_EQ(client_.AwaitWrite(number).code(), v1::OK);
  client_.AwaitRead((client_.Get("/a"), client_.Flush(), 1));
  EXPECT_EQ(client_.Read(1)->data(), "2");
  EXPECT_TRUE(core_.fatal.ok());
}

TEST_F(FullDiskTest, NoSessionIsOpenedButOneIsResumed) {
  SimClient other(&core_, "other");
  other.Dial();
  other.Open();
  ASSERT_TRUE(other.RunUntil([&] { return other.closed; }));
  EXPECT_EQ(other.status.code(), absl::StatusCode::kResourceExhausted) << other.status;
  EXPECT_THAT(std::string(other.status.message()), HasSubstr("disk"));
  client_.Reconnect();
  client_.AwaitRead((client_.Get("/a"), client_.Flush(), 1));
  EXPECT_EQ(client_.Read(1)->data(), "x");
  core_.files.SetCapacity(UINT64_MAX);
  ASSERT_TRUE(client_.RunUntil([this] { return !core_.node->Status().disk_full; }));
  other.Connect();
}

TEST_F(FullDiskTest, WhatWaitedIsNotLostInACrash) {
  core_.Crash(sim::Survival::kRandom);
  const absl::Status full = core_.TryStart();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted) << full;
  EXPECT_THAT(std::string(full.message()), HasSubstr("/data"));
  EXPECT_THAT(std::string(full.message()), HasSubstr("free some"));
  core_.files.SetCapacity(UINT64_MAX);
  core_.Start();
  client_.Reconnect();
  client_.Resend(2);
  EXPECT_EQ(client_.AwaitWrite(2).code(), v1::OK);
}

TEST_F(NodeTest, ReadsOfANewTermWaitForItsNoop) {
  core_.Start();
  Run(seconds(1));
  core_.Crash(sim::Survival::kNothing);
  core_.Start();
  core_.disk->Stall(seconds(3));
  bool answered = false;
  v1::Request get;
  get.mutable_get()->set_path("/");
  core_.node->Execute(base::Bytes::Adopt(get.SerializeAsString()), [&](absl::StatusOr<base::Bytes>) { answered = true; });
  EXPECT_FALSE(core_.node->Status().serving);
  Run(seconds(2));
  EXPECT_FALSE(answered);
  Run(seconds(2));
  EXPECT_TRUE(answered);
  EXPECT_TRUE(core_.node->Status().serving);
}

TEST_F(NodeTest, WritesBeyondTheUncommittedBoundWaitAndKeepTheirOrder) {
  core_.options.raft.uncommitted_bytes_max = 2'000;
  core_.options.batch_bytes = 500;
  core_.Start();
  SimClient client(&core_, "client");
  client.Connect();
  client.AwaitWrite((client.Create("/a", ""), client.Flush(), 1));  // credits
  core_.disk->Stall(seconds(2));
  std::uint64_t last = 0;
  for (int i = 0; i < 100; ++i) {
    last = client.Set("/a", std::to_string(i) + std::string(300, 'z'));
    client.Flush();
    Run(milliseconds(1));
    ASSERT_LE(core_.node->Status().uncommitted_bytes, 2'000U);
  }
  client.AwaitWrite(last);
  for (std::uint64_t n = 2; n <= last; ++n) {
    EXPECT_EQ(client.Written(n)->code(), v1::OK);
    EXPECT_GT(client.Written(n)->zxid(), client.Written(n - 1)->zxid());
  }
}

// ---- sessions ----

TEST_F(NodeTest, ASilentSessionExpiresAndItsEphemeralsGoWithIt) {
  core_.Start();
  SimClient client(&core_, "client");
  client.Connect(2'000);
  client.AwaitWrite((client.Create("/e", "", true), client.Flush(), 1));
  Run(milliseconds(1'900));
  EXPECT_TRUE(Exists("/e"));
  Run(milliseconds(300));
  EXPECT_FALSE(Exists("/e"));
  EXPECT_EQ(sessions(), 0U);
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(client.status.code(), absl::StatusCode::kNotFound);
}

TEST_F(NodeTest, ContactsKeepASessionAlive) {
  core_.Start();
  SimClient client(&core_, "client");
  client.Connect(2'000);
  client.KeepContact(milliseconds(600));
  Run(seconds(60));
  EXPECT_EQ(sessions(), 1U);
  EXPECT_FALSE(client.closed);
}

TEST_F(NodeTest, ARestartGivesEverySessionItsFullTimeoutAgain) {
  core_.Start();
  SimClient client(&core_, "client");
  client.Connect(2'000, 250);
  client.AwaitWrite((client.Create("/e", "", true), client.Flush(), 1));
  Run(milliseconds(1'900));
  core_.Crash(sim::Survival::kNothing);
  Run(seconds(30));
  core_.Start();
  Run(milliseconds(1'900));
  EXPECT_TRUE(Exists("/e"));
  client.Reconnect();
  client.KeepContact(milliseconds(500));
  Run(seconds(5));
  EXPECT_TRUE(Exists("/e"));
}

TEST_F(NodeTest, APausedNodeExpiresNobodyWhoseContactsWaited) {
  core_.Start();
  SimClient client(&core_, "client");
  client.Connect(2'000);
  client.KeepContact(milliseconds(500));
  Run(seconds(1));
  core_.loop->Pause();
  Run(seconds(60));
  core_.loop->Resume();
  Run(seconds(10));
  EXPECT_EQ(sessions(), 1U);
  EXPECT_FALSE(client.closed);
}

TEST_F(NodeTest, WhoseLinkBreaksEndsAfterItsDisconnectGrace) {
  core_.Start();
  SimClient client(&core_, "client");
  client.Connect(6'000, 250);
  client.KeepContact(milliseconds(100));
  Run(seconds(1));
  ASSERT_GT(client.acked_nonce, 0U);
  core_.network.Kill("client");
  client.StopContact();
  Run(milliseconds(200));
  EXPECT_EQ(sessions(), 1U);
  Run(milliseconds(200));
  EXPECT_EQ(sessions(), 0U);
}

TEST_F(NodeTest, WhoComesBackWithinTheGraceStays) {
  core_.Start();
  SimClient client(&core_, "client");
  client.Connect(6'000, 250);
  client.KeepContact(milliseconds(100));
  Run(seconds(1));
  core_.network.Reset("client", SimCore::kHost);
  Run(milliseconds(100));
  client.Reconnect();
  Run(seconds(3));
  EXPECT_EQ(sessions(), 1U);
}

TEST_F(NodeTest, SilenceAndTheNodesOwnEndAreNoDisconnect) {
  core_.Start();
  SimClient silent(&core_, "silent");
  silent.Connect(4'000, 250);
  silent.Contact();
  SimClient broken(&core_, "broken");
  broken.Connect(4'000, 250);
  broken.Contact();
  Run(milliseconds(100));
  ASSERT_EQ(silent.acked_nonce, 1U);
  core_.network.CutPair("silent", SimCore::kHost);
  broken.Open();  // breaks the protocol: the node ends the stream
  Run(seconds(3));
  EXPECT_TRUE(broken.closed);
  EXPECT_EQ(sessions(), 2U);
  Run(seconds(2));
  EXPECT_EQ(sessions(), 0U) << "the full time-out goes on";
}

TEST_F(NodeTest, StopEndsStreamsWithoutHarmToTheirSessions) {
  core_.Start();
  SimClient client(&core_, "client");
  client.Connect(2'000, 250);
  client.Contact();
  Run(milliseconds(100));
  core_.node->Stop();
  ASSERT_TRUE(client.RunUntil([&] { return client.closed; }));
  EXPECT_EQ(client.status.code(), absl::StatusCode::kUnavailable);
  Run(milliseconds(500));
  core_.Crash(sim::Survival::kEverything);
  core_.Start();
  Run(seconds(1));
  EXPECT_EQ(sessions(), 1U);
  client.Reconnect();
}

TEST_F(NodeTest, AWatchIsResumedAcrossARestart) {
  core_.Start();
  SimClient client(&core_, "client");
  client.Connect();
  client.AwaitWrite((client.Create("/a"), client.Create("/b"), client.Create("/c"), client.Flush(), 3));
  const std::uint64_t position = client.Written(1)->zxid();
  core_.Crash(sim::Survival::kNothing);
  core_.Start();
  client.Reconnect();
  v1::Position after;
  after.set_zxid(position);
  after.set_ordinal(4294967295);
  const auto watch = client.Watch("/", after);
  client.Flush();
  EXPECT_EQ(client.AwaitRead(watch).code(), v1::OK);
  ASSERT_EQ(client.events.size(), 2U);
  EXPECT_EQ(client.events[0].path(), "/b");
  EXPECT_EQ(client.events[1].path(), "/c");
}

// ---- unary calls ----

v1::Answer Execute(SimCore& core, const v1::Request& request) {
  v1::Answer answer;
  bool done = false;
  core.node->Execute(base::Bytes::Adopt(request.SerializeAsString()), [&](absl::StatusOr<base::Bytes> bytes) {
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_TRUE(bytes.ok() && answer.ParseFromString(bytes->ToString()));
    done = true;
  });
  EXPECT_TRUE(core.world.RunUntil([&] { return done; }, seconds(5)));
  return answer;
}

TEST_F(NodeTest, UnaryCallsReadAndWriteOutsideOfSessions) {
  core_.Start();
  v1::Request create;
  create.mutable_create()->set_path("/u");
  create.mutable_create()->set_data("1");
  EXPECT_EQ(Execute(core_, create).path(), "/u");
  EXPECT_EQ(Execute(core_, create).code(), v1::NODE_EXISTS);
  v1::Request get;
  get.set_id(9);
  get.mutable_get()->set_path("/u");
  const v1::Answer answer = Execute(core_, get);
  EXPECT_EQ(answer.data(), "1");
  EXPECT_EQ(answer.id(), 9U);
  v1::Request ephemeral = create;
  ephemeral.mutable_create()->set_path("/e");
  ephemeral.mutable_create()->set_ephemeral(true);
  EXPECT_NE(Execute(core_, ephemeral).code(), v1::OK);
  v1::Request watch;
  watch.mutable_add_watch()->set_path("/");
  EXPECT_EQ(Execute(core_, watch).code(), v1::INVALID_ARGUMENT);
}

TEST_F(NodeTest, CallsThatWaitAreAnsweredWhenTheNodeGoes) {
  core_.Start();
  core_.disk->Stall(seconds(60));
  std::vector<absl::StatusCode> answers;
  for (const bool write : {true, false}) {
    v1::Request request;
    if (write) {
      request.mutable_create()->set_path("/a");
    } else {
      request.mutable_get()->set_path("/");
    }
    core_.node->Execute(base::Bytes::Adopt(request.SerializeAsString()),
                        [&](const absl::StatusOr<base::Bytes>& answer) { answers.push_back(answer.status().code()); });
  }
  Run(seconds(1));
  ASSERT_TRUE(answers.empty());
  core_.node.reset();
  EXPECT_THAT(answers, ElementsAre(absl::StatusCode::kUnavailable, absl::StatusCode::kUnavailable));
}

TEST_F(NodeTest, MalformedUnaryCallsAndStoppedNodesAreStatuses) {
  core_.Start();
  absl::Status status;
  core_.node->Execute(base::Bytes::Copy("\x0a\x7f"), [&](absl::StatusOr<base::Bytes> r) { status = r.status(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  v1::Request create;
  create.mutable_create()->set_path("/u");
  core_.node->Execute(base::Bytes::Adopt(create.SerializeAsString()), [&](absl::StatusOr<base::Bytes> r) { status = r.status(); });
  core_.node->Stop();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
}

// ---- identity ----

TEST_F(NodeTest, ADirectoryBelongsToOneNodeAndOneProcess) {
  core_.Start();
  NodeSeams seams;
  seams.loop = core_.loop.get();
  seams.disk = core_.disk.get();
  seams.files = &core_.files;
  seams.random = core_.random.get();
  EXPECT_EQ(Node::Open(seams, core_.options).status().code(), absl::StatusCode::kFailedPrecondition) << "locked";
  Run(seconds(1));
  core_.Crash(sim::Survival::kEverything);
  core_.options.id = base::NodeId(2);
  const absl::Status status = core_.TryStart();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("node 1"));
}

TEST_F(NodeTest, EveryClusterHasAnIdOfItsOwn) {
  core_.Start();
  SimCore other(77);
  other.Start();
  EXPECT_NE(core_.node->Status().cluster, other.node->Status().cluster);
  EXPECT_NE(core_.node->Status().cluster, base::ClusterId());
}

TEST_F(NodeTest, TooManyStreamsAreRefused) {
  core_.options.streams_max = 1;
  core_.Start();
  SimClient first(&core_, "first");
  first.Connect();
  SimClient second(&core_, "second");
  second.Dial();
  second.Open();
  ASSERT_TRUE(second.RunUntil([&] { return second.closed; }));
  EXPECT_FALSE(second.grant.has_value());
  EXPECT_EQ(core_.node->Status().streams, 1U);
}

}  // namespace
}  // namespace drover::coord::server
