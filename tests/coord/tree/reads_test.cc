#include "coord/tree/reads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Reads, GetShowsDataStatIdAndZxid) {
  Machine m;
  m.Create("/a", "data");
  m.Create("/b");
  const DecodedAnswer answer = m.Read(EncodeGet({.id = 7}, "/a"));
  EXPECT_EQ(answer.code, Code::kOk);
  EXPECT_EQ(answer.id, 7u);
  EXPECT_EQ(answer.zxid, 2u) << "of the state, not of the node";
  EXPECT_EQ(answer.data, "data");
  EXPECT_EQ(answer.stat, m.StatOf("/a"));
}

TEST(Reads, ExistsShowsNoData) {
  Machine m;
  m.Create("/a", "data");
  const DecodedAnswer answer = m.Read(EncodeExists({}, "/a"));
  EXPECT_EQ(answer.stat.data_length, 4u);
  EXPECT_EQ(answer.data, "");
}

TEST(Reads, SyncIsAnsweredByTheZxid) {
  Machine m;
  m.Create("/a");
  EXPECT_EQ(m.Read(EncodeSync({.id = 3})).zxid, 1u);
  EXPECT_EQ(m.Read(EncodeSync({.id = 3})).code, Code::kOk);
}

TEST(Reads, RefusalsAreTheSameForAll) {
  Machine m;
  for (const std::string& request : {EncodeGet({.id = 1}, "/x"), EncodeExists({.id = 1}, "/x"), EncodeChildren({.id = 1}, {"/x"}),
                                     EncodeList({.id = 1}, {"/x"})}) {
    EXPECT_EQ(m.Read(request).code, Code::kNoNode);
    EXPECT_EQ(m.Read(request).id, 1u);
  }
  for (const std::string& request : {EncodeGet({}, "x"), EncodeExists({}, ""), EncodeChildren({}, {"/x/"}), EncodeList({}, {"//"}),
                                     EncodeList({}, {"/", "no path"}), EncodeCreate({}, {"/a"})}) {
    EXPECT_EQ(m.Read(request).code, Code::kInvalidArgument);
  }
  EXPECT_EQ(m.Read(EncodeGet({}, "/" + std::string(5000, 'p'))).code, Code::kTooLarge);
  m.Create("/a");
  EXPECT_EQ(m.Read(EncodeList({}, {"/a", "/b"})).code, Code::kInvalidArgument) << "`after` lies outside";
}

TEST(Reads, ChildrenComeByNameInPages) {
  Machine m;
  for (const char* path : {"/b", "/a", "/aa", "/a-", "/c"}) m.Create(path);
  m.Create("/a/x");
  EXPECT_THAT(m.Read(EncodeChildren({}, {"/"})).names, ElementsAre("a", "a-", "aa", "b", "c"));
  EXPECT_FALSE(m.Read(EncodeChildren({}, {"/"})).more);
  const DecodedAnswer first = m.Read(EncodeChildren({}, {"/", "", 2}));
  EXPECT_THAT(first.names, ElementsAre("a", "a-"));
  EXPECT_TRUE(first.more);
  EXPECT_THAT(m.Read(EncodeChildren({}, {"/", "a-", 2})).names, ElementsAre("aa", "b"));
  EXPECT_THAT(m.Read(EncodeChildren({}, {"/", "ab", 2})).names, ElementsAre("b", "c")) << "after a name that is not there";
  EXPECT_FALSE(m.Read(EncodeChildren({}, {"/", "aa", 2})).more) << "exactly the rest";
  EXPECT_TRUE(m.Read(EncodeChildren({}, {"/", "c"})).names.empty());
  EXPECT_TRUE(m.Read(EncodeChildren({}, {"/c"})).names.empty());
}

std::vector<std::string> AllPages(const Machine& m, absl::string_view path, std::uint32_t limit, std::size_t* pages) {
  std::vector<std::string> paths;
  std::string after;
  for (*pages = 1;; ++*pages) {
    const DecodedAnswer page = m.Read(EncodeList({}, {path, after, limit}));
    EXPECT_EQ(page.code, Code::kOk);
    for (const DecodedNode& node : page.nodes) paths.push_back(node.path);
    if (!page.more) return paths;
    EXPECT_FALSE(page.nodes.empty());
    if (page.nodes.empty()) return paths;
    after = page.nodes.back().path;
  }
}

