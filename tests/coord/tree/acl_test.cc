// Access control lists: what each permission allows, to whom, and what is refused before what.
#include "coord/tree/acl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coord/base/ip_address.h"
#include "coord/tree/history.h"
#include "coord/tree/snapshot_loader.h"
#include "coord/tree/snapshot_walk.h"
#include "coord/tree/watches.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Encoded(std::vector<AclEntry> entries) {
  return Acl(std::move(entries)).encoded();
}
std::string Address(const char* text) {
  return *base::ParseIpAddress(text);
}

const Identity kAnn{"digest", "ann:hash of ann"};
const Identity kBob{"digest", "bob:hash of bob"};
const Identity kSuper{"super", ""};

// One that asks outside of any session.
class Person {
 public:
  Person(Machine* machine, std::vector<Identity> identities, std::string address = {})
      : machine_(machine), identities_(std::move(identities)), address_(std::move(address)) {}

  DecodedAnswer Write(const std::string& request) { return machine_->Write(base::SessionId(), 0, request, address_, identities_); }
  DecodedAnswer Read(const std::string& request) { return machine_->ReadAs(asker(), request); }
  [[nodiscard]] Asker asker() const { return {base::SessionId(), address_, identities_}; }

  DecodedAnswer Create(const std::string& path, const std::string& acl, bool parents = false) {
    CreateView create{path, "data"};
    create.has_acl = true;
    create.acl = acl;
    create.parents = parents;
    return Write(EncodeCreate({}, create));
  }
  Code CreateOpen(const std::string& path) { return Write(EncodeCreate({}, {path, "data"})).code; }
  Code Set(const std::string& path, std::uint32_t version_plus_one = 0) {
    return Write(EncodeSet({}, {path, "new", version_plus_one})).code;
  }
  Code Delete(const std::string& path, std::uint32_t version_plus_one = 0) {
    return Write(EncodeDelete({}, {path, version_plus_one})).code;
  }
  Code Check(const std::string& path, std::uint32_t version_plus_one = 0) {
    TransactionBuilder builder;
    builder.ThenCheck({path, version_plus_one});
    return Write(builder.Encode({})).code;
  }
  DecodedAnswer SetAcl(const std::string& path, const std::string& acl, std::uint32_t aversion_plus_one = 0) {
    return Write(EncodeSetAcl({}, {path, acl, aversion_plus_one}));
  }
  Code Get(const std::string& path) { return Read(EncodeGet({}, path)).code; }
  Code Children(const std::string& path) { return Read(EncodeChildren({}, {path})).code; }
  DecodedAnswer GetAcl(const std::string& path) { return Read(EncodeGetAcl({}, path)); }

 private:
  Machine* machine_;
  std::vector<Identity> identities_;
  std::string address_;
};

class AclTest : public testing::Test {
 protected:
  Machine machine_;
  Person nobody_{&machine_, {}};
  Person ann_{&machine_, {kAnn}};
  Person bob_{&machine_, {kBob}};
  Person super_{&machine_, {kSuper}};
};

TEST_F(AclTest, ANodeWithoutOneIsOpen) {
  nobody_.CreateOpen("/a");
  EXPECT_THAT(nobody_.GetAcl("/a").acl, ElementsAre("31 world anyone"));
  EXPECT_EQ(nobody_.Create("/b", Encoded({{31, "world", "anyone"}})).code, Code::kOk);
  EXPECT_TRUE(machine_->tree().acls().empty()) << "that is the open one, said";
}

