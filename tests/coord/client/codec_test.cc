// The client's own coding against generated protobuf.
#include "coord/client/codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "drover/coord/v1/coord.pb.h"

namespace drover::coord::client {
namespace {

v1::Request Parsed(const std::string& body) {
  v1::Request request;
  EXPECT_TRUE(request.ParseFromString(body));
  return request;
}

TEST(CodecTest, WritesAreEncodedAsTheProtoSays) {
  const v1::Request create = Parsed(EncodeCreate("/a", "data", {.ephemeral = true, .sequential = true, .parents = true}));
  EXPECT_EQ(create.create().path(), "/a");
  EXPECT_EQ(create.create().data(), "data");
  EXPECT_TRUE(create.create().ephemeral() && create.create().sequential() && create.create().parents());
  const v1::Request plain = Parsed(EncodeCreate("/a", "", {}));
  EXPECT_FALSE(plain.create().ephemeral() || plain.create().sequential() || plain.create().parents());

  EXPECT_EQ(Parsed(EncodeSet("/a", "x", std::nullopt)).set().version_plus_one(), 0U);
  EXPECT_EQ(Parsed(EncodeSet("/a", "x", 0)).set().version_plus_one(), 1U) << "versions start at 0";
  EXPECT_EQ(Parsed(EncodeDelete("/a", 41)).delete_().version_plus_one(), 42U);
  EXPECT_TRUE(Parsed(EncodeCloseSession()).has_close_session());
}

TEST(CodecTest, ATransactionKeepsItsComparesAndBothBranches) {
  const v1::Request request = Parsed(EncodeTransaction(
      {.compares = {Compare::Czxid("/m", Zxid(7)),
                    Compare::Absent("/n"),
                    {"/o", Compare::Field::kMtime, Compare::Relation::kLess, 9}},
       .then = {Operation::Create("/c", "1", {.parents = true}), Operation::Set("/s", "2", 3), Operation::Delete("/d")},
       .otherwise = {Operation::Delete("/e", 0)}}));
  const v1::Transaction& transaction = request.transaction();
  ASSERT_EQ(transaction.compares_size(), 3);
  EXPECT_EQ(transaction.compares(0).field(), v1::Compare::CZXID);
  EXPECT_EQ(transaction.compares(0).relation(), v1::Compare::EQUAL);
  EXPECT_EQ(transaction.compares(0).value(), 7U);
  EXPECT_EQ(transaction.compares(1).field(), v1::Compare::EXISTS);
  EXPECT_EQ(transaction.compares(1).value(), 0U);
  EXPECT_EQ(transaction.compares(2).field(), v1::Compare::MTIME);
  EXPECT_EQ(transaction.compares(2).relation(), v1::Compare::LESS);
  ASSERT_EQ(transaction.then_size(), 3);
  EXPECT_EQ(transaction.then(0).create().data(), "1");
  EXPECT_TRUE(transaction.then(0).create().parents());
  EXPECT_EQ(transaction.then(1).set().version_plus_one(), 4U);
  EXPECT_EQ(transaction.then(2).delete_().path(), "/d");
  ASSERT_EQ(transaction.otherwise_size(), 1);
  EXPECT_EQ(transaction.otherwise(0).delete_().version_plus_one(), 1U);
}

TEST(CodecTest, OperationsOfLevelThreeAreEncodedAsTheProtoSays) {
  const v1::Request mortal = Parsed(EncodeCreate("/a", "", {.ttl = std::chrono::seconds(2), .if_absent = true}));
  EXPECT_EQ(mortal.create().ttl_ms(), 2'000U);
  EXPECT_TRUE(mortal.create().if_absent());
  EXPECT_FALSE(mortal.create().container());
  EXPECT_TRUE(Parsed(EncodeCreate("/a", "", {.container = true})).create().container());
  EXPECT_EQ(Parsed(EncodeCreate("/a", "", {.ttl = std::chrono::microseconds(1)})).create().ttl_ms(), 1U) << "0 would be for ever";
  EXPECT_GT(Parsed(EncodeCreate("/a", "", {.ttl = std::chrono::seconds(-1)})).create().ttl_ms(), std::uint64_t{1} << 48)
      << "what the service refuses";
  const v1::Request subtree = Parsed(EncodeDeleteSubtree("/a", 3));
  EXPECT_EQ(subtree.delete_subtree().path(), "/a");
  EXPECT_EQ(subtree.delete_subtree().version_plus_one(), 4U);
  const Transaction both = {.compares = {}, .then = {Operation::Check("/c", 1)}, .otherwise = {Operation::DeleteSubtree("/d")}};
  const v1::Request transaction = Parsed(EncodeTransaction(both));
  EXPECT_EQ(transaction.transaction().then(0).check().version_plus_one(), 2U);
  EXPECT_EQ(transaction.transaction().otherwise(0).delete_subtree().path(), "/d");

  EXPECT_EQ(NeededLevel(both), base::kMoreOperations);
  EXPECT_EQ(NeededLevel({.compares = {}, .then = {Operation::Create("/a", "", {.if_absent = true})}, .otherwise = {}}),
            base::kMoreOperations);
  EXPECT_EQ(NeededLevel({.compares = {}, .then = {Operation::Create("/a", "", {.parents = true})}, .otherwise = {}}),
            base::kFirstFeatureLevel);
}

TEST(CodecTest, OperationsOfLevelFourAreEncodedAsTheProtoSays) {
  const Acl acl = {AclEntry::Digest("ann:hash", Permission::kRead), AclEntry::Auth()};
  const v1::Request create = Parsed(EncodeCreate("/a", "", {.acl = acl}));
  ASSERT_EQ(create.create().acl().entries_size(), 2);
  EXPECT_EQ(create.create().acl().entries(0).permissions(), 1U);
  EXPECT_EQ(create.create().acl().entries(0).scheme(), "digest");
  EXPECT_EQ(create.create().acl().entries(0).id(), "ann:hash");
  EXPECT_FALSE(Parsed(EncodeCreate("/a", "", {})).create().has_acl()) << "an empty one would be refused";
  const v1::Request set = Parsed(EncodeSetAcl("/a", acl, 3));
  EXPECT_EQ(set.set_acl().acl().entries(1).scheme(), "auth");
  EXPECT_EQ(set.set_acl().aversion_plus_one(), 4U);
  const v1::Request quota = Parsed(EncodeSetQuota("/a", {7, 8}));
  EXPECT_EQ(quota.set_quota().nodes_max(), 7U);
  EXPECT_EQ(quota.set_quota().bytes_max(), 8U);
  const v1::Request authenticate = Parsed(EncodeAuthenticate({"digest", "ann:secret"}));
  EXPECT_EQ(authenticate.authenticate().scheme(), "digest");
  EXPECT_EQ(authenticate.authenticate().credential(), "ann:secret");
  std::string get = EncodeGetAcl("/a", true);
  AppendAuth(&get, {"digest", "ann:secret"});
  EXPECT_EQ(Parsed(get).get_acl().path(), "/a");
  EXPECT_EQ(Parsed(get).auth(0).credential(), "ann:secret");
  EXPECT_EQ(Parsed(EncodeQuotas("/a", {Zxid(6), "/a/b"}, 7, false)).quotas().after(), "/a/b");
  EXPECT_TRUE(Parsed(EncodeWhoAmI(false)).has_who_am_i());
  const v1::Request sessions = Parsed(EncodeSessions(SessionId(5), 6, true));
  EXPECT_TRUE(sessions.local());
  EXPECT_EQ(sessions.sessions().after_session_id(), 5U);
  EXPECT_EQ(sessions.sessions().limit(), 6U);

  const Transaction both = {.compares = {}, .then = {Operation::SetAcl("/a", acl, 1)}, .otherwise = {}};
  EXPECT_EQ(Parsed(EncodeTransaction(both)).transaction().then(0).set_acl().acl().entries_size(), 2);
  EXPECT_EQ(NeededLevel(both), base::kAccessControl);
  EXPECT_EQ(NeededLevel(CreateOptions{.acl = acl}), base::kAccessControl);
}

TEST(CodecTest, ATimeToLiveLongerThanADurationIsTheLongestThereIs) {
  constexpr std::uint64_t kMost = 9'223'372'036'854;  // milliseconds
  const auto read = [](std::uint64_t ttl_ms) {
    v1::Stat stat;
    stat.set_ttl_ms(ttl_ms);
    Stat out;
    EXPECT_TRUE(ParseStat(stat.SerializeAsString(), &out));
    return out.ttl;
  };
  EXPECT_EQ(read(5), std::chrono::milliseconds(5));
  EXPECT_EQ(base::ToMillis(read(kMost)), static_cast<std::int64_t>(kMost));
  for (const std::uint64_t longer : {kMost + 1, (std::uint64_t{1} << 48) - 1, UINT64_MAX}) {
    EXPECT_EQ(read(longer), base::Duration::max());
  }
}

TEST(CodecTest, AnswersOfLevelFourAreRead) {
  v1::Answer answer;
  v1::AclEntry* entry = answer.mutable_acl()->add_entries();
  entry->set_permissions(31);
  entry->set_scheme("ip");
  entry->set_id("10.0.0.0/8");
  v1::QuotaUsage* quota = answer.add_quotas();
  quota->set_path("/a");
  quota->set_nodes_max(7);
  quota->set_bytes(3);
  quota->set_czxid(9);
  const std::string bytes = answer.SerializeAsString();
  AnswerView view;
  ASSERT_TRUE(AnswerView::Parse(bytes, &view));
  Acl acl;
  ASSERT_TRUE(ParseAcl(view.acl, &acl));
  EXPECT_EQ(acl, Acl{AclEntry::Ip("10.0.0.0/8")});
  absl::string_view one;
  base::RepeatedBytes quotas = view.quotas();
  ASSERT_TRUE(quotas.Next(&one));
  QuotaUsage usage;
  ASSERT_TRUE(ParseQuotaUsage(one, &usage));
  EXPECT_EQ(usage.path, "/a");
  EXPECT_EQ(usage.quota, (Quota{7, 0}));
  EXPECT_EQ(usage.bytes, 3U);
  EXPECT_EQ(usage.czxid, Zxid(9));
}

TEST(CodecTest, SessionsAreRead) {
  v1::SessionInfo info;
  info.set_session_id(5);
  info.set_name("worker w1");
  info.set_address("10.0.0.1");
  info.set_timeout_ms(7'000);
  info.set_disconnect_grace_ms(500);
  info.set_ephemerals(3);
  SessionInfo session;
  ASSERT_TRUE(ParseSessionInfo(info.SerializeAsString(), &session));
  EXPECT_EQ(session.id, SessionId(5));
  EXPECT_EQ(session.name, "worker w1");
  EXPECT_EQ(session.address, "10.0.0.1");
  EXPECT_EQ(session.timeout, std::chrono::seconds(7));
  EXPECT_EQ(session.disconnect_grace, std::chrono::milliseconds(500));
  EXPECT_EQ(session.ephemerals, 3U);
}

TEST(CodecTest, ReadsOfSeveralKindsAreEncodedAsTheProtoSays) {
  const v1::Request several =
      Parsed(EncodeMultiRead({ReadOperation::Get("/a"), ReadOperation::Exists("/b"), ReadOperation::Children("/c", "d", 4)}, true));
  EXPECT_TRUE(several.local());
  ASSERT_EQ(several.multi_read().reads_size(), 3);
  EXPECT_EQ(several.multi_read().reads(0).get().path(), "/a");
  EXPECT_EQ(several.multi_read().reads(1).exists().path(), "/b");
  EXPECT_EQ(several.multi_read().reads(2).children().after(), "d");
  EXPECT_EQ(several.multi_read().reads(2).children().limit(), 4U);
  EXPECT_EQ(Parsed(EncodeCountDescendants("/a", false)).count_descendants().path(), "/a");
  const v1::Request ephemerals = Parsed(EncodeEphemerals(SessionId(5), "/a", {Zxid(6), "/a/b"}, 7, false));
  EXPECT_EQ(ephemerals.ephemerals().session_id(), 5U);
  EXPECT_EQ(ephemerals.ephemerals().path(), "/a");
  EXPECT_EQ(ephemerals.ephemerals().after_czxid(), 6U);
  EXPECT_EQ(ephemerals.ephemerals().after(), "/a/b");
  EXPECT_EQ(ephemerals.ephemerals().limit(), 7U);
}

TEST(CodecTest, EnumerationsHaveTheProtosValues) {
  EXPECT_EQ(static_cast<int>(Code::kNotTried), static_cast<int>(v1::NOT_TRIED));
  EXPECT_EQ(static_cast<int>(Code::kNoAuth), static_cast<int>(v1::NO_AUTH));
  EXPECT_EQ(static_cast<int>(Code::kInvalidAcl), static_cast<int>(v1::INVALID_ACL));
  EXPECT_EQ(static_cast<int>(Code::kAuthFailed), static_cast<int>(v1::AUTH_FAILED));
  EXPECT_EQ(static_cast<int>(Code::kQuotaExceeded), static_cast<int>(v1::QUOTA_EXCEEDED));
  EXPECT_EQ(static_cast<int>(Code::kCompacted), static_cast<int>(v1::COMPACTED));
  for (int code = v1::Code_MIN; code <= v1::Code_MAX; ++code) {
    EXPECT_EQ(std::string(CodeName(static_cast<Code>(code))), v1::Code_Name(static_cast<v1::Code>(code)));
  }
  EXPECT_EQ(static_cast<int>(Compare::Field::kAversion), static_cast<int>(v1::Compare::AVERSION));
  EXPECT_EQ(static_cast<int>(Compare::Relation::kGreater), static_cast<int>(v1::Compare::GREATER));
  EXPECT_EQ(static_cast<int>(Event::Type::kDeleted), static_cast<int>(v1::Event::DELETED));
}

TEST(CodecTest, ReadsAndWatchesAreEncodedAsTheProtoSays) {
  EXPECT_TRUE(Parsed(EncodeGet("/a", true)).local());
  EXPECT_EQ(Parsed(EncodeGet("/a", false)).get().path(), "/a");
  EXPECT_EQ(Parsed(EncodeExists("/a", false)).exists().path(), "/a");
  const v1::Request children = Parsed(EncodeChildren("/a", "b", 5, false));
  EXPECT_EQ(children.children().after(), "b");
  EXPECT_EQ(children.children().limit(), 5U);
  EXPECT_TRUE(Parsed(EncodeList("/a", "", 0, false, true)).list().without_data());
  EXPECT_FALSE(Parsed(EncodeList("/a", "", 0, true, true)).list().without_data());
  EXPECT_TRUE(Parsed(EncodeSync(true)).has_sync());
  const v1::Request from_now = Parsed(EncodeAddWatch(3, "/a", 1, true, std::nullopt));
  EXPECT_EQ(from_now.add_watch().kind(), v1::PERSISTENT_RECURSIVE);
  EXPECT_FALSE(from_now.add_watch().has_after());
  const v1::Request resumed = Parsed(EncodeAddWatch(3, "/a", 4, false, Position{Zxid(9), 0}));
  EXPECT_EQ(resumed.add_watch().kind(), v1::ONCE_CHILDREN);
  EXPECT_TRUE(resumed.add_watch().has_after());
  EXPECT_EQ(resumed.add_watch().after().zxid(), 9U);
  EXPECT_EQ(resumed.add_watch().after().ordinal(), 0U);
  EXPECT_EQ(Parsed(EncodeRemoveWatch(3)).remove_watch().watch_id(), 3U);
}

TEST(CodecTest, AFrameIsTheSumOfItsParts) {
  std::string bytes;
  AppendOpen(&bytes, 6000, 250, "m");
  AppendContact(&bytes, 12);
  AppendSeen(&bytes, 4);
  AppendNumbered(&bytes, 5, EncodeDelete("/a", std::nullopt));
  AppendIdentified(&bytes, 77, EncodeGet("/b", true));
  v1::ClientFrame frame;
  ASSERT_TRUE(frame.ParseFromString(bytes));
  EXPECT_EQ(frame.open().disconnect_grace_ms(), 250U);
  EXPECT_EQ(frame.contact().nonce(), 12U);
  EXPECT_EQ(frame.seen(), 4U);
  ASSERT_EQ(frame.requests_size(), 2);
  EXPECT_EQ(frame.requests(0).number(), 5U);
  EXPECT_EQ(frame.requests(0).delete_().path(), "/a");
  EXPECT_EQ(frame.requests(1).id(), 77U);
  EXPECT_TRUE(frame.requests(1).local());
  bytes.clear();
  AppendResume(&bytes, SessionId(8), "secret", Zxid(9), 3);
  ASSERT_TRUE(frame.ParseFromString(bytes));
  EXPECT_EQ(frame.resume().session_id(), 8U);
  EXPECT_EQ(frame.resume().secret(), "secret");
  EXPECT_EQ(frame.resume().seen_zxid(), 9U);
}

TEST(CodecTest, AnswersAndEventsAreReadWhole) {
  v1::Answer answer;
  answer.set_number(3);
  answer.set_code(v1::BAD_VERSION);
  answer.set_zxid(44);
  answer.set_message("why");
  answer.set_path("/a");
  answer.set_data("d");
  answer.set_more(true);
  answer.add_names("x");
  answer.add_names("y");
  answer.add_nodes()->set_path("/n");
  answer.mutable_oldest()->set_zxid(12);
  v1::Stat& stat = *answer.mutable_stat();
  stat.set_czxid(1);
  stat.set_mzxid(2);
  stat.set_pzxid(3);
  stat.set_ctime(4);
  stat.set_mtime(5);
  stat.set_version(6);
  stat.set_cversion(7);
  stat.set_aversion(8);
  stat.set_ephemeral_owner(9);
  stat.set_data_length(10);
  stat.set_num_children(11);
  const std::string bytes = answer.SerializeAsString();
  AnswerView view;
  ASSERT_TRUE(AnswerView::Parse(bytes, &view));
  EXPECT_EQ(view.number, 3U);
  EXPECT_EQ(view.code, Code::kBadVersion);
  EXPECT_EQ(view.zxid, Zxid(44));
  EXPECT_EQ(view.message, "why");
  EXPECT_EQ(view.path, "/a");
  EXPECT_EQ(view.data, "d");
  EXPECT_TRUE(view.more);
  EXPECT_EQ(view.oldest.zxid, Zxid(12));
  EXPECT_EQ(view.stat, (Stat{Zxid(1), Zxid(2), Zxid(3), base::WallTime(4), base::WallTime(5), 6, 7, 8, SessionId(9), 10, 11}));

  for (const bool packed : {true, false}) {
    v1::Event event;
    event.set_zxid(5);
    event.set_ordinal(2);
    event.set_type(v1::Event::DELETED);
    event.set_path("/a");
    if (packed) event.add_watch_ids(300);
    std::string event_bytes = event.SerializeAsString();
    if (!packed) base::WireWriter(&event_bytes).Varint(7, 300);
    EventView read;
    ASSERT_TRUE(EventView::Parse(event_bytes, &read));
    EXPECT_EQ(read.event.position(), (Position{Zxid(5), 2}));
    EXPECT_EQ(read.event.type, Event::Type::kDeleted);
    ASSERT_EQ(read.watches.size(), 1U);
    EXPECT_EQ(read.watches[0], 300U);
  }
}

TEST(CodecTest, CutBytesAreMalformedNeverMisread) {
  v1::ServerFrame frame;
  frame.mutable_grant()->set_session_id(7);
  frame.mutable_grant()->set_secret("0123456789abcdef");
  frame.mutable_contact()->set_nonce(300);
  frame.set_bookmark_zxid(1000);
  const std::string whole = frame.SerializeAsString();
  FrameView view;
  EXPECT_TRUE(FrameView::Parse(whole, &view));
  const std::vector<std::size_t> boundaries = {0, 22, 27};  // where a field ends
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    FrameView cut;
    accepted += FrameView::Parse(absl::string_view(whole).substr(0, size), &cut) ? 1 : 0;
  }
  EXPECT_EQ(accepted, boundaries.size());
}

}  // namespace
}  // namespace drover::coord::client