TEST(Reads, ListGivesTheSubtreeInPagesOfAnySize) {
  Machine m;
  for (const char* path : {"/p", "/p/b", "/p/a", "/p/a/x", "/p/a-", "/p/a/x/y", "/q"}) m.Create(path, "data");
  const std::vector<std::string> all = {"/p", "/p/a", "/p/a/x", "/p/a/x/y", "/p/a-", "/p/b"};
  for (std::uint32_t limit = 0; limit <= 7; ++limit) {
    std::size_t pages = 0;
    EXPECT_EQ(AllPages(m, "/p", limit, &pages), all);
    EXPECT_EQ(pages, limit == 0 || limit >= 6 ? 1u : (6 + limit - 1) / limit);
  }
  const DecodedAnswer page = m.Read(EncodeList({}, {"/p"}));
  EXPECT_EQ(page.zxid, 7u);
  EXPECT_EQ(page.nodes[1].data, "data");
  EXPECT_EQ(page.nodes[1].stat, m.StatOf("/p/a"));
  PageView without{"/p"};
  without.without_data = true;
  EXPECT_EQ(m.Read(EncodeList({}, without)).nodes[1].data, "");
}

TEST(Reads, PagesAreBoundedByBytesAndByCount) {
  Options options;
  options.page_bytes_max = 2000;
  options.page_nodes_max = 3;
  Machine m(options);
  for (int i = 0; i < 8; ++i) m.Create(absl::StrCat("/small", i));
  EXPECT_EQ(m.Read(EncodeChildren({}, {"/"})).names.size(), 3u);
  EXPECT_EQ(m.Read(EncodeList({}, {"/", "", 100})).nodes.size(), 3u);
  for (int i = 0; i < 8; ++i) m.Set(absl::StrCat("/small", i), std::string(1500, 'x'));
  std::size_t pages = 0;
  EXPECT_EQ(AllPages(m, "/", 0, &pages).size(), 9u);
  EXPECT_EQ(pages, 8u) << "the root and one, then one big node each";
  m.Set("/small3", std::string(5000, 'x'));
  EXPECT_EQ(m.Read(EncodeList({}, {"/", "/small2"})).nodes.size(), 1u) << "a node larger than a page still comes, alone";
}

TEST(Reads, ListGoesOnBehindANodeThatHasGone) {
  Machine m;
  for (const char* path : {"/a", "/b", "/c"}) m.Create(path);
  m.Delete("/b");
  const DecodedAnswer page = m.Read(EncodeList({}, {"/", "/b"}));
  ASSERT_EQ(page.nodes.size(), 1u);
  EXPECT_EQ(page.nodes[0].path, "/c");
}

TEST(Reads, DescendantsAreCountedAtAllDepths) {
  Machine m;
  const auto count = [&m](absl::string_view path) { return m.Read(EncodeCountDescendants({}, path)).count; };
  EXPECT_EQ(count("/"), 0u);
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/d"}) m.Create(path);
  EXPECT_EQ(count("/"), 4u);
  EXPECT_EQ(count("/a"), 2u);
  EXPECT_EQ(count("/a/b/c"), 0u);
  m.Delete("/a/b/c");
  EXPECT_EQ(count("/a"), 1u);
  EXPECT_EQ(m.Read(EncodeCountDescendants({}, "/x")).code, Code::kNoNode);
  EXPECT_EQ(m.Read(EncodeCountDescendants({}, "x")).code, Code::kInvalidArgument);
}