// Each permission alone, and what it allows.
TEST_F(AclTest, EachPermissionAllowsItsOwnAndNothingElse) {
  for (const std::uint32_t permission : {1U, 2U, 4U, 8U, 16U}) {
    const std::string path = absl::StrCat("/p", permission);
    ASSERT_EQ(ann_.CreateOpen(path), Code::kOk);
    ASSERT_EQ(ann_.CreateOpen(path + "/child"), Code::kOk);
    ASSERT_EQ(ann_.SetAcl(path, Encoded({{permission, "digest", kAnn.id}})).code, Code::kOk);
    const auto allowed = [permission](std::uint32_t needed) { return (permission & needed) != 0 ? Code::kOk : Code::kNoAuth; };
    EXPECT_EQ(ann_.Get(path), allowed(Permission::kRead));
    EXPECT_EQ(ann_.Children(path), allowed(Permission::kRead));
    EXPECT_EQ(ann_.Read(EncodeList({}, {path})).code, allowed(Permission::kRead));
    EXPECT_EQ(ann_.Read(EncodeCountDescendants({}, path)).code, allowed(Permission::kRead));
    EXPECT_EQ(ann_.Read(EncodeQuotas({}, {{}, path})).code, allowed(Permission::kRead));
    EXPECT_EQ(ann_.Check(path), allowed(Permission::kRead));
    EXPECT_EQ(ann_.GetAcl(path).code, allowed(Permission::kRead | Permission::kAdmin));
    EXPECT_EQ(ann_.Read(EncodeExists({}, path)).code, Code::kOk) << "as in ZooKeeper";
    EXPECT_EQ(ann_.Set(path), allowed(Permission::kWrite));
    EXPECT_EQ(ann_.CreateOpen(path + "/new"), allowed(Permission::kCreate));
    EXPECT_EQ(ann_.Delete(path + "/child"), allowed(Permission::kDelete));
    EXPECT_EQ(ann_.Write(EncodeSetQuota({}, {path, 100, 0})).code, allowed(Permission::kAdmin));
    EXPECT_EQ(bob_.Get(path), Code::kNoAuth);
    EXPECT_EQ(nobody_.Set(path), Code::kNoAuth);
    EXPECT_EQ(super_.Get(path), Code::kOk);
    EXPECT_EQ(super_.Set(path), Code::kOk);
    EXPECT_EQ(ann_.SetAcl(path, Encoded({{31, "world", "anyone"}})).code, allowed(Permission::kAdmin));
  }
}

TEST_F(AclTest, ADeletionNeedsThePermissionOfTheParentAlone) {
  ann_.Create("/a", Encoded({{Permission::kAll, "digest", kAnn.id}}));
  ann_.Create("/a/b", Encoded({{Permission::kAll, "digest", kBob.id}}));
  EXPECT_EQ(bob_.Delete("/a/b"), Code::kNoAuth);
  EXPECT_EQ(ann_.Get("/a/b"), Code::kNoAuth);
  EXPECT_EQ(ann_.Delete("/a/b"), Code::kOk);
}

TEST_F(AclTest, WhatIsRefusedBeforeWhat) {
  const std::string anns = Encoded({{Permission::kAll, "digest", kAnn.id}});
  const std::string none = Encoded({});
  ann_.Create("/a", anns);
  ann_.Create("/a/b", anns);
  EXPECT_EQ(bob_.Create("/missing/x", none).code, Code::kInvalidAcl) << "before NO_NODE";
  EXPECT_EQ(bob_.Create("/missing/x", anns).code, Code::kNoNode);
  EXPECT_EQ(bob_.Create("/a/b", anns).code, Code::kNoAuth) << "before NODE_EXISTS";
  EXPECT_EQ(bob_.Set("/a/b", 7), Code::kNoAuth) << "before BAD_VERSION";
  EXPECT_EQ(bob_.Delete("/a/b", 7), Code::kNoAuth);
  EXPECT_EQ(bob_.Delete("/a/c"), Code::kNoAuth) << "before NO_NODE of the node";
  EXPECT_EQ(ann_.Delete("/a/c"), Code::kNoNode);
  EXPECT_EQ(bob_.Delete("/a/c/d"), Code::kNoNode) << "of the parent";
  EXPECT_EQ(bob_.Check("/a/b", 7), Code::kNoAuth);
  EXPECT_EQ(bob_.SetAcl("/missing", none).code, Code::kInvalidAcl);
  EXPECT_EQ(bob_.SetAcl("/missing", anns).code, Code::kNoNode);
  EXPECT_EQ(bob_.SetAcl("/a", anns, 7).code, Code::kNoAuth);
  const DecodedAnswer refused = ann_.SetAcl("/a", anns, 7);
  EXPECT_EQ(refused.code, Code::kBadVersion);
  EXPECT_EQ(refused.message, "the node's access control list has version 0, not 6");
}

