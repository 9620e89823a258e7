// The project's own encodings against the generated classes, both ways.
#include <gtest/gtest.h>

#include <string>

#include "coord/tree/answer.h"
#include "coord/tree/snapshot_walk.h"
#include "coord/tree/views.h"
#include "drover/coord/v1/coord.pb.h"
#include "drover/peer/v1/entry.pb.h"
#include "drover/peer/v1/snapshot.pb.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

namespace pb = drover::coord::v1;
namespace peer = drover::peer::v1;

template <typename Message>
Message Parse(absl::string_view bytes) {
  Message message;
  EXPECT_TRUE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  // Nothing that the message does not know, and nothing in a field of another type.
  EXPECT_TRUE(message.GetReflection()->GetUnknownFields(message).empty());
  return message;
}

TEST(Proto, EnumerationsAreTheSame) {
  const auto* codes = pb::Code_descriptor();
  EXPECT_EQ(codes->value_count(), 21);
  EXPECT_EQ(static_cast<int>(Code::kNotTried), pb::NOT_TRIED);
  EXPECT_EQ(static_cast<int>(Code::kNoAuth), pb::NO_AUTH);
  EXPECT_EQ(static_cast<int>(Code::kInvalidAcl), pb::INVALID_ACL);
  EXPECT_EQ(static_cast<int>(Code::kAuthFailed), pb::AUTH_FAILED);
  EXPECT_EQ(static_cast<int>(Code::kQuotaExceeded), pb::QUOTA_EXCEEDED);
  EXPECT_EQ(static_cast<int>(Code::kNoNode), pb::NO_NODE);
  EXPECT_EQ(static_cast<int>(Code::kNodeExists), pb::NODE_EXISTS);
  EXPECT_EQ(static_cast<int>(Code::kBadVersion), pb::BAD_VERSION);
  EXPECT_EQ(static_cast<int>(Code::kNotEmpty), pb::NOT_EMPTY);
  EXPECT_EQ(static_cast<int>(Code::kNoChildrenForEphemerals), pb::NO_CHILDREN_FOR_EPHEMERALS);
  EXPECT_EQ(static_cast<int>(Code::kInvalidArgument), pb::INVALID_ARGUMENT);
  EXPECT_EQ(static_cast<int>(Code::kTooLarge), pb::TOO_LARGE);
  EXPECT_EQ(static_cast<int>(Code::kRolledBack), pb::ROLLED_BACK);
  EXPECT_EQ(static_cast<int>(Code::kOutOfOrder), pb::OUT_OF_ORDER);
  EXPECT_EQ(static_cast<int>(Code::kWindowFull), pb::WINDOW_FULL);
  EXPECT_EQ(static_cast<int>(Code::kSessionExpired), pb::SESSION_EXPIRED);
  EXPECT_EQ(static_cast<int>(Code::kResourceExhausted), pb::RESOURCE_EXHAUSTED);
  EXPECT_EQ(static_cast<int>(Code::kCompacted), pb::COMPACTED);
  EXPECT_EQ(static_cast<int>(Code::kUnavailable), pb::UNAVAILABLE);
  EXPECT_EQ(static_cast<int>(Code::kUnimplemented), pb::UNIMPLEMENTED);
  EXPECT_EQ(static_cast<int>(CompareField::kAversion), pb::Compare::AVERSION);
  EXPECT_EQ(static_cast<int>(CompareField::kExists), pb::Compare::EXISTS);
  EXPECT_EQ(static_cast<int>(CompareField::kPzxid), pb::Compare::PZXID);
  EXPECT_EQ(static_cast<int>(CompareField::kEphemeralOwner), pb::Compare::EPHEMERAL_OWNER);
  EXPECT_EQ(static_cast<int>(CompareField::kMtime), pb::Compare::MTIME);
  EXPECT_EQ(static_cast<int>(CompareRelation::kGreater), pb::Compare::GREATER);
  EXPECT_EQ(static_cast<int>(CompareRelation::kNotEqual), pb::Compare::NOT_EQUAL);
  EXPECT_EQ(static_cast<int>(EventType::kDeleted), pb::Event::DELETED);
  EXPECT_EQ(static_cast<int>(WatchKind::kPersistentRecursive), pb::PERSISTENT_RECURSIVE);
  EXPECT_EQ(static_cast<int>(WatchKind::kPersistent), pb::PERSISTENT);
  EXPECT_EQ(static_cast<int>(WatchKind::kOnce), pb::ONCE);
  EXPECT_EQ(static_cast<int>(WatchKind::kOnceChildren), pb::ONCE_CHILDREN);
}

