// Who may do what, in a cluster: what a session has proved holds on every node, and what proves it stays on the one that was asked.
#include <gmock/gmock.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/password_digest.h"
#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"

namespace drover::coord::server {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr char kSecret[] = "very-secret-password";

class ClusterAccessTest : public ClusterFixture {
 protected:
  void Begin(std::uint32_t level = base::kNewestFeatureLevel.value) {
    for (int id = 1; id <= 3; ++id) cluster_.levels[id] = level;
    cluster_.options.super_digest = *base::PasswordDigest("root:toor");
    leader_ = ClusterFixture::Begin();
    ASSERT_TRUE(AwaitLevel(level));
  }
  bool AwaitLevel(std::uint32_t level) {
    return cluster_.world.RunUntil(
        [&] {
          for (int id = 1; id <= 3; ++id) {
            if (cluster_.node(id)->feature_level().value != level) return false;
          }
          return true;
        },
        seconds(60));
  }
  static v1::Answer Authenticate(SimClient* client, const std::string& user, const std::string& password,
                                 const std::string& scheme = "digest") {
    v1::Request* request = client->NewWrite();
    request->mutable_authenticate()->set_scheme(scheme);
    request->mutable_authenticate()->set_credential(user + ":" + password);
    const std::uint64_t number = request->number();
    client->Flush();
    return client->AwaitWriteResuming(number);
  }
  // A node for `user` alone, made by `client`.
  static v1::Answer CreateFor(SimClient* client, const std::string& path, const std::string& user, const std::string& password) {
    v1::Request* request = client->NewWrite();
    request->mutable_create()->set_path(path);
    v1::AclEntry* entry = request->mutable_create()->mutable_acl()->add_entries();
    entry->set_permissions(31);
    entry->set_scheme("digest");
    entry->set_id(*base::PasswordDigest(user + ":" + password));
    const std::uint64_t number = request->number();
    client->Flush();
    return client->AwaitWriteResuming(number);
  }
  static v1::Code Get(SimClient* client, const std::string& path) {
    const std::uint64_t id = client->Get(path);
    client->Flush();
    return client->AwaitRead(id).code();
  }
  v1::Answer Execute(int node, const v1::Request& request) {
    std::optional<v1::Answer> answer;
    cluster_.node(node)->Execute(base::Bytes::Copy(request.SerializeAsString()), [&](absl::StatusOr<base::Bytes> bytes) {
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      ASSERT_TRUE(answer.emplace().ParseFromString(bytes->ToString()));
    });
    EXPECT_TRUE(cluster_.world.RunUntil([&] { return answer.has_value(); }, seconds(10)));
    return answer.value_or(v1::Answer());
  }
  // Whether what was said to be secret stands in some file of some node.
  bool OnDisk(const std::string& text) {
    for (int id = 1; id <= 3; ++id) {
      for (const std::string& path : cluster_.files(id).Paths()) {
        if (cluster_.files(id).Read(path).find(text) != std::string::npos) return true;
      }
    }
    return false;
  }