TEST_F(AclTest, ItsChangeShowsInAversionAloneAndTellsNobody) {
  nobody_.CreateOpen("/a");
  const Stat before = machine_.StatOf("/a");
  const base::Zxid zxid = machine_->last_zxid();
  machine_.TakeEvents();
  const DecodedAnswer set = nobody_.SetAcl("/a", Encoded({{31, "digest", kAnn.id}}), 1);
  EXPECT_EQ(set.code, Code::kOk);
  Stat expected = before;
  expected.aversion = 1;
  EXPECT_EQ(set.stat, expected);
  EXPECT_EQ(machine_.StatOf("/a"), expected);
  EXPECT_EQ(machine_->last_zxid(), zxid.Next());
  EXPECT_THAT(machine_.TakeEvents(), IsEmpty());
  EXPECT_EQ(ann_.SetAcl("/a", Encoded({{31, "world", "anyone"}}), 2).code, Code::kOk);
  EXPECT_TRUE(machine_->tree().acls().empty());
}

TEST_F(AclTest, AuthIsWhatWhoAsksHasProved) {
  Person both(&machine_, {kAnn, kBob, kSuper});
  EXPECT_EQ(both.Create("/a", Encoded({{Permission::kRead, "auth", ""}, {Permission::kRead, "digest", kAnn.id}})).code, Code::kOk);
  EXPECT_THAT(super_.GetAcl("/a").acl, ElementsAre(absl::StrCat("1 digest ", kAnn.id), absl::StrCat("1 digest ", kBob.id),
                                                   absl::StrCat("1 digest ", kAnn.id)))
      << "as in ZooKeeper, said twice";
  const DecodedAnswer refused = nobody_.Create("/b", Encoded({{31, "auth", ""}}));
  EXPECT_EQ(refused.code, Code::kInvalidAcl);
  EXPECT_THAT(refused.message, HasSubstr("authenticated before"));
}

TEST_F(AclTest, WhatMayNotStandInOne) {
  const std::vector<AclEntry> wrong = {
      {32, "world", "anyone"},   {31, "world", "everyone"}, {31, "world", ""},         {31, "digest", "ann"},
      {31, "digest", ":hash"},   {31, "digest", "ann:"},    {31, "digest", "a:b:c"},   {31, "ip", "home"},
      {31, "ip", "10.0.0.0/33"}, {31, "super", ""},         {31, "kerberos", "ann@X"}, {31, "", ""},
  };
  for (const AclEntry& entry : wrong) {
    EXPECT_EQ(nobody_.Create("/a", Encoded({{31, "world", "anyone"}, entry})).code, Code::kInvalidAcl)
        << entry.scheme << " " << entry.id;
  }
  EXPECT_EQ(nobody_.Create("/a", "\x0a\xff").code, Code::kInvalidAcl) << "malformed";
  EXPECT_EQ(nobody_.Create("/a", Encoded({{31, "digest", "ann:" + std::string(256, 'x')}})).code, Code::kTooLarge);
  EXPECT_EQ(nobody_.Create("/a", Encoded(std::vector<AclEntry>(129, {31, "world", "anyone"}))).code, Code::kTooLarge);
  EXPECT_FALSE(machine_.Has("/a"));
}

TEST_F(AclTest, AnAddressIsOneOfANetwork) {
  Person inside(&machine_, {}, Address("10.1.2.3"));
  Person outside(&machine_, {}, Address("11.1.2.3"));
  Person socket(&machine_, {}, std::string(kNoAddress));
  ASSERT_EQ(inside.Create("/a", Encoded({{31, "ip", "10.0.0.0/8"}})).code, Code::kOk);
  EXPECT_EQ(inside.Get("/a"), Code::kOk);
  EXPECT_EQ(outside.Get("/a"), Code::kNoAuth);
  EXPECT_EQ(socket.Get("/a"), Code::kNoAuth);
  EXPECT_EQ(inside.Set("/a"), Code::kOk);
  EXPECT_EQ(outside.Set("/a"), Code::kNoAuth);
}