TEST(Proto, RequestsThatWeWriteAreRead) {
  const auto create = Parse<pb::Request>(EncodeCreate({.number = 1, .id = 2, .local = true}, {"/a", "d", true, true, true}));
  EXPECT_EQ(create.number(), 1u);
  EXPECT_EQ(create.id(), 2u);
  EXPECT_TRUE(create.local());
  EXPECT_EQ(create.create().path(), "/a");
  EXPECT_EQ(create.create().data(), "d");
  EXPECT_TRUE(create.create().ephemeral() && create.create().sequential() && create.create().parents());
  const auto remove = Parse<pb::Request>(EncodeDelete({}, {"/a", 4}));
  EXPECT_EQ(remove.delete_().path(), "/a");
  EXPECT_EQ(remove.delete_().version_plus_one(), 4u);
  const auto set = Parse<pb::Request>(EncodeSet({}, {"/a", "x", 5}));
  EXPECT_EQ(set.set().data(), "x");
  EXPECT_EQ(set.set().version_plus_one(), 5u);
  EXPECT_TRUE(Parse<pb::Request>(EncodeCloseSession({})).has_close_session());
  EXPECT_EQ(Parse<pb::Request>(EncodeGet({}, "/g")).get().path(), "/g");
  EXPECT_EQ(Parse<pb::Request>(EncodeExists({}, "/g")).exists().path(), "/g");
  const auto children = Parse<pb::Request>(EncodeChildren({}, {"/c", "after", 6}));
  EXPECT_EQ(children.children().after(), "after");
  EXPECT_EQ(children.children().limit(), 6u);
  const auto list = Parse<pb::Request>(EncodeList({}, {"/c", "/c/x", 6, true}));
  EXPECT_EQ(list.list().after(), "/c/x");
  EXPECT_TRUE(list.list().without_data());
  EXPECT_TRUE(Parse<pb::Request>(EncodeSync({})).has_sync());
  AddWatchView watch;
  watch.watch_id = 7;
  watch.path = "/w";
  watch.kind = 1;
  watch.with_data = true;
  watch.has_after = true;
  watch.after = {base::Zxid(8), 9};
  const auto add = Parse<pb::Request>(EncodeAddWatch({.id = 1}, watch));
  EXPECT_EQ(add.add_watch().watch_id(), 7u);
  EXPECT_EQ(add.add_watch().kind(), pb::PERSISTENT_RECURSIVE);
  EXPECT_TRUE(add.add_watch().with_data());
  EXPECT_EQ(add.add_watch().after().zxid(), 8u);
  EXPECT_EQ(add.add_watch().after().ordinal(), 9u);
  EXPECT_EQ(Parse<pb::Request>(EncodeRemoveWatch({}, {7})).remove_watch().watch_id(), 7u);
  TransactionBuilder t;
  t.Compare({"/a", CompareField::kCzxid, CompareRelation::kLess, 10});
  t.Then(CreateView{"/b"}).Then(DeleteView{"/c", 1}).Then(SetView{"/d", "x"}).Otherwise(DeleteView{"/e"});
  const auto transaction = Parse<pb::Request>(t.Encode({.number = 1})).transaction();
  EXPECT_EQ(transaction.compares(0).field(), pb::Compare::CZXID);
  EXPECT_EQ(transaction.compares(0).relation(), pb::Compare::LESS);
  EXPECT_EQ(transaction.compares(0).value(), 10u);
  ASSERT_EQ(transaction.then_size(), 3);
  EXPECT_EQ(transaction.then(0).create().path(), "/b");
  EXPECT_EQ(transaction.then(1).delete_().version_plus_one(), 1u);
  EXPECT_EQ(transaction.then(2).set().data(), "x");
  EXPECT_EQ(transaction.otherwise(0).delete_().path(), "/e");
}