  int leader_ = 0;
};

TEST_F(ClusterAccessTest, WhatASessionHasProvedHoldsOnEveryNodeAndThroughLeaders) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  const auto ann = Connect("ann", Other(leader_), 60'000);
  const auto bob = Connect("bob", leader_, 60'000);
  ann->KeepContact(seconds(1));
  bob->KeepContact(seconds(1));
  EXPECT_EQ(Authenticate(ann.get(), "ann", "wrong", "kerberos").code(), v1::AUTH_FAILED);
  EXPECT_EQ(Authenticate(ann.get(), "ann", kSecret).code(), v1::OK);
  EXPECT_EQ(CreateFor(ann.get(), "/ann", "ann", kSecret).code(), v1::OK);
  EXPECT_EQ(Get(ann.get(), "/ann"), v1::OK);
  EXPECT_EQ(Get(bob.get(), "/ann"), v1::NO_AUTH);
  const std::uint64_t refused = bob->Set("/ann", "x");
  bob->Flush();
  EXPECT_EQ(bob->AwaitWriteResuming(refused).code(), v1::NO_AUTH);
  // To another node, and past the death of the one that it was proved to.
  cluster_.Crash(Other(leader_));
  ann->node = SimCluster::Client(leader_);
  ann->Reconnect();
  EXPECT_EQ(Get(ann.get(), "/ann"), v1::OK);
  const std::uint64_t set = ann->Set("/ann", "x");
  ann->Flush();
  EXPECT_EQ(ann->AwaitWriteResuming(set).code(), v1::OK);
  cluster_.Start(Other(leader_));
  ASSERT_TRUE(cluster_.AwaitEqual());
  EXPECT_FALSE(OnDisk(kSecret)) << "a password left the node that was asked";
  EXPECT_TRUE(OnDisk(*base::PasswordDigest(std::string("ann:") + kSecret)));
}

TEST_F(ClusterAccessTest, AUnaryCallShowsWhoAsks) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  const auto ann = Connect("ann", leader_, 60'000);
  ann->KeepContact(seconds(1));
  ASSERT_EQ(CreateFor(ann.get(), "/ann", "ann", kSecret).code(), v1::OK);
  const int follower = Other(leader_);
  v1::Request get;
  get.mutable_get()->set_path("/ann");
  v1::Request set;
  set.mutable_set()->set_path("/ann");
  set.mutable_set()->set_data("by a call");
  for (v1::Request* request : {&get, &set}) EXPECT_EQ(Execute(follower, *request).code(), v1::NO_AUTH);
  for (v1::Request* request : {&get, &set}) {
    v1::Authenticate* shown = request->add_auth();
    shown->set_scheme("digest");
    shown->set_credential(std::string("ann:") + kSecret);
    EXPECT_EQ(Execute(follower, *request).code(), v1::OK);
    request->set_local(true);
  }
  EXPECT_EQ(Execute(leader_, get).data(), "by a call");
  EXPECT_FALSE(OnDisk(kSecret));
  get.mutable_auth(0)->set_credential("no colon");
  set.mutable_auth(0)->set_credential("no colon");
  set.mutable_set()->set_data("never");
  EXPECT_EQ(Execute(follower, get).code(), v1::AUTH_FAILED);
  EXPECT_EQ(Execute(follower, set).code(), v1::AUTH_FAILED);
  get.mutable_auth(0)->set_credential("root:toor");
  get.set_local(false);
  EXPECT_EQ(Execute(follower, get).data(), "by a call") << "who proves --super-digest may do everything";
}

TEST_F(ClusterAccessTest, AWatchTellsWhatMayBeRead) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  const auto ann = Connect("ann", leader_, 60'000);
  const auto bob = Connect("bob", Other(leader_), 60'000);
  ann->KeepContact(seconds(1));
  bob->KeepContact(seconds(1));
  ASSERT_EQ(Authenticate(ann.get(), "ann", kSecret).code(), v1::OK);
  for (SimClient* client : {ann.get(), bob.get()}) {
    const std::uint64_t watch = client->Watch("/");
    client->Flush();
    ASSERT_EQ(client->AwaitRead(watch).code(), v1::OK);
  }
  ASSERT_EQ(CreateFor(ann.get(), "/ann", "ann", kSecret).code(), v1::OK);
  ann->CreateNow("/open", "");
  const auto heard = [](const SimClient& client, const std::string& path) {
    return std::any_of(client.events.begin(), client.events.end(), [&](const v1::Event& e) { return e.path() == path; });
  };
  ASSERT_TRUE(bob->RunUntil([&] { return heard(*bob, "/open"); }));
  EXPECT_FALSE(heard(*bob, "/ann"));
  ASSERT_TRUE(ann->RunUntil([&] { return heard(*ann, "/open"); }));
  EXPECT_TRUE(heard(*ann, "/ann"));
  // And so does one that is resumed.
  bob->events.clear();
  bob->Reconnect();
  v1::Position beginning;
  beginning.set_ordinal(4294967295);
  const std::uint64_t watch = bob->Watch("/", beginning);
  bob->Flush();
  ASSERT_EQ(bob->AwaitRead(watch).code(), v1::OK);
  EXPECT_TRUE(heard(*bob, "/open"));
  EXPECT_FALSE(heard(*bob, "/ann"));
}

// Rights are changed again and again while another one writes through another node, and leaders die: each write is judged by the
// list that stood where the write stands in the order of all writes, on every node alike.
TEST_F(ClusterAccessTest, AChangeOfRightsTakesEffectInTheOrderOfAllWrites) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  const auto ann = Connect("ann", leader_, 60'000);
  const auto bob = Connect("bob", Other(leader_), 60'000);
  ann->KeepContact(seconds(1));
  bob->KeepContact(seconds(1));
  ASSERT_EQ(Authenticate(ann.get(), "ann", kSecret).code(), v1::OK);
  ann->CreateNow("/a", "");
  std::map<std::uint64_t, bool> open = {{0, true}};  // from that zxid on anybody may write
  std::vector<std::pair<std::uint64_t, v1::Code>> written;
  for (int turn = 0; turn < 60; ++turn) {
    const bool opens = turn % 2 == 1;
    v1::Request* request = ann->NewWrite();
    const std::uint64_t number = request->number();
    v1::SetAcl* change = request->mutable_set_acl();
    change->set_path("/a");
    v1::AclEntry* all = change->mutable_acl()->add_entries();
    all->set_permissions(opens ? 31 : 1);
    all->set_scheme("world");
    all->set_id("anyone");
    v1::AclEntry* own = change->mutable_acl()->add_entries();
    own->set_permissions(31);
    own->set_scheme("auth");
    std::vector<std::uint64_t> numbers;
    for (int i = 0; i < 8; ++i) numbers.push_back(bob->Set("/a", "bob"));
    // On their way at the same time.
    bob->Flush(numbers.front() - 1);
    cluster_.world.RunFor(microseconds(100 * (turn % 7)));
    ann->Flush(number - 1);
    if (turn % 20 == 10) {
      const int leader = cluster_.Leader();
      cluster_.Crash(leader);
      ASSERT_NE(AwaitLeaderBut(leader), 0);
      cluster_.Start(leader);
      for (const auto& [client, first] : {std::pair(ann.get(), number), std::pair(bob.get(), numbers.front())}) {
        client->node = SimCluster::Client(Other(leader));
        client->Reconnect();
        client->Resend(first);
      }
    }
    const v1::Answer& changed = ann->AwaitWriteResuming(number);
    ASSERT_EQ(changed.code(), v1::OK);
    open[changed.zxid()] = opens;
    for (const std::uint64_t write : numbers) {
      const v1::Answer& answer = bob->AwaitWriteResuming(write);
      written.emplace_back(answer.zxid(), answer.code());
    }
  }
  int refused = 0;
  for (const auto& [zxid, code] : written) {
    EXPECT_EQ(code, std::prev(open.upper_bound(zxid))->second ? v1::OK : v1::NO_AUTH) << "at " << zxid;
    refused += code == v1::NO_AUTH ? 1 : 0;
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, static_cast<int>(written.size()));
  EXPECT_TRUE(cluster_.AwaitEqual());
}

// An older program would make a node that is open to everybody.
TEST_F(ClusterAccessTest, AsLongAsAnOlderProgramIsThereNothingIsMadeThatSeemsProtected) {
  ASSERT_NO_FATAL_FAILURE(Begin(base::kMoreOperations.value));
  const auto ann = Connect("ann", leader_, 60'000);
  ann->KeepContact(seconds(1));
  EXPECT_EQ(CreateFor(ann.get(), "/ann", "ann", kSecret).code(), v1::INVALID_ARGUMENT);
  v1::Request* write = ann->NewWrite();
  v1::Create* within = write->mutable_transaction()->add_then()->mutable_create();
  within->set_path("/within");
  within->mutable_acl()->add_entries()->set_scheme("auth");
  const std::uint64_t number = write->number();
  ann->Flush();
  EXPECT_EQ(ann->AwaitWriteResuming(number).code(), v1::INVALID_ARGUMENT);
  EXPECT_EQ(Authenticate(ann.get(), "ann", kSecret).code(), v1::INVALID_ARGUMENT);
  v1::Request create;
  create.mutable_create()->set_path("/unary");
  create.mutable_create()->mutable_acl()->add_entries()->set_scheme("world");
  const v1::Answer refused = Execute(leader_, create);
  EXPECT_EQ(refused.code(), v1::UNIMPLEMENTED);
  EXPECT_THAT(refused.message(), HasSubstr("feature level"));
  EXPECT_EQ(cluster_.node(leader_)->state().tree().node_count(), 1u);
  EXPECT_FALSE(OnDisk(kSecret));

  for (int id = 1; id <= 3; ++id) {
    cluster_.levels[id] = base::kNewestFeatureLevel.value;
    cluster_.Crash(id);
    cluster_.Start(id);
    ASSERT_NE(cluster_.AwaitLeader(), 0);
  }
  ASSERT_TRUE(AwaitLevel(base::kNewestFeatureLevel.value));
  ann->Reconnect();
  EXPECT_EQ(Authenticate(ann.get(), "ann", kSecret).code(), v1::OK);
  EXPECT_EQ(CreateFor(ann.get(), "/ann", "ann", kSecret).code(), v1::OK);
}

}  // namespace
}  // namespace drover::coord::server