TEST_F(AclTest, ASessionIsWhereItWasOpenedUnlessItSaysOtherwise) {
  const base::SessionId id = machine_.Open(0, 0, "test", Address("10.1.2.3"));
  Person inside(&machine_, {}, Address("10.1.2.3"));
  inside.Create("/a", Encoded({{31, "ip", "10.0.0.0/8"}}));
  const auto set = [&](std::uint64_t number, absl::string_view address) {
    return machine_.Write(id, 0, EncodeSet({.number = number}, {"/a", "x"}), address).code;
  };
  EXPECT_EQ(set(1, ""), Code::kOk);
  EXPECT_EQ(set(2, Address("11.0.0.1")), Code::kNoAuth);
  EXPECT_EQ(set(3, kNoAddress), Code::kNoAuth);
  EXPECT_EQ(set(4, ""), Code::kOk);
}

TEST_F(AclTest, ASessionProvesWhoItIsOnce) {
  ann_.Create("/a", Encoded({{31, "digest", kAnn.id}}));
  Client client(&machine_);
  const auto authenticate = [&](const std::vector<Identity>& proved) {
    return machine_.Write(client.id(), 0, EncodeAuthenticate({.number = client.next++}, {"digest", {}}), {}, proved);
  };
  const auto get = [&] { return machine_.Read(EncodeGet({}, "/a"), client.id()).code; };
  EXPECT_EQ(authenticate({}).code, Code::kAuthFailed);
  EXPECT_EQ(get(), Code::kNoAuth);
  const base::Zxid before = machine_->last_zxid();
  EXPECT_EQ(authenticate({kAnn}).code, Code::kOk);
  EXPECT_EQ(machine_->last_zxid(), before.Next());
  EXPECT_EQ(get(), Code::kOk);
  EXPECT_EQ(authenticate({kAnn}).code, Code::kOk);
  EXPECT_EQ(machine_->sessions().Find(client.id())->identities().size(), 1u);
  EXPECT_EQ(client.Transact(TransactionBuilder().Then(SetView{"/a", "x"})).code, Code::kOk);
  for (int i = 2; i <= 16; ++i) EXPECT_EQ(authenticate({{"digest", absl::StrCat("x:", i)}}).code, Code::kOk);
  EXPECT_EQ(authenticate({{"digest", "x:17"}}).code, Code::kTooLarge);
  EXPECT_EQ(authenticate({kAnn, {"digest", "x:16"}}).code, Code::kOk) << "they are there already";
  Client other(&machine_);
  EXPECT_EQ(machine_.Read(EncodeGet({}, "/a"), other.id()).code, Code::kNoAuth);
  EXPECT_EQ(nobody_.Write(EncodeAuthenticate({}, {"digest", {}})).code, Code::kInvalidArgument) << "of a session alone";
}

TEST_F(AclTest, WhoAmI) {
  const base::SessionId id = machine_.Open(0, 0, "test", Address("10.1.2.3"));
  machine_.Write(id, 0, EncodeAuthenticate({.number = 1}, {"digest", {}}), {}, {kAnn, kSuper});
  const std::string address = Address("10.1.2.3");
  EXPECT_THAT(machine_.ReadAs({id, address}, EncodeWhoAmI({})).identities, ElementsAre("ip 10.1.2.3", "digest ann", "super "));
  EXPECT_THAT(nobody_.Read(EncodeWhoAmI({})).identities, IsEmpty());
}

TEST_F(AclTest, WhoHasNoAdminSeesNoHashes) {
  ann_.Create("/a", Encoded({{31, "digest", kAnn.id}, {Permission::kRead, "world", "anyone"}, {1, "ip", "10.0.0.1"}}));
  EXPECT_THAT(ann_.GetAcl("/a").acl, ElementsAre(absl::StrCat("31 digest ", kAnn.id), "1 world anyone", "1 ip 10.0.0.1"));
  EXPECT_THAT(bob_.GetAcl("/a").acl, ElementsAre("31 digest ann:x", "1 world anyone", "1 ip 10.0.0.1"));
  EXPECT_EQ(bob_.GetAcl("/a").stat, machine_.StatOf("/a"));
}