TEST(Proto, OperationsOfLevelThreeThatWeWriteAreRead) {
  CreateView view{"/a"};
  view.container = true;
  view.ttl_ms = std::uint64_t{1} << 40;
  view.if_absent = true;
  const auto create = Parse<pb::Request>(EncodeCreate({}, view)).create();
  EXPECT_TRUE(create.container() && create.if_absent());
  EXPECT_EQ(create.ttl_ms(), std::uint64_t{1} << 40);
  EXPECT_EQ(Parse<pb::Request>(EncodeDeleteSubtree({}, {"/a", 4})).delete_subtree().version_plus_one(), 4u);
  EXPECT_EQ(Parse<pb::Request>(EncodeCountDescendants({}, "/a")).count_descendants().path(), "/a");
  const auto ephemerals =
      Parse<pb::Request>(EncodeEphemerals({}, {base::SessionId(1), "/p", base::Zxid(2), "/p/q", 3})).ephemerals();
  EXPECT_EQ(ephemerals.session_id(), 1u);
  EXPECT_EQ(ephemerals.path(), "/p");
  EXPECT_EQ(ephemerals.after_czxid(), 2u);
  EXPECT_EQ(ephemerals.after(), "/p/q");
  EXPECT_EQ(ephemerals.limit(), 3u);
  MultiReadBuilder reads;
  reads.Get("/g").Exists("/e").Children({"/c", "x", 5});
  const auto multi_read = Parse<pb::Request>(reads.Encode({.id = 1})).multi_read();
  ASSERT_EQ(multi_read.reads_size(), 3);
  EXPECT_EQ(multi_read.reads(0).get().path(), "/g");
  EXPECT_EQ(multi_read.reads(1).exists().path(), "/e");
  EXPECT_EQ(multi_read.reads(2).children().after(), "x");
  TransactionBuilder t;
  t.ThenCheck({"/c", 1}).ThenDeleteSubtree({"/d"}).OtherwiseCheck({"/e"}).OtherwiseDeleteSubtree({"/f", 2});
  const auto transaction = Parse<pb::Request>(t.Encode({})).transaction();
  EXPECT_EQ(transaction.then(0).check().version_plus_one(), 1u);
  EXPECT_EQ(transaction.then(1).delete_subtree().path(), "/d");
  EXPECT_EQ(transaction.otherwise(0).check().path(), "/e");
  EXPECT_EQ(transaction.otherwise(1).delete_subtree().version_plus_one(), 2u);

  peer::Batch batch;
  batch.set_time_ms(5);
  auto* reaped = batch.add_commands()->mutable_reap()->add_nodes();
  reaped->set_path("/a");
  reaped->set_czxid(7);
  BatchBuilder builder{base::WallTime(5)};
  builder.AddReap({{"/a", base::Zxid(7)}});
  EXPECT_EQ(builder.Finish().view(), batch.SerializeAsString());
}

TEST(Proto, OperationsOfLevelFourThatWeWriteAreRead) {
  const std::string acl = Acl({{5, "digest", "ann:hash"}, {31, "world", "anyone"}}).encoded();
  CreateView view{"/a"};
  view.has_acl = true;
  view.acl = acl;
  const auto create = Parse<pb::Request>(EncodeCreate({}, view)).create();
  ASSERT_EQ(create.acl().entries_size(), 2);
  EXPECT_EQ(create.acl().entries(0).permissions(), 5u);
  EXPECT_EQ(create.acl().entries(0).scheme(), "digest");
  EXPECT_EQ(create.acl().entries(0).id(), "ann:hash");
  const auto set = Parse<pb::Request>(EncodeSetAcl({.number = 1}, {"/a", acl, 3})).set_acl();
  EXPECT_EQ(set.acl().entries(1).id(), "anyone");
  EXPECT_EQ(set.aversion_plus_one(), 3u);
  const auto quota = Parse<pb::Request>(EncodeSetQuota({}, {"/a", 7, 8})).set_quota();
  EXPECT_EQ(quota.nodes_max(), 7u);
  EXPECT_EQ(quota.bytes_max(), 8u);
  const auto authenticate = Parse<pb::Request>(EncodeAuthenticate({.number = 2}, {"digest", "ann:secret"}));
  EXPECT_EQ(authenticate.number(), 2u);
  EXPECT_EQ(authenticate.authenticate().credential(), "ann:secret");
  EXPECT_EQ(Parse<pb::Request>(EncodeGetAcl({}, "/a")).get_acl().path(), "/a");
  EXPECT_EQ(Parse<pb::Request>(EncodeQuotas({}, {{}, "/a", base::Zxid(2), "/a/b", 4})).quotas().after_czxid(), 2u);
  EXPECT_TRUE(Parse<pb::Request>(EncodeWhoAmI({.id = 1})).has_who_am_i());
  TransactionBuilder t;
  t.ThenSetAcl({"/a", acl, 1});
  EXPECT_EQ(Parse<pb::Request>(t.Encode({})).transaction().then(0).set_acl().aversion_plus_one(), 1u);

  peer::Batch batch;
  batch.set_time_ms(5);
  peer::Command* command = batch.add_commands();
  command->set_origin_tag(1);
  auto* identity = command->add_identities();
  identity->set_scheme("digest");
  identity->set_id("ann:hash");
  command->set_address("-");
  command->set_request(EncodeSet({}, {"/a", "x"}));
  BatchBuilder builder{base::WallTime(5)};
  const std::vector<Identity> identities = {{"digest", "ann:hash"}};
  builder.AddRequest({{}, {}, 1}, base::SessionId(), 0, EncodeSet({}, {"/a", "x"}), kNoAddress, identities);
  EXPECT_EQ(builder.Finish().view(), batch.SerializeAsString());
}