TEST(Reads, SeveralAtOnceAreOfOneStateAndEachHasItsCode) {
  Machine m;
  m.Create("/a", "data");
  m.Create("/a/b");
  MultiReadBuilder reads;
  reads.Get("/a").Exists("/a").Children({"/a"}).Get("/x").Children({"no path"});
  const DecodedAnswer answer = m.Read(reads.Encode({.id = 3}));
  EXPECT_EQ(answer.code, Code::kOk);
  EXPECT_EQ(answer.id, 3u);
  EXPECT_EQ(answer.zxid, 2u);
  ASSERT_EQ(answer.reads.size(), 5u);
  EXPECT_EQ(answer.reads[0].data, "data");
  EXPECT_EQ(answer.reads[0].stat, m.StatOf("/a"));
  EXPECT_EQ(answer.reads[1].stat, m.StatOf("/a"));
  EXPECT_EQ(answer.reads[1].data, "");
  EXPECT_THAT(answer.reads[2].names, ElementsAre("b"));
  EXPECT_EQ(answer.reads[3].code, Code::kNoNode);
  EXPECT_NE(answer.reads[3].message, "");
  EXPECT_EQ(answer.reads[4].code, Code::kInvalidArgument);
  EXPECT_EQ(m.Read(MultiReadBuilder().Encode({})).code, Code::kOk);
}

TEST(Reads, TooManyAtOnceAreRefusedAndTooLongAnswersLeftOut) {
  Options options;
  options.multi_read_max = 3;
  options.multi_read_bytes_max = 1000;
  Machine m(options);
  m.Create("/a", std::string(600, 'a'));
  m.Create("/b", std::string(600, 'b'));
  MultiReadBuilder three;
  const DecodedAnswer answer = m.Read(three.Get("/a").Get("/b").Get("/a").Encode({}));
  ASSERT_EQ(answer.reads.size(), 3u);
  EXPECT_EQ(answer.reads[0].code, Code::kOk);
  EXPECT_EQ(answer.reads[1].code, Code::kOk) << "what began below the limit is answered as a whole";
  EXPECT_EQ(answer.reads[2].code, Code::kTooLarge);
  EXPECT_EQ(answer.reads[2].data, "");
  EXPECT_EQ(m.Read(three.Get("/a").Encode({})).code, Code::kTooLarge);
}

TEST(Reads, EphemeralsOfASessionComeInTheOrderOfTheirCreationInPages) {
  Machine m;
  Client c(&m);
  Client other(&m);
  m.Create("/d");
  const auto paths = [](const DecodedAnswer& answer) {
    std::vector<std::string> all;
    for (const DecodedNode& node : answer.nodes) all.push_back(node.path);
    return all;
  };
  EXPECT_THAT(m.Read(EncodeEphemerals({}, {}), c.id()).nodes, IsEmpty());
  c.Create({"/z", "data", true});
  TransactionBuilder both;
  both.Then(CreateView{"/d/2", "", true}).Then(CreateView{"/d/1", "", true});
  c.Transact(both);
  c.Create({"/a", "", true});
  other.Create({"/o", "", true});
  const DecodedAnswer all = m.Read(EncodeEphemerals({}, {}), c.id());
  EXPECT_THAT(paths(all), ElementsAre("/z", "/d/1", "/d/2", "/a"));
  EXPECT_FALSE(all.more);
  EXPECT_EQ(all.nodes[0].stat, m.StatOf("/z"));
  EXPECT_EQ(all.nodes[0].data, "");
  EXPECT_THAT(paths(m.Read(EncodeEphemerals({}, {other.id()}), c.id())), ElementsAre("/o"));
  EXPECT_THAT(paths(m.Read(EncodeEphemerals({}, {c.id(), "/d"}))), ElementsAre("/d/1", "/d/2"));

  std::vector<std::string> paged;
  EphemeralsView page{c.id(), {}, base::Zxid(), {}, 1};
  for (std::string after;;) {
    const DecodedAnswer answer = m.Read(EncodeEphemerals({}, page));
    ASSERT_EQ(answer.nodes.size(), 1u);
    paged.push_back(answer.nodes[0].path);
    if (!answer.more) break;
    after = answer.nodes[0].path;
    page.after_czxid = answer.nodes[0].stat.czxid;
    page.after = after;
  }
  EXPECT_EQ(paged, paths(all));

  EXPECT_THAT(m.Read(EncodeEphemerals({}, {base::SessionId(999)})).nodes, IsEmpty());
  EXPECT_EQ(m.Read(EncodeEphemerals({}, {})).code, Code::kInvalidArgument) << "whose?";
  EXPECT_EQ(m.Read(EncodeEphemerals({}, {c.id(), "x"})).code, Code::kInvalidArgument);
  EXPECT_EQ(m.Read(EncodeEphemerals({}, {c.id(), {}, base::Zxid(1), "x"})).code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace drover::coord::tree