TEST_F(AclTest, ParentsThatAreMadeOnTheWayHaveItToo) {
  ASSERT_EQ(ann_.Create("/a/b/c", Encoded({{31, "digest", kAnn.id}}), /*parents=*/true).code, Code::kOk);
  EXPECT_EQ(bob_.Get("/a"), Code::kNoAuth);
  EXPECT_EQ(bob_.Delete("/a/b/c"), Code::kNoAuth);
  EXPECT_EQ(machine_->tree().acls().size(), 1u);
  EXPECT_EQ(machine_->tree().acls().uses(machine_->tree().Find("/a")->acl()), 3u);
}

TEST_F(AclTest, WhatIsThereAlreadyNeedsNoPermissionToBeCreatedIfAbsent) {
  ann_.Create("/a", Encoded({{31, "digest", kAnn.id}}));
  ann_.CreateOpen("/a/b");
  CreateView create{"/a/b"};
  create.if_absent = true;
  EXPECT_EQ(bob_.Write(EncodeCreate({}, create)).code, Code::kOk);
  create.path = "/a/c";
  EXPECT_EQ(bob_.Write(EncodeCreate({}, create)).code, Code::kNoAuth);
}

TEST_F(AclTest, ASubtreeIsDeletedByWhoMayDeleteAllOfIt) {
  nobody_.CreateOpen("/a");
  nobody_.CreateOpen("/a/open");
  ann_.Create("/a/anns", Encoded({{31, "digest", kAnn.id}}));
  ann_.CreateOpen("/a/anns/child");
  const DecodedAnswer refused = bob_.Write(EncodeDeleteSubtree({}, {"/a"}));
  EXPECT_EQ(refused.code, Code::kNoAuth);
  EXPECT_THAT(refused.message, HasSubstr("/a/anns"));
  EXPECT_EQ(machine_->tree().Find("/a")->descendants(), 3u);
  EXPECT_EQ(ann_.Write(EncodeDeleteSubtree({}, {"/a"})).count, 4u);
  EXPECT_TRUE(machine_->tree().acls().empty());
}

TEST_F(AclTest, AListLeavesOutWhatMayNotBeRead) {
  nobody_.CreateOpen("/a");
  ann_.Create("/a/b", Encoded({{31, "digest", kAnn.id}}));
  ann_.CreateOpen("/a/b/c");
  nobody_.CreateOpen("/a/d");
  const auto list = [&](Person& who, const char* after, std::uint32_t limit) {
    std::vector<std::string> text;
    for (const DecodedNode& node : who.Read(EncodeList({}, {"/a", after, limit})).nodes) {
      text.push_back(absl::StrCat(node.path, node.hidden ? " hidden" : " ", node.data));
    }
    return text;
  };
  EXPECT_THAT(list(ann_, "", 0), ElementsAre("/a data", "/a/b data", "/a/b/c data", "/a/d data"));
  EXPECT_THAT(list(bob_, "", 0), ElementsAre("/a data", "/a/b hidden", "/a/d data"));
  EXPECT_THAT(list(bob_, "", 2), ElementsAre("/a data", "/a/b hidden"));
  EXPECT_THAT(list(bob_, "/a/b", 0), ElementsAre("/a/d data")) << "the next page begins behind what is hidden";
  EXPECT_THAT(list(bob_, "/a/b/a", 0), ElementsAre("/a/d data"));
}

TEST_F(AclTest, EphemeralsOfOthersAreShownWhereTheParentMayBeRead) {
  ann_.Create("/a", Encoded({{31, "digest", kAnn.id}, {Permission::kCreate, "world", "anyone"}}));
  nobody_.CreateOpen("/open");
  Client client(&machine_);
  CreateView create{"/a/e"};
  create.ephemeral = true;
  EXPECT_EQ(client.Create(create).code, Code::kOk);
  create.path = "/open/e";
  EXPECT_EQ(client.Create(create).code, Code::kOk);
  const auto count = [&](const Asker& asker) { return machine_.ReadAs(asker, EncodeEphemerals({}, {client.id()})).nodes.size(); };
  EXPECT_EQ(count({client.id()}), 2u) << "its own";
  EXPECT_EQ(count(ann_.asker()), 2u);
  EXPECT_EQ(count(bob_.asker()), 1u);
}