TEST(Proto, OperationsOfLevelFourAreAnsweredAsTheProtoSays) {
  Machine m;
  m.Create("/a", "data");
  m.Unary(EncodeSetQuota({}, {"/a", 7, 8}));
  const auto read = [&m](const std::string& encoded, const Asker& asker = {}) {
    RequestView request;
    EXPECT_TRUE(RequestView::Parse(encoded, &request));
    return Parse<pb::Answer>(m->Read(request, asker).view());
  };
  const pb::Answer acl = read(EncodeGetAcl({.id = 1}, "/a"));
  ASSERT_EQ(acl.acl().entries_size(), 1);
  EXPECT_EQ(acl.acl().entries(0).scheme(), "world");
  EXPECT_EQ(acl.stat().data_length(), 4u);
  const pb::Answer quotas = read(EncodeQuotas({.id = 1}, {{}, "/a"}));
  ASSERT_EQ(quotas.quotas_size(), 1);
  EXPECT_EQ(quotas.quotas(0).path(), "/a");
  EXPECT_EQ(quotas.quotas(0).nodes_max(), 7u);
  EXPECT_EQ(quotas.quotas(0).bytes_max(), 8u);
  EXPECT_EQ(quotas.quotas(0).nodes(), 1u);
  EXPECT_EQ(quotas.quotas(0).bytes(), 4u);
  EXPECT_EQ(quotas.quotas(0).czxid(), 1u);
  const std::vector<Identity> identities = {{"digest", "ann:hash"}};
  const pb::Answer who = read(EncodeWhoAmI({.id = 1}), {{}, {}, identities});
  ASSERT_EQ(who.identities_size(), 1);
  EXPECT_EQ(who.identities(0).id(), "ann");
}