TEST_F(AclTest, ACompareTellsWhatExistsTells) {
  ann_.Create("/a", Encoded({{31, "digest", kAnn.id}}));
  TransactionBuilder builder;
  builder.Compare({"/a", CompareField::kVersion, CompareRelation::kEqual, 0});
  EXPECT_TRUE(bob_.Write(builder.Encode({})).succeeded);
}

TEST_F(AclTest, ARefusedTransactionLeavesNoTrace) {
  ann_.Create("/a", Encoded({{31, "digest", kAnn.id}}));
  const std::uint64_t digest = machine_->Digest();
  const std::string bobs = Encoded({{31, "digest", kBob.id}, {1, "ip", "10.0.0.1"}});
  CreateView create{"/a/b", "x"};
  create.has_acl = true;
  create.acl = bobs;
  TransactionBuilder builder;
  builder.Then(create).ThenSetAcl({"/a", bobs}).Then(SetView{"/a", "y"});
  const DecodedAnswer refused = ann_.Write(builder.Encode({}));
  EXPECT_EQ(refused.code, Code::kNoAuth) << "it has just locked itself out";
  EXPECT_EQ(refused.results[0].code, Code::kRolledBack);
  EXPECT_EQ(machine_->Digest(), digest);
  EXPECT_EQ(machine_->tree().acls().size(), 1u);
}

TEST_F(AclTest, AnEventIsForWhoMayReadTheNode) {
  WatchTable watches;
  EventHistory history{HistoryOptions()};
  const StreamId anns(1), bobs(2);
  for (const StreamId stream : {anns, bobs}) {
    ASSERT_EQ(watches.Add(stream, 1, "/", static_cast<std::uint32_t>(WatchKind::kPersistentRecursive), true), Code::kOk);
    ASSERT_EQ(watches.Add(stream, 2, "/a", static_cast<std::uint32_t>(WatchKind::kOnce), true), Code::kOk);
  }
  ann_.Create("/a", Encoded({{31, "digest", kAnn.id}}));
  ann_.Set("/a");
  ann_.SetAcl("/a", Encoded({{Permission::kRead, "world", "anyone"}, {30, "digest", kAnn.id}}));
  ann_.Set("/a");
  std::vector<std::string> heard;
  for (const Event& event : machine_.events) {
    watches.Match(
        {&event, 1},
        [&](const Delivery& delivery) { heard.push_back(absl::StrCat(delivery.stream.value, ": ", TextOf(*delivery.event))); },
        [&](StreamId stream) { return stream == anns ? ann_.asker() : bob_.asker(); });
    history.Append({&event, 1});
  }
  EXPECT_THAT(heard, ElementsAre("1: 1.0 created /a 'data'", "1: 2.0 changed /a 'new'", "1: 4.0 changed /a 'new'",
                                 "2: 4.0 changed /a 'new'"));
  EXPECT_EQ(watches.size(bobs), 1u) << "what it could not hear did not use its watch up";
  const auto replayed = [&](WatchKind kind, const Asker& watcher) {
    std::vector<std::string> text;
    history.Replay(
        {base::Zxid(), Position::kAll}, "/a", kind, [&](const Event& event) { text.push_back(TextOf(event)); }, watcher);
    return text;
  };
  EXPECT_THAT(replayed(WatchKind::kPersistentRecursive, bob_.asker()), ElementsAre("4.0 changed /a 'new'"));
  EXPECT_THAT(replayed(WatchKind::kOnce, bob_.asker()), ElementsAre("4.0 changed /a 'new'"));
  EXPECT_THAT(replayed(WatchKind::kOnce, ann_.asker()), ElementsAre("1.0 created /a 'data'"));
}

// The names of a node's children are for who may read the node, whatever the children's own lists say.
TEST_F(AclTest, ThatAChildCameOrWentIsForWhoMayReadTheParent) {
  ann_.Create("/shown", Encoded({{31, "digest", kAnn.id}, {Permission::kRead, "digest", kBob.id}}));
  ann_.Create("/hidden", Encoded({{31, "digest", kAnn.id}}));
  const std::size_t before = machine_.events.size();
  ann_.Create("/shown/secret", Encoded({{31, "digest", kAnn.id}}));
  ann_.Set("/shown/secret");
  ann_.Delete("/shown/secret");
  ann_.CreateOpen("/hidden/open");
  ann_.Set("/hidden/open");
  ann_.Delete("/hidden/open");
  const std::vector<Event> events(machine_.events.begin() + static_cast<std::ptrdiff_t>(before), machine_.events.end());

  WatchTable watches;
  EventHistory history{HistoryOptions()};
  std::uint64_t id = 0;
  for (const char* const path : {"/shown", "/hidden"}) {
    for (const WatchKind kind : {WatchKind::kPersistentRecursive, WatchKind::kPersistent, WatchKind::kOnceChildren}) {
      ASSERT_EQ(watches.Add(StreamId(1), ++id, path, static_cast<std::uint32_t>(kind), true), Code::kOk);
    }
  }
  std::vector<std::string> heard;
  for (const Event& event : events) {
    watches.Match(
        {&event, 1},
        [&](const Delivery& delivery) {
          heard.push_back(absl::StrCat(absl::StrJoin(delivery.watch_ids, ","), delivery.with_data ? " " : " without data ",
                                       TextOf(*delivery.event)));
        },
        [&](StreamId /*stream*/) { return bob_.asker(); });
    history.Append({&event, 1});
  }
  EXPECT_THAT(heard,
              ElementsAre("2,3 without data 3.0 created /shown/secret 'data'", "2 without data 5.0 deleted /shown/secret ''",
                          "4 6.0 created /hidden/open 'data'", "4 7.0 changed /hidden/open 'new'", "4 8.0 deleted /hidden/open ''"))
      << "a recursive watch asks each node's own list, as ZooKeeper's does";
  EXPECT_EQ(watches.size(), 5u) << "the one that hears once has heard of /shown, and nothing of /hidden";

  const auto replayed = [&](const char* path, WatchKind kind) {
    std::vector<std::string> text;
    history.Replay(
        {base::Zxid(2), Position::kAll}, path, kind, [&](const Event& event) { text.push_back(TextOf(event)); }, bob_.asker());
    return text;
  };
  EXPECT_THAT(replayed("/shown", WatchKind::kPersistent),
              ElementsAre("3.0 created /shown/secret 'data'", "5.0 deleted /shown/secret ''"));
  EXPECT_THAT(replayed("/shown", WatchKind::kPersistentRecursive), IsEmpty());
  EXPECT_THAT(replayed("/hidden", WatchKind::kPersistent), IsEmpty());
  EXPECT_THAT(replayed("/hidden", WatchKind::kOnceChildren), IsEmpty());
  EXPECT_EQ(replayed("/hidden", WatchKind::kPersistentRecursive).size(), 3u);
}

TEST_F(AclTest, ASnapshotTellsThem) {
  for (int i = 0; i < 20; ++i) ann_.Create(absl::StrCat("/n", i), Encoded({{31, "digest", absl::StrCat("u", i % 3, ":h")}}));
  const base::SessionId id = machine_.Open(0, 0, "test", Address("10.1.2.3"));
  machine_.Write(id, 0, EncodeAuthenticate({.number = 1}, {"digest", {}}), {}, {kAnn});
  const std::uint64_t digest = machine_->Digest();
  SnapshotWalk walk(&*machine_);
  std::vector<std::string> parts;
  for (bool more = true; more;) {
    more = walk.Step(3, 1'000'000);
    parts.push_back(walk.TakePart());
    // Meanwhile one list goes, and its number is another one's.
    if (parts.size() == 2) {
      for (int i = 0; i < 20; ++i) super_.SetAcl(absl::StrCat("/n", i), Encoded({{31, "digest", absl::StrCat("v", i, ":h")}}));
    }
  }
  SnapshotLoader loader{Options()};
  for (const std::string& part : parts) ASSERT_TRUE(loader.Add(part).ok()) << loader.Add(part);
  const auto loaded = loader.Finish();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)->Digest(), digest);
  EXPECT_EQ((*loaded)->tree().acls().size(), 3u);
}