TEST(Proto, SessionsAreToldAsTheProtoSays) {
  Machine m;
  const std::string encoded = EncodeSessions({.id = 1}, {base::SessionId(2), 4});
  const pb::Request request = Parse<pb::Request>(encoded);
  EXPECT_EQ(request.sessions().after_session_id(), 2u);
  EXPECT_EQ(request.sessions().limit(), 4u);
  const base::SessionId opened = m.Open(7'000, 500, "worker w1", std::string("\x0a\x00\x00\x01", 4));
  m.Write(opened, 0, EncodeCreate({.number = 1}, {"/own", "", true}));
  RequestView view;
  const std::string all = EncodeSessions({.id = 1}, {});
  ASSERT_TRUE(RequestView::Parse(all, &view));
  const pb::Answer answer = Parse<pb::Answer>(m->Read(view, {}).view());
  ASSERT_EQ(answer.sessions_size(), 1);
  EXPECT_EQ(answer.sessions(0).session_id(), opened.value);
  EXPECT_EQ(answer.sessions(0).name(), "worker w1");
  EXPECT_EQ(answer.sessions(0).address(), "10.0.0.1");
  EXPECT_EQ(answer.sessions(0).timeout_ms(), 7'000u);
  EXPECT_EQ(answer.sessions(0).disconnect_grace_ms(), 500u);
  EXPECT_EQ(answer.sessions(0).ephemerals(), 1u);

  // By age, page by page; `after` may have ended.
  const base::SessionId second = m.Open(), third = m.Open();
  const auto page = [&m](base::SessionId after, std::uint32_t limit) {
    RequestView parsed;
    const std::string asked = EncodeSessions({.id = 1}, {after, limit});
    EXPECT_TRUE(RequestView::Parse(asked, &parsed));
    return Parse<pb::Answer>(m->Read(parsed, {}).view());
  };
  EXPECT_EQ(page({}, 2).sessions_size(), 2);
  EXPECT_TRUE(page({}, 2).more());
  m.Expire({second});
  ASSERT_EQ(page(second, 2).sessions_size(), 1);
  EXPECT_EQ(page(second, 2).sessions(0).session_id(), third.value);
  EXPECT_FALSE(page(second, 2).more());
}

TEST(Proto, OperationsOfLevelThreeAreAnsweredAsTheProtoSays) {
  Machine m;
  Client c(&m);
  CreateView create{"/a", "data", true};
  create.if_absent = true;
  TransactionBuilder t;
  t.Then(create).Then(create).ThenDeleteSubtree({"/a"}).Then(create);
  c.Transact(t);
  const auto answer = Parse<pb::Answer>(m.answers.back().bytes.view());
  ASSERT_EQ(answer.transaction().results_size(), 4);
  EXPECT_TRUE(answer.transaction().results(1).existed());
  EXPECT_EQ(answer.transaction().results(2).count(), 1u);
  RequestView request;
  const std::string encoded = MultiReadBuilder().Get("/a").Get("/x").Encode({.id = 6});
  ASSERT_TRUE(RequestView::Parse(encoded, &request));
  const auto reads = Parse<pb::Answer>(m->Read(request).view());
  EXPECT_EQ(reads.id(), 6u);
  ASSERT_EQ(reads.reads_size(), 2);
  EXPECT_EQ(reads.reads(0).data(), "data");
  EXPECT_EQ(reads.reads(0).stat().ephemeral_owner(), c.id().value);
  EXPECT_EQ(reads.reads(1).code(), pb::NO_NODE);
}

TEST(Proto, RequestsWrittenByProtobufAreRead) {
  pb::Request request;
  request.set_number(5);
  request.set_id(1u << 31);
  auto* transaction = request.mutable_transaction();
  auto* compare = transaction->add_compares();
  compare->set_path("/c");
  compare->set_field(pb::Compare::NUM_CHILDREN);
  compare->set_relation(pb::Compare::GREATER);
  compare->set_value(~std::uint64_t{0});
  transaction->add_then()->mutable_create()->set_path("/x");
  transaction->add_otherwise()->mutable_set()->set_data(std::string(300, 'z'));
  const std::string bytes = request.SerializeAsString();
  RequestView view;
  ASSERT_TRUE(RequestView::Parse(bytes, &view));
  EXPECT_EQ(view.number, 5u);
  EXPECT_EQ(view.id, 1u << 31);
  EXPECT_EQ(view.kind, RequestKind::kTransaction);
  TransactionView t;
  ASSERT_TRUE(TransactionView::Parse(view.body, &t));
  EXPECT_EQ(t.compare_count, 1u);
  absl::string_view element;
  base::RepeatedBytes compares = t.compares();
  ASSERT_TRUE(compares.Next(&element));
  CompareView c;
  ASSERT_TRUE(CompareView::Parse(element, &c));
  EXPECT_EQ(c.path, "/c");
  EXPECT_EQ(c.field, CompareField::kNumChildren);
  EXPECT_EQ(c.relation, CompareRelation::kGreater);
  EXPECT_EQ(c.value, ~std::uint64_t{0});
  base::RepeatedBytes otherwise = t.otherwise();
  ASSERT_TRUE(otherwise.Next(&element));
  OperationView op;
  ASSERT_TRUE(OperationView::Parse(element, &op));
  EXPECT_EQ(op.kind, RequestKind::kSet);
  SetView set;
  ASSERT_TRUE(SetView::Parse(op.body, &set));
  EXPECT_EQ(set.data.size(), 300u);
}

TEST(Proto, BatchesAreTheSameBytes) {
  peer::Batch batch;
  batch.set_time_ms(123456789);
  auto* command = batch.add_commands();
  command->set_origin_node(1);
  command->set_origin_boot(~std::uint64_t{0});
  command->set_origin_tag(3);
  command->set_session_id(4);
  command->set_seen(5);
  const std::string request = EncodeCreate({.number = 6}, {"/a", std::string(200, 'x')});
  command->set_request(request);
  auto* open = batch.add_commands();
  open->set_origin_tag(7);
  open->mutable_open()->set_secret("0123456789abcdef");
  open->mutable_open()->set_timeout_ms(1000);
  open->mutable_open()->set_disconnect_grace_ms(250);
  open->mutable_open()->set_name("name");
  auto* expire = batch.add_commands();
  expire->mutable_expire()->set_term(9);
  expire->mutable_expire()->add_session_ids(4);
  expire->mutable_expire()->add_session_ids(400);

  BatchBuilder builder{base::WallTime(123456789)};
  builder.AddRequest({base::NodeId(1), base::BootNonce(~std::uint64_t{0}), 3}, base::SessionId(4), 5, request);
  builder.AddOpen({{}, {}, 7}, {"0123456789abcdef", 1000, 250, "name"});
  builder.AddExpire(raft::Term(9), {base::SessionId(4), base::SessionId(400)});
  EXPECT_EQ(builder.Finish().view(), batch.SerializeAsString());
}

TEST(Proto, AnswersAndEventsAreRead) {
  Machine m;
  Client c(&m);
  TransactionBuilder t;
  t.Then(CreateView{"/a", "data"}).Then(CreateView{"/a/b"}).Then(SetView{"/a", "more"}).Then(DeleteView{"/a/b"});
  m.now_ms = 1'700'000'000'000;
  c.Transact(t);
  const auto answer = Parse<pb::Answer>(m.answers.back().bytes.view());
  EXPECT_EQ(answer.number(), 1u);
  EXPECT_EQ(answer.code(), pb::OK);
  EXPECT_EQ(answer.zxid(), 2u);
  ASSERT_EQ(answer.transaction().results_size(), 4);
  EXPECT_TRUE(answer.transaction().succeeded());
  EXPECT_EQ(answer.transaction().results(0).path(), "/a");
  EXPECT_EQ(answer.transaction().results(0).stat().data_length(), 4u);
  EXPECT_EQ(answer.transaction().results(2).stat().version(), 1u);
  EXPECT_EQ(answer.transaction().results(2).stat().ctime(), 1'700'000'000'000);

  const auto event = Parse<pb::Event>(m.events[2].encoded(true));
  EXPECT_EQ(event.zxid(), 2u);
  EXPECT_EQ(event.ordinal(), 2u);
  EXPECT_EQ(event.type(), pb::Event::CHANGED);
  EXPECT_EQ(event.path(), "/a");
  EXPECT_EQ(event.data(), "more");
  EXPECT_EQ(event.stat().num_children(), 1u);
  EXPECT_EQ(event.stat().cversion(), 1u);
  EXPECT_TRUE(Parse<pb::Event>(m.events[2].encoded(false)).data().empty());

  c.Transact(TransactionBuilder().Then(CreateView{"/x"}).Then(CreateView{"/a"}).Then(CreateView{"/y"}));
  const auto refused = Parse<pb::Answer>(m.answers.back().bytes.view());
  EXPECT_EQ(refused.code(), pb::NODE_EXISTS);
  EXPECT_FALSE(refused.message().empty());
  ASSERT_EQ(refused.transaction().results_size(), 3);
  EXPECT_EQ(refused.transaction().results(0).code(), pb::ROLLED_BACK);
  EXPECT_EQ(refused.transaction().results(1).code(), pb::NODE_EXISTS);
  EXPECT_EQ(refused.transaction().results(2).code(), pb::NOT_TRIED);
}

TEST(Proto, ReadAnswersAreRead) {
  Machine m;
  m.Create("/a", "data");
  m.Create("/a/b", "child");
  const auto read = [&](const std::string& request) {
    RequestView view;
    EXPECT_TRUE(RequestView::Parse(request, &view));
    return Parse<pb::Answer>(m->Read(view).view());
  };
  EXPECT_EQ(read(EncodeGet({.id = 4}, "/a")).data(), "data");
  EXPECT_EQ(read(EncodeGet({.id = 4}, "/a")).id(), 4u);
  const auto list = read(EncodeList({}, {"/a", "", 1}));
  EXPECT_TRUE(list.more());
  EXPECT_EQ(list.nodes(0).path(), "/a");
  EXPECT_EQ(list.nodes(0).data(), "data");
  EXPECT_EQ(list.nodes(0).stat().num_children(), 1u);
  EXPECT_EQ(read(EncodeChildren({}, {"/a"})).names(0), "b");
  const auto compacted = Parse<pb::Answer>(EncodeCompacted(3, base::Zxid(9), {base::Zxid(5), Position::kAll}).view());
  EXPECT_EQ(compacted.code(), pb::COMPACTED);
  EXPECT_EQ(compacted.id(), 3u);
  EXPECT_EQ(compacted.oldest().zxid(), 5u);
  EXPECT_EQ(compacted.oldest().ordinal(), 4294967295u);
}

TEST(Proto, ItemsMakeAFrame) {
  Machine m;
  m.Create("/a", std::string(300, 'd'));
  std::string frame;
  AppendEventItem(m.events[0], true, {1, 1000, 3}, &frame);
  AppendAnswerItem(m.answers[0].bytes.view(), &frame);
  AppendEventItem(m.events[0], false, {0}, &frame);
  const auto parsed = Parse<pb::ServerFrame>(frame);
  ASSERT_EQ(parsed.items_size(), 3);
  EXPECT_EQ(parsed.items(0).event().data().size(), 300u);
  ASSERT_EQ(parsed.items(0).event().watch_ids_size(), 3);
  EXPECT_EQ(parsed.items(0).event().watch_ids(1), 1000u);
  EXPECT_EQ(parsed.items(1).answer().path(), "/a");
  EXPECT_TRUE(parsed.items(2).event().data().empty());
  ASSERT_EQ(parsed.items(2).event().watch_ids_size(), 1);
  EXPECT_EQ(parsed.items(2).event().watch_ids(0), 0u);
}

TEST(Proto, SnapshotsThatWeWriteAreRead) {
  Machine machine;
  machine.now_ms = 5000;
  Client client(&machine);
  client.Create({"/e", "data", true});
  machine.now_ms = 6000;
  machine.Create("/p");
  machine.Create("/p/c");
  machine.Set("/p", "later");
  SnapshotWalk walk(&*machine, base::WallTime(7000));
  while (walk.Step(100, 1000)) {
  }
  const auto part = Parse<peer::SnapshotPart>(walk.TakePart());
  EXPECT_EQ(part.head().zxid(), machine->last_zxid().value);
  EXPECT_EQ(part.head().time_ms(), 6000);
  EXPECT_EQ(part.head().taken_ms(), 7000);
  ASSERT_EQ(part.sessions_size(), 1);
  EXPECT_EQ(part.sessions(0).id(), client.id().value);
  EXPECT_EQ(part.sessions(0).secret().size(), 16u);
  EXPECT_EQ(part.sessions(0).name(), "test");
  ASSERT_EQ(part.sessions(0).kept_answers_size(), 1);
  ASSERT_EQ(part.nodes_size(), 4);  // the root, /e, /p, /p/c
  EXPECT_EQ(part.nodes(1).rest(), "e");
  EXPECT_EQ(part.nodes(1).shared(), 1u);
  EXPECT_EQ(part.nodes(1).ephemeral_owner(), client.id().value);
  EXPECT_EQ(part.nodes(1).ctime_ms(), 5000);
  EXPECT_EQ(part.nodes(2).data(), "later");
  EXPECT_EQ(part.nodes(2).version(), 1u);
  EXPECT_EQ(part.nodes(2).mzxid_less(), 2u);
  EXPECT_EQ(part.nodes(2).pzxid_less(), 1u);
  EXPECT_EQ(part.nodes(2).children_created(), 1u);
  EXPECT_EQ(part.totals().nodes(), 4u);
  EXPECT_EQ(part.totals().sessions(), 1u);
}

}  // namespace
}  // namespace drover::coord::tree