// As one that may be read by all it must not come back.
TEST_F(AclTest, ASnapshotThatDoesNotTellAnAclIsDamaged) {
  ann_.Create("/a", Encoded({{31, "digest", kAnn.id}}));
  SnapshotWalk walk(&*machine_);
  while (walk.Step(1000, 1'000'000)) {
  }
  const std::string part = walk.TakePart();
  std::string without;
  base::WireWriter out(&without);
  for (base::WireReader in(part); in.Next();) {
    if (in.field() != 5) out.BytesAlways(in.field(), in.bytes());
  }
  SnapshotLoader loader{Options()};
  const absl::Status added = loader.Add(without);
  EXPECT_EQ(added.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(added.message()), HasSubstr("node /a has an ACL that is not told"));
}

TEST_F(AclTest, BelowItsLevelItIsNotKnown) {
  machine_->SetFeatureLevel(base::kMoreOperations);
  EXPECT_EQ(ann_.Create("/a", Encoded({{31, "digest", kAnn.id}})).code, Code::kOk);
  EXPECT_EQ(bob_.Get("/a"), Code::kOk) << "as a program would do it that knows no lists";
  EXPECT_EQ(ann_.SetAcl("/a", Encoded({{31, "digest", kAnn.id}})).code, Code::kInvalidArgument);
  EXPECT_EQ(ann_.Write(EncodeSetQuota({}, {"/a", 1, 1})).code, Code::kInvalidArgument);
  const base::SessionId id = machine_.Open(0, 0, "test", Address("10.1.2.3"));
  EXPECT_EQ(machine_->sessions().Find(id)->address(), "");
  EXPECT_EQ(machine_.Write(id, 0, EncodeAuthenticate({.number = 1}, {"digest", {}}), {}, {kAnn}).code, Code::kInvalidArgument);
  EXPECT_THAT(machine_->sessions().Find(id)->identities(), IsEmpty());
}

TEST(AclTable, CountsUsesAndGivesNumbersBack) {
  AclTable table;
  const Acl one({{1, "world", "anyone"}});
  const Acl two({{2, "world", "anyone"}});
  const AclNumber first = table.Use(one);
  EXPECT_EQ(table.Use(one), first);
  const AclNumber second = table.Use(two);
  EXPECT_NE(second, first);
  EXPECT_EQ(table.Use(Acl::Open()), kOpenAcl);
  const std::size_t bytes = table.bytes();
  table.Drop(first);
  EXPECT_EQ(table.bytes(), bytes);
  const std::shared_ptr<const Acl> shared = table.Share(first);
  table.Drop(first);
  EXPECT_LT(table.bytes(), bytes);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(shared->entries(), one.entries()) << "whoever shares it keeps it";
  EXPECT_EQ(table.Use(Acl({{3, "world", "anyone"}})), first);
}

TEST(AclTable, HoldsSoManyDifferentOnes) {
  AclTable table;
  for (std::size_t i = 0; i < AclTable::kAclsMax; ++i) table.Use(Acl({{31, "digest", absl::StrCat("u:", i)}}));
  EXPECT_FALSE(table.Admits(Acl({{31, "digest", "another:x"}})));
  EXPECT_TRUE(table.Admits(Acl({{31, "digest", "u:7"}})));
  EXPECT_TRUE(table.Admits(Acl::Open()));
}

// What proves an identity stays with the node that was asked.
TEST(Credentials, AreLeftOutOfWhatIsProposed) {
  const std::string request = EncodeAuthenticate({.number = 5}, {"digest", "ann:secret"});
  RequestView view;
  ASSERT_TRUE(RequestView::Parse(request, &view));
  const std::string without = EncodeWithoutCredentials(view);
  EXPECT_EQ(without, EncodeAuthenticate({.number = 5}, {"digest", {}}));
  EXPECT_EQ(without.find("secret"), std::string::npos);

  std::string unary = EncodeSet({.id = 9}, {"/a", "data"});
  base::WireWriter out(&unary);
  const std::size_t mark = out.Open(4);
  out.Bytes(1, "digest");
  out.Bytes(2, "ann:secret");
  out.Close(mark);
  ASSERT_TRUE(RequestView::Parse(unary, &view));
  EXPECT_TRUE(view.has_auth);
  EXPECT_EQ(EncodeWithoutCredentials(view), EncodeSet({.id = 9}, {"/a", "data"}));
}

}  // namespace
}  // namespace drover::coord::tree
